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
from neuroai.sources.matlab import read_matlab
from neuroai.sources.spikes import bin_edges, bin_rasters, with_time

SIDES = ("left", "right")
PARADIGMS = ("detection", "orientation", "phase")
ORIENTATIONS = ("0", "90")

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
    n_stimuli=24,
    size_mib=4.35,
    answers={
        "computation": "94,761 trials of 9 mice choosing the side of a figure, in three tasks",
        "algorithm": "241 units of superior colliculus in 20 sessions of 5 other mice, by session",
        "implementation": "silencing of superior colliculus by laser from 17 to 200 ms on",
    },
    contrasts={
        "figure": Contrast(column="place", positive=("figure",), negative=("ground",)),
    },
    tasks=tuple(
        ChoiceTask(name=name, options=SIDES, truth="side", where=("task", name))
        for name in PARADIGMS
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
# Groups of trials 1 to 18: task, figure or ground on the receptive field, outcome.
GROUPED = ("orientation", "phase", "detection")
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
        behaviour=tuple(
            _behaviour(trials[(trials["task"] == task) & (trials["kept"] == kept)], task, kept=kept)
            for kept in (True, False)
            for task in PARADIGMS
        ),
    )
    return Holdings(card=CARD, stimuli=_stimuli(), systems=(mouse,))


def _stimuli() -> StimulusSet:
    shown = [("behaviour", place) for place in SIDES]
    recorded = [("recording", place) for place in ("figure", "ground")]
    rows = [
        {
            "stimulus_id": f"{paradigm}-{orientation}-{place}",
            "task": paradigm if source == "behaviour" else f"recorded {paradigm}",
            "paradigm": paradigm,
            "orientation": orientation,
            "side": place if source == "behaviour" else "",
            "place": place if source == "recording" else "",
        }
        for paradigm in PARADIGMS
        for orientation in ORIENTATIONS
        for source, place in shown + recorded
    ]
    return stimulus_set(pd.DataFrame(rows, dtype=object), name=CARD.name)


def _all_trials(path: Path) -> pd.DataFrame:
    mice = read_matlab(path)["behaviour"]
    tables = [_trials_of(name, mice[name].item()) for name in mice.dtype.names]
    return pd.concat(tables, ignore_index=True)


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
            **{name: values[name] for name in NUMBERS},
        }
    )


def _behaviour(trials: pd.DataFrame, task: str, *, kept: bool) -> xr.Dataset:
    side, reaction = trials["side"].to_numpy(), trials["reaction"].to_numpy()
    other = np.where(side == "left", "right", "left")
    choice = np.where(reaction == "Hit", side, np.where(reaction == "Error", other, ""))
    ids = [f"{task}-{o}-{place}" for o, place in zip(trials["orientation"], side, strict=True)]
    return behaviour(
        {
            "subject": trials["subject"],
            "stimulus_id": ids,
            "choice": choice,
            "truth": side,
            "intervention": _interventions(trials["latency"].to_numpy()),
            "latency": trials["latency"],
            "response_time": trials["response_time"],
            # A miss is neither right nor wrong, as in the published tables.
            "correct": np.where(reaction == "Miss", np.nan, reaction == "Hit"),
            **{name: trials[name] for name in NUMBERS},
        },
        system="mouse",
        kind="brain",
        stimulus_set=CARD.name,
        task=task if kept else f"{task}, trials left out by the authors",
        options=SIDES,
        attrs={
            "modality": "behaviour",
            "choice_by": "recorded",
            "note": f"{int((reaction == 'Miss').sum())} misses are neither right nor wrong",
        },
    )


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
    shown = group > 0
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
        region=f"superior colliculus {day}",
        presentation={
            "paradigm": task,
            "outcome": np.array(OUTCOMES, dtype=object)[which % 3],
            "trial": np.flatnonzero(shown).astype(float),
            "response_time": np.asarray(session["RTs"], dtype=float)[shown] / 1000,
        },
        unit={
            "session": [name] * len(cells),
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
        attrs={"note": f"{int((~shown).sum())} trials without a stated stimulus were left out"},
    )
