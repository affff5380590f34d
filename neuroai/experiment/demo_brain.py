"""What the simulated brain is shown and asked, and how it chooses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from neuroai.cards import ChoiceTask, Contrast, DatasetCard
from neuroai.errors import DataError
from neuroai.format.align import stimulus_means
from neuroai.format.answers import NotMeasurable
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.systems.base import System

DIGITS = tuple(str(digit) for digit in range(10))
LOOPED = ("0", "6", "8", "9")
SUBJECTS = ("sim1", "sim2", "sim3", "sim4")
N_REPEATS = 4
N_PLANTED = 12
PLANTED_EFFECT = 2.0
DECISION_NOISE = 0.35
SILENCED_SHARE = 2.0
DOSES = (0.1, 0.3, 1.0)
SILENCING = "laser"
SHAM = "sham"

TASK = ChoiceTask(name="digit", options=DIGITS, truth="digit", readout=True)
CONTRAST = Contrast(column="loop", positive=("1",), negative=("0",))

CARD = DatasetCard(
    name="demo",
    title="Digits shown to a simulated brain",
    folder="none",
    url="https://scikit-learn.org/stable/modules/generated/sklearn.datasets.load_digits.html",
    licence="images: CC BY 4.0 (UCI); simulation: BSD-3",
    citation="Alpaydin & Kaynak 1998, Optical recognition of handwritten digits, UCI repository",
    doi="10.24432/C50P49",
    modality=("simulated fMRI", "simulated EEG", "simulated spikes", "simulated choices"),
    systems=("simulated brain",),
    n_stimuli=60,
    size_mib=5.0,
    answers={
        "computation": "ten-way choices",
        "algorithm": "fMRI of two regions, EEG and units of four subjects",
        "implementation": "silencing of a planted module by laser, with sham trials",
    },
    contrasts={"loops": CONTRAST},
    tasks=(TASK,),
    simulated=True,
)


def digit_images() -> tuple[np.ndarray, np.ndarray]:
    """Give scikit-learn's 1,797 digit images (n, 8, 8) in 0 to 255, and their labels."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return (digits.images * (255 / 16)).astype(np.uint8), digits.target.astype(int)


def demo_stimuli(images: np.ndarray, labels: np.ndarray, *, n_each: int = 8) -> StimulusSet:
    """Take the last `n_each` images of every digit as stimuli; networks train on the rest."""
    positions = held_out(labels, n_each=n_each)
    names = [f"digit{labels[i]}-{i:04d}" for i in positions]
    pixels = {name: images[i] for name, i in zip(names, positions, strict=True)}
    digit = [str(labels[i]) for i in positions]
    table = pd.DataFrame(
        {
            "stimulus_id": names,
            "digit": digit,
            "category": [f"digit {d}" for d in digit],
            "loop": ["1" if d in LOOPED else "0" for d in digit],
        }
    )
    return stimulus_set(table, name="digits", load=pixels.__getitem__)


def held_out(labels: np.ndarray, *, n_each: int = 8) -> np.ndarray:
    """Give the positions of the images that are kept as stimuli."""
    return np.concatenate([np.flatnonzero(labels == digit)[-n_each:] for digit in range(10)])


def layer_patterns(generator: System, layer: str, stimuli: StimulusSet) -> np.ndarray:
    """Give the activity of one layer, shape (n_stimuli, n_features), stimuli in their order."""
    found = generator.recordings(stimuli, regions=[layer])
    if isinstance(found, NotMeasurable):
        raise DataError(f"The generating network cannot answer: {found.reason}")
    means = stimulus_means(next(iter(found)))
    return means.values.reshape(means.sizes["stimulus"], -1).astype(float)


def choice_columns(
    evidence: np.ndarray,
    looped: np.ndarray,
    truth: np.ndarray,
    ids: Sequence[str],
    *,
    seed: int,
) -> tuple[dict[str, list[object]], dict[str, float]]:
    """Choose by noisy evidence, intact, under sham and under growing silencing.

    Returns
    -------
    dict
        Columns of a behaviour table, one entry a trial.
    dict
        The accuracy in the limit of many trials, by intervention and dose.
    """
    rng = np.random.default_rng([seed, 99])
    evidence = evidence / evidence.std()
    direction = evidence[looped].mean(axis=0) - evidence[~looped].mean(axis=0)
    direction /= np.linalg.norm(direction)
    centred = evidence - evidence.mean(axis=0)
    along = np.outer(centred @ direction, direction)
    runs = [("none", 0.0, 0.0)]
    runs += [(SILENCING, dose, dose) for dose in DOSES] + [(SHAM, dose, 0.0) for dose in DOSES]
    columns: dict[str, list[object]] = {
        key: []
        for key in ("subject", "stimulus_id", "choice", "truth", "correct", "intervention", "dose")
    }
    planted = {}
    for name, dose, removed in runs:
        weakened = evidence - SILENCED_SHARE * removed * along
        planted[f"{name} {dose:g}"] = _expected_accuracy(weakened, truth)
        for subject in SUBJECTS:
            for _ in range(N_REPEATS):
                noisy = weakened + DECISION_NOISE * rng.standard_normal(evidence.shape)
                chosen = np.array(DIGITS, dtype=object)[noisy.argmax(axis=1)]
                columns["subject"] += [subject] * len(truth)
                columns["stimulus_id"] += list(ids)
                columns["choice"] += list(chosen)
                columns["truth"] += list(truth)
                columns["correct"] += [float(c) for c in chosen == truth]
                columns["intervention"] += [name] * len(truth)
                columns["dose"] += [dose] * len(truth)
    return columns, planted


def _expected_accuracy(evidence: np.ndarray, truth: np.ndarray, *, n_draws: int = 2000) -> float:
    """Give the accuracy in the limit of many trials, from draws of its own."""
    rng = np.random.default_rng(12345)
    names = np.array(DIGITS, dtype=object)
    hits = [
        (
            names[(evidence + DECISION_NOISE * rng.standard_normal(evidence.shape)).argmax(axis=1)]
            == truth
        ).mean()
        for _ in range(n_draws)
    ]
    return float(np.mean(hits))
