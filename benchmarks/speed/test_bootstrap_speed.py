"""Bootstraps of RDM comparisons here and in rsatoolbox. Run: pytest benchmarks/speed -s."""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.inference import eval_bootstrap, eval_bootstrap_rdm
from rsatoolbox.model import ModelFixed
from rsatoolbox.rdm import RDMs

from neuroai.numerics.comparators import METHODS
from neuroai.numerics.rdm_bootstrap import bootstrap_rdms
from neuroai.numerics.resample import bootstrap_counts

N_SUBJECTS, N_STIMULI, N_MODELS, N_SAMPLES = 20, 92, 30, 1_000
THEIRS = {"pearson": "corr", "whitened-cosine": "cosine_cov", "whitened-pearson": "corr_cov"}
# rsatoolbox takes the same time for every sample: a few are run and scaled.
PEER_SAMPLES = {
    "cosine": 20, "pearson": 20, "spearman": 5, "rho-a": 5, "tau-a": 3,
    "whitened-cosine": 5, "whitened-pearson": 5,
}  # fmt: skip


@pytest.mark.parametrize("factors", ["subjects", "both"])
@pytest.mark.parametrize("method", METHODS)
def test_bootstrap_speed(duel, method, factors):
    """Ours for 1,000 samples, theirs for a few, scaled; the ratio is printed, never asserted."""
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
