"""Bootstraps of RDM comparisons here and in rsatoolbox. Run: pytest benchmarks/speed -s."""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.inference import eval_bootstrap, eval_bootstrap_rdm
from rsatoolbox.model import ModelFixed
from rsatoolbox.rdm import RDMs, compare

from neuroai.numerics.comparators import METHODS
from neuroai.numerics.rdm_bootstrap import bootstrap_rdms
from neuroai.numerics.resample import bootstrap_counts

SAME = 1e-8  # float64, of scores of at most 1
N_SUBJECTS, N_STIMULI, N_MODELS, N_SAMPLES = 20, 92, 30, 1_000
THEIRS = {"pearson": "corr", "whitened-cosine": "cosine_cov", "whitened-pearson": "corr_cov"}
# rsatoolbox takes the same time for every sample: a few are run and scaled.
PEER_SAMPLES = {
    "cosine": 20, "pearson": 20, "spearman": 5, "rho-a": 5, "tau-a": 3,
    "whitened-cosine": 5, "whitened-pearson": 5,
}  # fmt: skip


def peer_scores(data, models, method, counts):
    """Score one sample with rsatoolbox, whose own bootstrap draws samples of its own."""
    sample, predicted = RDMs(data), RDMs(models)
    drawn = {factor: np.repeat(np.arange(row.size), row[0]) for factor, row in counts.items()}
    sample = sample.subsample("index", drawn["subject_counts"])
    if "stimulus_counts" in drawn:
        sample = sample.subsample_pattern("index", drawn["stimulus_counts"])
        predicted = predicted.subsample_pattern("index", drawn["stimulus_counts"])
    return compare(predicted, sample, THEIRS.get(method, method)).mean(axis=1)


@pytest.mark.parametrize("factors", ["subjects", "both"])
@pytest.mark.parametrize("method", METHODS)
def test_bootstrap_speed(duel, method, factors):
    """Ours for 1,000 samples, theirs for a few, scaled; one sample has the same scores in both."""
    rng = np.random.default_rng(0)
    n_pairs = N_STIMULI * (N_STIMULI - 1) // 2
    shared = rng.random(n_pairs)
    data = shared + rng.random((N_SUBJECTS, n_pairs))
    models = shared + 2 * rng.random((N_MODELS, n_pairs))
    # With stimuli, tau-a sorts every pair of RDMs in every sample.
    n_samples = 50 if (method, factors) == ("tau-a", "both") else N_SAMPLES
    counts = {"subject_counts": bootstrap_counts(n_samples, N_SUBJECTS, rng=rng)}
    if factors == "both":
        counts["stimulus_counts"] = bootstrap_counts(n_samples, N_STIMULI, rng=rng)
    first = {factor: of[:1] for factor, of in counts.items()}
    found = bootstrap_rdms(data, models, method=method, **first).scores[0]
    assert np.abs(found - peer_scores(data, models, method, first)).max() < SAME
    theirs = eval_bootstrap if factors == "both" else eval_bootstrap_rdm
    fixed = [ModelFixed(str(k), model) for k, model in enumerate(models)]
    n_theirs = PEER_SAMPLES[method]
    options = {"method": THEIRS.get(method, method), "N": n_theirs}
    duel(
        f"bootstrap of {factors}, {method}, per {N_SAMPLES} samples",
        lambda: bootstrap_rdms(data, models, method=method, **counts),
        lambda: theirs(fixed, RDMs(data), **options),
        peer="rsatoolbox",
        share=n_theirs / N_SAMPLES,
        own_share=n_samples / N_SAMPLES,
        note=f"(ours from {n_samples}, theirs from {n_theirs} samples)",
    )
