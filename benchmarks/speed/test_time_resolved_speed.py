"""RSA at every time of 20 subjects, beside the faster of rsatoolbox and mne-rsa.

Run: pytest benchmarks/speed -s. mne-rsa, which draws in a graphical toolkit, is run where it is
installed.
"""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from rsatoolbox.data import TemporalDataset
from rsatoolbox.rdm import RDMs, calc_rdm_movie, compare

from neuroai.numerics.rdm_movie import movie_rsa

N_SUBJECTS, N_STIMULI, N_CHANNELS, N_TIMES, N_MODELS = 20, 100, 64, 300, 20
SIZE = f"{N_SUBJECTS} x {N_STIMULI} x {N_CHANNELS} x {N_TIMES} x {N_MODELS} models"
THEIRS = {"pearson": "corr", "spearman": "spearman"}
# What single precision leaves of a correlation over 4,950 pairs.
SAME = 2e-5


def _problem(n_subjects, n_times):
    rng = np.random.default_rng(0)
    shape = (n_subjects, N_STIMULI, N_CHANNELS, n_times)
    patterns = rng.standard_normal(shape, dtype=np.float32)
    models = rng.random((N_MODELS, N_STIMULI * (N_STIMULI - 1) // 2))
    return patterns, models


def _rsatoolbox(patterns, models, method):
    times = {"time": np.arange(patterns.shape[-1], dtype=float)}
    movies = [
        calc_rdm_movie(TemporalDataset(one, time_descriptors=times), method="correlation")
        for one in patterns
    ]
    return np.array([compare(movie, RDMs(models), method=THEIRS[method]) for movie in movies])


def _mne_rsa(patterns, models, method):
    from mne_rsa import rsa_array, searchlight

    found = [
        rsa_array(
            one,
            list(models),
            searchlight(one.shape, temporal_radius=0),
            data_rdm_metric="correlation",
            rsa_metric=method,
        )
        for one in patterns
    ]
    return np.array(found)


PEERS = {"rsatoolbox": (_rsatoolbox, 1.0), "mne-rsa": (_mne_rsa, 1 / N_SUBJECTS)}


@pytest.mark.parametrize("peer", list(PEERS))
@pytest.mark.parametrize("method", list(THEIRS))
def test_time_resolved_speed(duel, method, peer):
    """Both give the same scores; the ratio is printed. mne-rsa does one subject, and is scaled."""
    if peer == "mne-rsa" and importlib.util.find_spec("mne_rsa") is None:
        pytest.skip("mne-rsa is not installed")
    theirs, share = PEERS[peer]
    patterns, models = _problem(1, 30)
    mine = movie_rsa(patterns, models, method=method)
    assert np.abs(np.squeeze(mine) - _shaped(theirs(patterns, models, method))).max() < SAME
    patterns, models = _problem(N_SUBJECTS, N_TIMES)
    part = patterns[: max(1, round(share * N_SUBJECTS))]
    duel(
        f"RSA at every time, {method}, {SIZE}",
        lambda: movie_rsa(patterns, models, method=method),
        lambda: theirs(part, models, method),
        peer=peer,
        share=share,
    )


def _shaped(found):
    """Bring a peer's scores of one subject to times x models."""
    found = np.squeeze(found)
    return found if found.shape[1] == N_MODELS else found.T
