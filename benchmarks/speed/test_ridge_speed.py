"""Ridge regression of many targets beside himalaya and scikit-learn, float32.

Run: pytest benchmarks/speed/test_ridge_speed.py -s. A peer that would take over a minute runs on
fewer targets, which enter linearly; each job prints its size. Memory is the peak above the data,
each side in a process of its own.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from himalaya.kernel_ridge import KernelRidgeCV
from himalaya.ridge import RidgeCV as HimalayaRidgeCV
from himalaya.scoring import r2_score
from peak_memory import peak_above, peak_of_script
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import PredefinedSplit

from neuroai.numerics.encoding import encode
from neuroai.numerics.folds import Folds, group_folds
from neuroai.numerics.ridge_penalty import fit_ridge_cv

PENALTIES = np.logspace(-1, 5, 20)
SAME = 1e-6  # float64, relative to the largest value
# n rows, p features, targets; a row is a stimulus.
WIDE, LONG, ONE_OUT = (2000, 4096, 20_000), (10_000, 2048, 1250), (2000, 4096, 4000)
FEW = (300, 500, 40)


def problem(n: int, p: int, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and targets with some signal."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, p), dtype=np.float32)
    weights = rng.standard_normal((p, t), dtype=np.float32) / np.float32(np.sqrt(p))
    return x, x @ weights + 2 * rng.standard_normal((n, t), dtype=np.float32)


def dealt(n: int) -> Folds:
    """Five folds of single rows."""
    return group_folds([str(i) for i in range(n)], n_folds=5)


def kernel_peer(x: np.ndarray, y: np.ndarray, folds: Folds) -> KernelRidgeCV:
    """himalaya in kernel form, a penalty for every target."""
    options = {"local_alpha": True, "score_func": r2_score}
    return KernelRidgeCV(
        alphas=PENALTIES, cv=list(folds), solver_params=options, warn=False, fit_intercept=True
    ).fit(x, y)  # fmt: skip


def feature_peer(x: np.ndarray, y: np.ndarray, folds: Folds) -> HimalayaRidgeCV:
    """himalaya in feature form, a penalty for every target."""
    options = {"local_alpha": True, "score_func": r2_score, "warn": False}
    split = PredefinedSplit(folds.test.argmax(axis=0))
    return HimalayaRidgeCV(
        alphas=PENALTIES, cv=split, solver_params=options, fit_intercept=True
    ).fit(x, y)  # fmt: skip


def one_outer_fold(n: int) -> Folds:
    """Keep the first of five outer folds; its inner folds are the other four dealt anew."""
    folds = dealt(n)
    return Folds(folds.train[:1], folds.test[:1], folds.how)


def nested(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Choose by five inner folds, fit, predict and score one outer fold."""
    return encode(x, y, folds=one_outer_fold(len(x)), inner=lambda rows: dealt(len(rows)),
                  penalties=PENALTIES).r2[0]  # fmt: skip


def nested_peer(x: np.ndarray, y: np.ndarray, peer: Callable = kernel_peer) -> np.ndarray:
    """The same with himalaya."""
    ((train, test),) = one_outer_fold(len(x))
    fitted = peer(x[train], y[train], dealt(len(train)))
    return r2_score(y[test], fitted.predict(x[test]))


def long(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Choose by five folds, and fit all rows."""
    return fit_ridge_cv(x, y, folds=dealt(len(x)), penalties=PENALTIES)[0].weights


def long_peer(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The same with himalaya."""
    return feature_peer(x, y, dealt(len(x))).coef_


def one_out(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Choose by leaving one out, and fit all rows."""
    return fit_ridge_cv(x, y, penalties=PENALTIES, rule="leave-one-out")[0].weights


def one_out_peer(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The same with scikit-learn."""
    return RidgeCV(alphas=PENALTIES, alpha_per_target=True).fit(x, y).coef_.T


def generalised(x: np.ndarray, y: np.ndarray) -> None:
    """The fast choice: generalised cross-validation within one outer fold."""
    encode(x, y, folds=one_outer_fold(len(x)), penalties=PENALTIES, rule="generalised")


JOBS = {
    "nested": (nested, nested_peer, WIDE),
    "long": (long, long_peer, LONG),
    "leave-one-out": (one_out, one_out_peer, ONE_OUT),
}


@pytest.mark.parametrize("job", JOBS)
def test_both_give_the_same(job):
    """Scores of the outer fold, or coefficients, in float64 on fewer rows, features and targets."""
    ours, theirs, _ = JOBS[job]
    x, y = (some.astype(np.float64) for some in problem(*FEW))
    found, wanted = ours(x, y), theirs(x, y)
    assert np.abs(found - wanted).max() < SAME * np.abs(wanted).max()


def test_nested_folds(duel):
    """(a) One of five outer folds; himalaya's kernel form is the faster of its two."""
    x, y = problem(*WIDE)
    duel(
        f"ridge (a) one outer fold of 5, inner 5, {WIDE}", partial(nested, x, y),
        partial(nested_peer, x, y), peer="himalaya KernelRidgeCV",
    )  # fmt: skip


def test_kernel_form_is_the_faster_peer(duel):
    """(a) himalaya's two forms beside each other, once, on fewer targets."""
    x, y = problem(2000, 4096, 500)
    duel(
        "ridge (a) peers: KernelRidgeCV", partial(nested_peer, x, y),
        partial(nested_peer, x, y, feature_peer), peer="RidgeCV", rounds=1,
    )  # fmt: skip


def test_long_features(duel):
    """(b) Five folds of many rows, and the fit."""
    x, y = problem(*LONG)
    duel(f"ridge (b) 5 folds, {LONG}", partial(long, x, y), partial(long_peer, x, y),
         peer="himalaya RidgeCV", rounds=3)  # fmt: skip


def test_leave_one_out(duel):
    """(c) Leaving each row out, and the fit."""
    x, y = problem(*ONE_OUT)
    duel(f"ridge (c) leave-one-out, {ONE_OUT}", partial(one_out, x, y), partial(one_out_peer, x, y),
         peer="scikit-learn RidgeCV(alpha_per_target=True)")  # fmt: skip


def test_generalised(duel):
    """(d) Generalised cross-validation beside (a), ours and the peer's."""
    x, y = problem(*WIDE)
    mine = partial(generalised, x, y)
    duel(f"ridge (d) generalised, {WIDE}", mine, partial(nested_peer, x, y), peer="(a) by himalaya")
    duel(f"ridge (d) generalised, {WIDE}", mine, partial(nested, x, y), peer="our own (a)")


@pytest.mark.parametrize("job", JOBS)
def test_memory(job):
    """Peak memory above the data, MiB, never more than the peer's."""
    ours, theirs = (peak_of_script(__file__, job, who) for who in ("ours", "theirs"))
    print(f"\n{job} {JOBS[job][2]}: ours {ours:.0f} MiB, peer {theirs:.0f} MiB")
    assert ours <= theirs


def test_time_grows_with_targets():
    """Slope of log time over log targets at 1,600 x 2,048; of the bound it is 1 or less."""
    times, sizes = [], (500, 1000, 2000, 4000)
    for t in sizes:
        x, y = problem(2000, 2048, t)
        rounds = []
        for _ in range(3):
            start = time.perf_counter()
            nested(x, y)
            rounds.append(time.perf_counter() - start)
        times.append(statistics.median(rounds))
    slope = np.polyfit(np.log(sizes), np.log(times), 1)[0]
    print(f"\ntargets {sizes}: {np.round(times, 2)} s, slope {slope:.2f}")


def _peak_here(job: str, who: str) -> float:
    ours, theirs, size = JOBS[job]
    x, y = problem(*size)
    return peak_above(lambda: (ours if who == "ours" else theirs)(x, y))


if __name__ == "__main__":
    print(_peak_here(sys.argv[1], sys.argv[2]))
