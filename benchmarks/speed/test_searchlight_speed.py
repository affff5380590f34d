"""Searchlight RSA beside rsatoolbox, and searchlight LDA beside scikit-learn.

Run: pytest benchmarks/speed -s. The mask is 40 x 48 x 40 voxels with a radius of three voxels.
Ours visits all centres; the peers, whose time a centre is the same everywhere, visit some.
"""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.rdm import RDMs, compare
from rsatoolbox.util.searchlight import get_searchlight_RDMs
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import PredefinedSplit, cross_val_score

from neuroai.numerics.neighbourhoods import within_radius
from neuroai.numerics.searchlight_lda import searchlight_lda
from neuroai.numerics.searchlight_rsa import searchlight_rsa

MASK, RADIUS, N_CONDITIONS, N_MODELS = (40, 48, 40), 3.0, 60, 5
THEIRS = {"pearson": "corr", "spearman": "spearman"}
PEER_CENTRES = {"rsa": 500, "lda": 10}
# Ours takes a share of the volume for the classifier, whose time a centre is the same too.
LDA_CENTRES, N_TRIALS, N_FOLDS = 1_000, 100, 5
# What single precision leaves of a correlation over 1,770 pairs.
SAME = 2e-5


def _volume(n_rows):
    rng = np.random.default_rng(0)
    position = np.argwhere(np.ones(MASK))
    return rng.standard_normal((n_rows, len(position)), dtype=np.float32), position


@pytest.mark.parametrize("method", list(THEIRS))
def test_searchlight_rsa_speed(duel, method):
    """Both give the same scores; the ratio of the time a centre is printed."""
    x, position = _volume(N_CONDITIONS)
    n_pairs = N_CONDITIONS * (N_CONDITIONS - 1) // 2
    models = np.random.default_rng(1).random((N_MODELS, n_pairs))
    near = within_radius(position, radius=RADIUS)
    some = np.random.default_rng(2).choice(len(position), PEER_CENTRES["rsa"], replace=False)
    events, members = np.arange(N_CONDITIONS), [near.of(centre) for centre in some]

    def theirs():
        rdms = get_searchlight_RDMs(x, some, members, events, method="correlation", verbose=False)
        return compare(rdms, RDMs(models), method=THEIRS[method])

    def ours():
        return searchlight_rsa(x, models, neighbourhoods=near, method=method)

    assert np.abs(ours()[some] - theirs()).max() < SAME
    duel(
        f"searchlight RSA, {method}, {len(position)} centres, {N_CONDITIONS} conditions, "
        f"{N_MODELS} models",
        ours,
        theirs,
        peer="rsatoolbox",
        share=len(some) / len(position),
        note=f"(theirs from {len(some)} centres)",
    )


@pytest.mark.parametrize("shrinkage", ["auto", 0.1])
def test_searchlight_lda_speed(duel, shrinkage):
    """Both give the same accuracies; the ratio of the time a centre is printed."""
    x, position = _volume(N_TRIALS)
    labels, folds = np.arange(N_TRIALS) % 2, np.arange(N_TRIALS) // 2 % N_FOLDS
    some = np.random.default_rng(2).choice(len(position), LDA_CENTRES, replace=False)
    near = within_radius(position, radius=RADIUS, centres=position[some])
    rule = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
    split = PredefinedSplit(folds)

    def theirs():
        return [
            cross_val_score(rule, x[:, near.of(centre)], labels, cv=split).mean()
            for centre in range(PEER_CENTRES["lda"])
        ]

    def ours():
        return searchlight_lda(
            x, labels, folds, neighbourhoods=near, shrinkage=shrinkage, scoring="accuracy"
        )

    # A pattern on the border may fall to the other side in single precision.
    assert np.abs(ours()[: PEER_CENTRES["lda"]] - theirs()).max() <= 1 / N_TRIALS
    duel(
        f"searchlight LDA, shrinkage {shrinkage}, {LDA_CENTRES} centres, {N_TRIALS} trials, "
        f"{N_FOLDS} folds",
        ours,
        theirs,
        peer="scikit-learn",
        share=PEER_CENTRES["lda"] / LDA_CENTRES,
        note=f"(theirs from {PEER_CENTRES['lda']} centres)",
    )
