"""T7: the network that a brain was made from is told from its rivals, and where it cannot be."""

from __future__ import annotations

import functools
from functools import partial

import numpy as np
import pytest
import torch
from calibration_cases import STANDARD_ERRORS, Calibration, Size, assert_calibrated

from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.distances import correlation_distance
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.systems.catalogue import MODELS
from neuroai.systems.training import train_classifier

N_CANDIDATES = 6
N_INPUTS, N_FEATURES = 30, 200
EASY = 0.95


def random_features(rng: np.random.Generator, n_stimuli: int) -> np.ndarray:
    """Give each candidate's responses to the same stimuli: rectified random projections."""
    stimuli = rng.standard_normal((n_stimuli, N_INPUTS))
    weights = rng.standard_normal((N_CANDIDATES, N_INPUTS, N_FEATURES))
    return np.maximum(stimuli @ weights, 0)


@functools.cache
def seeds_of_one_architecture(*, trained: bool) -> np.ndarray:
    """Give a layer of six seeds of the small convolutional network on 100 digits."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = (images.reshape(-1, 8, 8) * 15).astype(np.uint8)
    build = MODELS.get("small_convnet").function
    found = []
    for seed in range(N_CANDIDATES):
        module = build(seed=seed)
        inputs = torch.stack([module.preprocess(image) for image in images[:1000]])
        if trained:
            module = train_classifier(module, inputs, torch.from_numpy(labels[:1000]), seed=seed)
        shown = torch.stack([module.preprocess(image) for image in images[1000:1100]])
        kept: list[torch.Tensor] = []
        handle = module.relu2.register_forward_hook(lambda _, __, out, to=kept: to.append(out))
        with torch.no_grad():
            module.eval()(shown)
        handle.remove()
        found.append(kept[0].flatten(1).numpy().astype(float))
    return np.stack(found)


def chosen(
    rng: np.random.Generator, candidates: np.ndarray, *, n_units: int, snr: float
) -> tuple[int, int]:
    """Record some units of one candidate with noise, and choose the candidate that fits best."""
    truth = int(rng.integers(len(candidates)))
    units = candidates[truth][:, rng.permutation(candidates.shape[2])[:n_units]]
    recorded = units + rng.standard_normal(units.shape) * units.std() / np.sqrt(snr)
    models = np.stack([to_vector(correlation_distance(c)) for c in candidates])
    data = to_vector(correlation_distance(recorded))[None]
    return truth, int(compare_rdms(data, models, method="pearson")[0].argmax())


def recovered(
    n: int, rng: np.random.Generator, *, kind: str, n_stimuli: int, n_units: int, snr: float
) -> np.ndarray:
    """Say of each simulation whether the candidate behind the brain is chosen."""
    found = np.empty(n)
    for i in range(n):
        if kind == "random features":
            candidates = random_features(rng, n_stimuli)
        else:
            layers = seeds_of_one_architecture(trained=kind == "trained seeds")
            candidates = layers[:, rng.permutation(layers.shape[1])[:n_stimuli]]
        truth, choice = chosen(rng, candidates, n_units=n_units, snr=snr)
        found[i] = truth == choice
    return found


def _case(kind: str, n_stimuli: int, n_units: int, snr: float, low: float) -> Calibration:
    slack = STANDARD_ERRORS * np.sqrt(0.25 / 100)
    return Calibration(
        "T7",
        "right choice among 6 candidates",
        f"{kind}, {n_stimuli} stimuli, {n_units} units, signal to noise {snr:g}",
        partial(recovered, kind=kind, n_stimuli=n_stimuli, n_units=n_units, snr=snr),
        Size(100, low - slack if low else -np.inf, 1.0),
        Size(400, low or -np.inf, 1.0),
    )


CASES = [
    # The easy cell is bound; the others are measured, so that users can see what cannot be told.
    _case("random features", 100, 40, 1.0, EASY),
    *(
        _case("random features", n_stimuli, n_units, snr, 0.0)
        for n_stimuli, n_units, snr in (
            (100, 40, 0.25),
            (100, 40, 0.05),
            (50, 40, 0.25),
            (20, 40, 0.25),
            (100, 10, 0.25),
        )
    ),
    *(
        _case(kind, n_stimuli, 40, snr, 0.0)
        for kind in ("untrained seeds", "trained seeds")
        for n_stimuli, snr in ((100, 1.0), (100, 0.25), (20, 0.25))
    ),
]


def confusion(n: int, rng: np.random.Generator, *, kind: str, snr: float) -> np.ndarray:
    """Count how often each candidate (row) is taken for each (column), as shares of the row."""
    table = np.zeros((N_CANDIDATES, N_CANDIDATES))
    seeds = None if kind == "random features" else seeds_of_one_architecture(trained=True)
    for _ in range(n):
        candidates = random_features(rng, 100) if seeds is None else seeds
        table[chosen(rng, candidates, n_units=40, snr=snr)] += 1
    return table / np.maximum(table.sum(axis=1, keepdims=True), 1)


HEAD = """Which network is taken for which
================================

Simulated brains are 40 noisy units of one of six networks, met with 100 stimuli; the candidate
whose RDM correlates most with theirs is chosen. Rows are the network behind the brain, columns the
choice; shares of {n} simulations each. Written by
``python -m tests.calibration --recovery docs/background/model_recovery.rst``. Where the right
choice is made less often than .8, such a comparison cannot tell these networks apart.
"""


def recovery_page(n: int = 600) -> str:
    """Give the page with both confusion matrices."""
    parts = [HEAD.format(n=n)]
    for kind in ("random features", "trained seeds"):
        table = confusion(n, np.random.default_rng(7), kind=kind, snr=0.25)
        title = f"{kind.capitalize()}, signal to noise 0.25: right {np.diag(table).mean():.2f}"
        parts += ["", title, "-" * len(title), "", ".. list-table::", "   :header-rows: 1", ""]
        for name, row in [("", range(1, N_CANDIDATES + 1)), *enumerate(table, 1)]:
            cells = [f"{v:.2f}" if isinstance(v, float) else str(v) for v in row]
            parts.append("   * - " + "\n     - ".join([f"{name}" or "–", *cells]))
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize("case", CASES[:1], ids=str)
def test_the_network_behind_a_brain_is_found(case):
    """Random networks are told apart from 40 noisy units on 100 stimuli."""
    assert_calibrated(case)


def test_seeds_are_harder_to_tell_apart_than_random_features():
    """Six seeds of one architecture share much of their geometry; the table says how much."""
    hard = recovered(
        100, np.random.default_rng(1), kind="untrained seeds", n_stimuli=20, n_units=40, snr=0.05
    )
    easy = recovered(
        100, np.random.default_rng(1), kind="random features", n_stimuli=100, n_units=40, snr=1.0
    )
    assert hard.mean() < easy.mean()


def test_the_confusion_matrix_is_near_diagonal_where_it_is_easy():
    """Shares of a row sum to 1, and random networks are taken for themselves."""
    table = confusion(60, np.random.default_rng(3), kind="random features", snr=1.0)
    np.testing.assert_allclose(table.sum(axis=1), 1)
    assert np.diag(table).mean() > 0.8
