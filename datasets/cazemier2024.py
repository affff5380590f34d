"""Figure detection in mice: choices with the superior colliculus silenced, and its cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import ChoiceTask, Contrast, DatasetCard
from neuroai.format.build import behaviour, recording
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.sources.download import fetch_listed
from neuroai.sources.gratings import FigureGround
from neuroai.sources.matlab import read_matlab
from neuroai.sources.spikes import bin_edges, bin_rasters, with_time

SIDES = ("left", "right")
PARADIGMS = ("detection", "orientation", "phase")
ORIENTATIONS = ("0", "90")
# What the figure differs by where the contrast of the ground was varied.
GRADED = ("orientation", "phase")
LEVELS = (0.2, 0.4, 0.6, 0.8)
# The trial table does not say at which phase a grating stood: one image for each of six.
EXEMPLARS = 6
RE_CREATED = "stimuli: re-created"

CARD = DatasetCard(
    name="cazemier2024",
    title="Figure detection in mice with the superior colliculus silenced by laser",
    folder="cazemier_sc_opto",
    url="https://github.com/leoniecazemier/SC-figure-detection/tree/309f387f8da4d83801c327290be80ff653f2dd4c",
    licence="none stated: the files may be downloaded and cited, not passed on",
    citation=(
        "Cazemier et al. (2024), eLife, Involvement of superior colliculus in complex figure "
        "detection of mice"
    ),
    doi="10.1101/2022.09.25.509365",
    modality=("behaviour", "optogenetics", "single units"),
    systems=("mouse",),
    n_stimuli=312,
    size_mib=4.35,
    answers={
        "computation": "94,761 trials of 9 mice choosing the side of a figure, in three tasks",
        "algorithm": "241 units of superior colliculus in 20 sessions of 5 other mice, by session",
        "implementation": "silencing of superior colliculus by laser from 17 to 200 ms on",
    },
    contrasts={
        "figure": Contrast(column="place", positive=("figure",), negative=("ground",)),
        "side": Contrast(column="side", positive=("right",), negative=("left",)),
    },
    tasks=(
        *(
            ChoiceTask(name=name, options=SIDES, truth="side", where=("task", name), readout=True)
            for name in (*PARADIGMS, *(f"{name}, graded" for name in GRADED))
        ),
        # Spikes and networks choose by the same readout; no mouse ran it under this name.
        ChoiceTask(name="side", options=SIDES, truth="side", readout=True),
    ),
)

TRIALS = "Fig1E_preprocessed_data.mat"
CELLS, SESSIONS = "spikesorted_data.mat", "session_info.mat"
USED = {"detection": "useBase", "orientation": "useOri", "phase": "useOOP"}
# What the authors count: standard trials of an active mouse in a session with laser.
STANDARD = {
    "contrasts": 100, "bglum": 0, "gavepas": 0, "drum": 0, "semidrum": 0, "repeated": 0,
    "optoOn": 1, "propR": 0.5,
}  # fmt: skip
NUMBERS = ("contrasts", "bgcontrasts", "bglum")
# 0 where a mouse had no help: no reward given, no trial shown until it was right or again.
ALONE = ("gavepas", "drum", "repeated")
LEFT_OUT = ", trials left out by the authors"
# Groups of trials 1 to 12: task, figure or ground on the receptive field, outcome.
AREA = "superior colliculus"
GROUPED = ("orientation", "phase")
ANALYSED = 12
PLACES = ("figure", "ground")
OUTCOMES = ("hit", "error", "miss")
ONSET, WINDOW, BIN = 200, (-0.1, 0.5), 0.05
SPIKES_A_SECOND = 1000.0  # of one spike in a sample of 1 ms


def load(*, offline: bool = False) -> Holdings:
    """Load every trial of the nine mice, and the counts of the cells, session by session."""
    files = fetch_listed(CARD.folder, offline=offline)
    trials = _all_trials(files[TRIALS])
    mouse = SystemData(
        name="mouse",
        kind="brain",
        species="Mus musculus",
        recordings=tuple(_recordings(files)),
        behaviour=tuple(_behaviour(trials[trials["table"] == table], table) for table in _tables()),
    )
    return Holdings(card=CARD, stimuli=_stimuli(), systems=(mouse,))


def _stimuli() -> StimulusSet:
    """Give every condition of the trial tables, and images that were re-created from them.

    Orientation, side, paradigm and contrast of the ground are those of the tables. Where the
    right colliculus was recorded the scene is mirrored, so that a figure on the receptive field
    always stands on the right. Period, size and place of the figure are chosen here: no file
    states them.
    """
    rows = [
        _row(task, paradigm, orientation, place, level, exemplar)
        for task, paradigm, level in _shown()
        for orientation in ORIENTATIONS
        for place in (PLACES if task.startswith("recorded") else SIDES)
        for exemplar in range(EXEMPLARS)
    ]
    images = {row["stimulus_id"]: _image(row) for row in rows}
    table = pd.DataFrame(rows, dtype=object)
    return stimulus_set(table, name=CARD.name, load=lambda key: images[key].image())


def _shown() -> Iterator[tuple[str, str, float]]:
    """Give task, paradigm and contrast of the ground of all that was shown."""
    for paradigm in PARADIGMS:
        yield paradigm, paradigm, 0.0 if paradigm == "detection" else 1.0
    for paradigm in GRADED:
        yield f"recorded {paradigm}", paradigm, 1.0
        for level in LEVELS:
            yield f"{paradigm}, graded", paradigm, level


def _row(
    task: str, paradigm: str, orientation: str, place: str, level: float, exemplar: int
) -> dict[str, str]:
    graded = f" on {level:g}" if task.endswith("graded") else ""
    condition = f"{paradigm}{graded}-{orientation}-{place}"
    recorded = place in PLACES
    return {
        # The first image bears the name that trials and recordings know.
        "stimulus_id": f"{condition} ({exemplar + 1})" if exemplar else condition,
        "condition": condition,
        "task": task,
        "source": "recording" if recorded else ("training" if graded else "behaviour"),
        "paradigm": paradigm,
        "orientation": orientation,
        "side": ("right" if place == "figure" else "left") if recorded else place,
        "place": place if recorded else "",
        "ground_contrast": f"{level:g}",
        "intensity": f"{1 - level:g}",
        "exemplar": str(exemplar + 1),
        "origin": RE_CREATED,
    }


def _image(row: Mapping[str, str]) -> FigureGround:
    return FigureGround(
        orientation=float(row["orientation"]),
        side=row["side"],
        differs_by="orientation" if row["paradigm"] == "orientation" else "phase",
        ground_contrast=float(row["ground_contrast"]),
        phase=(int(row["exemplar"]) - 1) / EXEMPLARS,
    )


def _all_trials(path: Path) -> pd.DataFrame:
    mice = read_matlab(path)["behaviour"]
    tables = [_trials_of(name, mice[name].item()) for name in mice.dtype.names]
    trials = pd.concat(tables, ignore_index=True)
    between = (trials["bgcontrasts"] > 0) & (trials["bgcontrasts"] < 1)
    table = np.where(trials["kept"], trials["task"], trials["task"] + LEFT_OUT)
    # Training, in which the ground grew from grey to full contrast: psychometric curves.
    alone = (trials[list(ALONE)] == 0).all(axis=1) & trials["latency"].isna()
    return trials.assign(table=np.where(between & alone, trials["task"] + ", graded", table))


def _tables() -> tuple[str, ...]:
    graded = tuple(f"{task}, graded" for task in GRADED)
    return (*PARADIGMS, *graded, *(f"{task}{LEFT_OUT}" for task in PARADIGMS))


def _trials_of(mouse: str, struct: np.ndarray) -> pd.DataFrame:
    """Read one mouse's trials, and whether the authors count each."""
    n = len(struct["optolats"].item())
    names = {*STANDARD, *USED.values(), *NUMBERS, "oris", "RTs", "OOP", "optolats"}
    # A mouse that never ran a task has one value, or no field, for all trials.
    known = names & set(struct.dtype.names)
    values = {k: np.asarray(struct[k].item(), dtype=float) * np.ones(n) for k in known}
    figure = np.where(values["bgcontrasts"] == 0, 0, np.where(values["OOP"] == 1, 2, 1))
    task = np.array(PARADIGMS, dtype=object)[figure]
    used = np.select([task == t for t in PARADIGMS], [values[USED[t]] for t in PARADIGMS])
    standard = np.all([values[name] == wanted for name, wanted in STANDARD.items()], axis=0)
    return pd.DataFrame(
        {
            "subject": mouse,
            "task": task,
            "kept": standard & (used == 1),
            "side": struct["sides"].item(),
            "reaction": struct["reactions"].item(),
            "orientation": values["oris"].astype(int).astype(str),
            "latency": values["optolats"],
            "response_time": values["RTs"] / 1000,
            **{name: values[name] for name in (*NUMBERS, *ALONE)},
        }
    )


def _behaviour(trials: pd.DataFrame, table: str) -> xr.Dataset:
    task = table.partition(",")[0]
    side, reaction = trials["side"].to_numpy(), trials["reaction"].to_numpy()
    other = np.where(side == "left", "right", "left")
    choice = np.where(reaction == "Hit", side, np.where(reaction == "Error", other, ""))
    grounds = _ground_names(trials["bgcontrasts"].to_numpy(), graded=table.endswith("graded"))
    places = zip(grounds, trials["orientation"], side, strict=True)
    ids = [f"{task}{ground}-{o}-{place}" for ground, o, place in places]
    return behaviour(
        {
            "subject": trials["subject"],
            "stimulus_id": ids,
            "choice": choice,
            "truth": side,
            "intervention": _interventions(trials["latency"].to_numpy()),
            "latency": trials["latency"],
            "response_time": trials["response_time"],
            # How far the figure stands out where nothing but contrast tells it.
            "intensity": 1 - trials["bgcontrasts"],
            # A miss is neither right nor wrong, as in the published tables.
            "correct": np.where(reaction == "Miss", np.nan, reaction == "Hit"),
            **{name: trials[name] for name in NUMBERS},
        },
        system="mouse",
        kind="brain",
        stimulus_set=CARD.name,
        task=table,
        options=SIDES,
        attrs={
            "modality": "behaviour",
            "choice_by": "recorded",
            "note": f"{int((reaction == 'Miss').sum())} misses are neither right nor wrong",
        },
    )


def _ground_names(contrast: np.ndarray, *, graded: bool) -> list[str]:
    """Name the image whose ground is nearest; the contrast itself stands in a column."""
    if not graded:
        return [""] * len(contrast)
    nearest = np.abs(contrast[:, None] - np.array(LEVELS)).argmin(axis=1)
    return [f" on {LEVELS[at]:g}" for at in nearest]


def _interventions(latency: np.ndarray) -> np.ndarray:
    """Name the laser by its onset after the stimulus, in whole milliseconds."""
    names = [f"laser-{round(s * 1000)}ms" if np.isfinite(s) else "none" for s in latency]
    return np.array(names, dtype=object)


def _recordings(files: Mapping[str, Path]) -> Iterator[xr.DataArray]:
    cells = read_matlab(files[CELLS])["sorted_units"]
    for session in read_matlab(files[SESSIONS])["session_info"]:
        yield _recording(session, cells[[str(ses) == session["ses"] for ses in cells["ses"]]])


def _recording(session: np.void, cells: np.ndarray) -> xr.DataArray:
    """Count one session's spikes in the trials whose group says what was shown."""
    group = np.asarray(session["trialGroups"], dtype=int)
    # A few warming-up trials of detection open some sessions; the authors analyse none.
    shown = (group > 0) & (group <= ANALYSED)
    which = group[shown] - 1
    task = np.array(GROUPED, dtype=object)[which // 6]
    place = np.where(which % 6 < 3, "figure", "ground")
    orientation = np.asarray(session["FigureOrientation"])[shown].astype(str)
    # One raster holds 2.5e-321 where it means 0: counts are whole.
    counts = [
        np.round(bin_rasters(r[shown], zero=ONSET, window=WINDOW, bin_width=BIN) / SPIKES_A_SECOND)
        for r in cells["spikeRaster"]
    ]
    values, time = with_time(np.stack(counts, axis=1), bin_edges(WINDOW, bin_width=BIN))
    name = str(session["ses"])
    mouse, _, day = name.partition("_")
    return recording(
        values,
        stimulus_id=[f"{t}-{o}-{p}" for t, o, p in zip(task, orientation, place, strict=True)],
        unit_id=[f"{name}-{number:02d}" for number in range(len(cells))],
        # Other cells on every day: a region of its own, so that no day is taken for a repeat.
        region=f"{AREA} {day}",
        presentation={
            "paradigm": task,
            "outcome": np.array(OUTCOMES, dtype=object)[which % 3],
            "trial": np.flatnonzero(shown).astype(float),
            "response_time": np.asarray(session["RTs"], dtype=float)[shown] / 1000,
        },
        unit={
            "session": [name] * len(cells),
            "area": [AREA] * len(cells),
            "depth_um": [float(one) for one in cells["depthR"]],
            "rf_position": [float(one) for one in cells["RFPOS"]],
            "responsive": [float(one) for one in cells["inclResponsiveCell"]],
            "stable": [float(one) if np.size(one) else np.nan for one in cells["inclStableCell"]],
        },
        time=time,
        time_unit="s",
        system="mouse",
        kind="brain",
        stimulus_set=CARD.name,
        subject=mouse,
        modality="single units",
        physical_unit="spikes",
        attrs={
            "note": f"{int((~shown).sum())} trials of detection or without a stated stimulus were "
            "left out"
        },
    )
