"""The simulated brain in files as laboratories keep them: BIDS, FIF, NWB, tables and images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from neuroai.experiment.demo_brain import (
    CONTRAST,
    DIGITS,
    N_PLANTED,
    PLANTED_EFFECT,
    SILENCING,
    SUBJECTS,
    TASK,
)
from neuroai.experiment.demo_signals import (
    DURATION,
    RATE,
    SHOWN,
    TR,
    Shown,
    bold,
    firing,
    laser_trials,
    mixed,
    picture_trials,
    scalp,
    scanner_trials,
    spikes,
)
from neuroai.format.stimuli import StimulusSet

REGIONS, NEURONS, SCALP = ("V1", "IT"), "IT neurons", "scalp"
GRID = (10, 10, 4)
N_VOXELS, N_RUNS = 80, 2  # of each region
N_CHANNELS, N_PICTURES = 16, 2
N_NEURONS, N_SILENCED = 60, 12
DESCRIPTION = "demo.toml"
SAID = "SIMULATED by neuroai demo: no person and no animal was recorded."


@dataclass(frozen=True)
class Truth:
    """What the files are made to carry.

    Attributes
    ----------
    layers : mapping
        From V1, IT, ``scalp`` and ``IT neurons`` to the activity of the layer that each mixes,
        shape (n_stimuli, n_features).
    looped : array of bool, shape (n_stimuli,)
        Stimuli that the planted module prefers.
    choices : mapping
        Columns of a behaviour table.
    seed : int
        Seed of mixtures and noise.
    """

    layers: Mapping[str, np.ndarray]
    looped: np.ndarray
    choices: Mapping[str, Sequence[object]]
    seed: int


def write_files(folder: Path, stimuli: StimulusSet, truth: Truth) -> Path:
    """Write everything that was simulated, and a description of it.

    Parameters
    ----------
    folder : pathlib.Path
        Where to write; made where it does not exist, and files of these names are replaced.
    stimuli : StimulusSet
        What was shown; its images are written as PNG.
    truth : Truth
        What the files carry.

    Returns
    -------
    pathlib.Path
        The description, as `neuroai.sources.description.load_description` takes it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"Name": SAID, "BIDSVersion": "1.9.0", "DatasetType": "raw"}
    (folder / "dataset_description.json").write_text(json.dumps(facts, indent=1) + "\n")
    (folder / "README").write_text(SAID + "\n")
    _write_stimuli(folder, stimuli)
    _write_atlas(folder / "atlas_dseg.nii.gz")
    for number, subject in enumerate(SUBJECTS):
        for name in ("func", "eeg", "ecephys", "beh"):
            (folder / f"sub-{subject}" / name).mkdir(parents=True, exist_ok=True)
        stem = str(folder / f"sub-{subject}" / "{}" / f"sub-{subject}_task-digits")
        _write_fmri(stem.format("func"), stimuli, truth, [truth.seed, number, 1])
        _write_eeg(stem.format("eeg"), stimuli, truth, [truth.seed, number, 2])
        _write_nwb(stem.format("ecephys"), stimuli, truth, [truth.seed, number, 3], subject)
        _write_choices(Path(stem.format("beh") + "_beh.tsv"), truth.choices, subject)
    path = folder / DESCRIPTION
    path.write_text(_description(), encoding="utf-8")
    return path


def _table(path: Path, columns: Mapping[str, Sequence[object]]) -> None:
    rows = zip(*columns.values(), strict=True)
    lines = ["\t".join(columns), *("\t".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_stimuli(folder: Path, stimuli: StimulusSet) -> None:
    from PIL import Image

    (folder / "stimuli").mkdir(exist_ok=True)
    for key in stimuli.ids:
        Image.fromarray(np.asarray(stimuli.load(key))).save(folder / "stimuli" / f"{key}.png")
    names = ("digit", "category", "loop")
    columns = {"stimulus_id": list(stimuli.ids), **{n: list(stimuli.column(n)) for n in names}}
    _table(folder / "stimuli.tsv", columns)


def _affine() -> np.ndarray:
    return np.diag([3.0, 3.0, 3.0, 1.0])


def _write_atlas(path: Path) -> None:
    import nibabel

    labels = np.zeros(np.prod(GRID), dtype=np.int16)
    for number, _ in enumerate(REGIONS):
        labels[number * N_VOXELS : (number + 1) * N_VOXELS] = number + 1
    nibabel.save(nibabel.Nifti1Image(labels.reshape(GRID), _affine()), path)


def _write_fmri(stem: str, stimuli: StimulusSet, truth: Truth, seed: list[int]) -> None:
    """Write two runs; voxels outside of the atlas respond to every stimulus alike."""
    import nibabel

    rng = np.random.default_rng(seed)
    parts = [mixed(truth.layers[region], N_VOXELS, rng) for region in REGIONS]
    parts[-1][:, :N_PLANTED] += _preference(truth)
    rest = np.zeros((len(stimuli.ids), int(np.prod(GRID)) - len(REGIONS) * N_VOXELS))
    patterns = np.concatenate([*parts, rest], axis=1)
    for run in range(1, N_RUNS + 1):
        shown = scanner_trials(len(stimuli.ids), rng)
        series = bold(shown, patterns, rng).T.reshape(*GRID, -1).astype(np.float32)
        image = nibabel.Nifti1Image(series, _affine())
        image.header.set_zooms((3.0, 3.0, 3.0, TR))
        image.header.set_xyzt_units("mm", "sec")
        image.header["descrip"] = b"SIMULATED by neuroai demo"
        nibabel.save(image, f"{stem}_run-{run}_bold.nii.gz")
        _table(Path(f"{stem}_run-{run}_events.tsv"), _events(shown, stimuli, DURATION))


def _preference(truth: Truth) -> np.ndarray:
    return PLANTED_EFFECT * np.where(truth.looped, 0.5, -0.5)[:, None]


def _events(shown: Shown, stimuli: StimulusSet, duration: float) -> dict[str, Sequence[object]]:
    ids = [stimuli.ids[row] for row in shown.order]
    return {
        "onset": [f"{onset:.3f}" for onset in shown.onsets],
        "duration": [duration] * len(ids),
        "trial_type": list(stimuli.column("category", ids)),
        "stimulus_id": ids,
    }


def _write_eeg(stem: str, stimuli: StimulusSet, truth: Truth, seed: list[int]) -> None:
    import mne

    rng = np.random.default_rng(seed)
    shown = picture_trials(len(stimuli.ids), N_PICTURES, rng)
    values = scalp(shown, truth.layers[SCALP], N_CHANNELS, rng)
    info = mne.create_info([f"E{n:02d}" for n in range(1, N_CHANNELS + 1)], RATE, "eeg")
    info["description"] = SAID
    raw = mne.io.RawArray(values, info, verbose="ERROR")
    raw.save(f"{stem}_eeg.fif", overwrite=True, verbose="ERROR")
    _table(Path(f"{stem}_events.tsv"), _events(shown, stimuli, SHOWN))


def _write_nwb(
    stem: str, stimuli: StimulusSet, truth: Truth, seed: list[int], subject: str
) -> None:
    from pynwb import NWBHDF5IO

    rng = np.random.default_rng(seed)
    patterns = mixed(truth.layers[NEURONS], N_NEURONS, rng)
    patterns[:, :N_SILENCED] += _preference(truth)
    shown, lit = laser_trials(len(stimuli.ids), rng)
    module = np.arange(N_NEURONS) < N_SILENCED
    times = spikes(shown, firing(patterns, lit, module, shown.order), rng)
    nwb = _session(subject)
    nwb.add_trial_column("stimulus_id", "what was shown")
    nwb.add_trial_column("laser", "laser, or none")
    for row, onset, on in zip(shown.order, shown.onsets, lit, strict=True):
        nwb.add_trial(
            start_time=onset, stop_time=onset + SHOWN, stimulus_id=stimuli.ids[row],
            laser=SILENCING if on else "none",
        )  # fmt: skip
    nwb.units = _units(times)
    with NWBHDF5IO(f"{stem}_ecephys.nwb", "w") as target:
        target.write(nwb)


def _units(times: Sequence[np.ndarray]):
    """Put spike times into one array: added unit by unit they are written one by one."""
    from hdmf.common import VectorData, VectorIndex
    from pynwb.misc import Units

    spikes_of_all = VectorData(
        name="spike_times", description="seconds", data=np.concatenate(times).astype(float)
    )
    ends = np.cumsum([len(unit) for unit in times])
    index = VectorIndex(name="spike_times_index", data=ends, target=spikes_of_all)
    region = VectorData(name="region", description="where", data=[NEURONS] * len(times))
    return Units(name="units", description=SAID, columns=[spikes_of_all, index, region])


def _session(subject: str):
    from pynwb import NWBFile
    from pynwb.file import Subject

    return NWBFile(
        session_description=SAID,
        identifier=f"neuroai-demo-{subject}",
        session_start_time=datetime(2000, 1, 1, tzinfo=UTC),
        subject=Subject(subject_id=subject, description=SAID),
    )


def _write_choices(path: Path, choices: Mapping[str, Sequence[object]], subject: str) -> None:
    mine = [row for row, name in enumerate(choices["subject"]) if name == subject]
    names = [name for name in choices if name not in ("subject", "correct")]
    _table(path, {name: [choices[name][row] for row in mine] for name in names})


def _listed(values: Sequence[str]) -> str:
    return json.dumps(list(values))


def _description() -> str:
    """Describe the files as a laboratory would describe its own."""
    lines = [
        f"# {SAID}",
        "#   neuroai compare THIS_FILE --model builtin:small_convnet",
        "",
        'name = "demo"',
        'title = "Digits shown to a simulated brain"',
        'system = "simulated brain"',
        'species = "simulation"',
        "simulated = true",
        "",
        "[stimuli]",
        'folder = "stimuli"',
        'table = "stimuli.tsv"',
        "",
    ]
    for subject in SUBJECTS:
        lines += [*_eeg_part(subject), *_nwb_part(subject), *_fmri_part(subject)]
    beh = [f"sub-{s}/beh/sub-{s}_task-digits_beh.tsv" for s in SUBJECTS]
    names = ("stimulus_id", "choice", "truth", "intervention", "dose")
    mapping = ", ".join(f'{name} = "{name}"' for name in names)
    lines += [
        "[[behaviour]]",
        f"files = {_listed(beh)}",
        f'task = "{TASK.name}"',
        f"options = {_listed(DIGITS)}",
        f"columns = {{ {mapping} }}",
        'numbers = ["dose"]',
        "",
        "[contrasts.loops]",
        f'column = "{CONTRAST.column}"',
        f"positive = {_listed(CONTRAST.positive)}",
        f"negative = {_listed(CONTRAST.negative)}",
        "",
        "[[tasks]]",
        f'name = "{TASK.name}"',
        f"options = {_listed(TASK.options)}",
        f'truth = "{TASK.truth}"',
        "readout = true",
    ]
    return "\n".join(lines) + "\n"


def _part(reader: str, subject: str) -> list[str]:
    return ["[[recordings]]", f'reader = "{reader}"', f'subject = "{subject}"']


def _eeg_part(subject: str) -> list[str]:
    stem = f"sub-{subject}/eeg/sub-{subject}_task-digits"
    return [
        *_part("eeg", subject),
        f'files = ["{stem}_eeg.fif"]',
        f'events = ["{stem}_events.tsv"]',
        'stimulus_id = "stimulus_id"',
        "tmin = -0.05",
        "tmax = 0.35",
        "baseline = [-0.05, 0.0]",
        f'region = "{SCALP}"',
        "",
    ]


def _nwb_part(subject: str) -> list[str]:
    return [
        *_part("nwb-units", subject),
        f'files = ["sub-{subject}/ecephys/sub-{subject}_task-digits_ecephys.nwb"]',
        f"window = [0.0, {SHOWN}]",
        'intervention = "laser"',
        "",
    ]


def _fmri_part(subject: str) -> list[str]:
    stems = [f"sub-{subject}/func/sub-{subject}_task-digits_run-{n + 1}" for n in range(N_RUNS)]
    names = ", ".join(f'{n} = "{region}"' for n, region in enumerate(REGIONS, start=1))
    return [
        *_part("fmri", subject),
        f"files = {_listed([f'{stem}_bold.nii.gz' for stem in stems])}",
        f"events = {_listed([f'{stem}_events.tsv' for stem in stems])}",
        'labels = "atlas_dseg.nii.gz"',
        f"label_names = {{ {names} }}",
        'model = "lsa"',
        "",
    ]
