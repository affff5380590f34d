"""Deficit profiles of a brain whose trials were run with and without an intervention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray as xr

from neuroai.experiment.profiles import D_PRIME, Profile, share
from neuroai.format.answers import NotMeasurable
from neuroai.numerics.detection import d_prime


def measured_profile(
    tables: Mapping[str, tuple[xr.Dataset, xr.Dataset]],
    *,
    system: str,
    intervention: str,
    n_null: int = 1000,
    seed: int = 0,
) -> Profile | NotMeasurable:
    """Give what a measured intervention changed on each task, averaged over subjects.

    Trials of a task are counted by subject, with and without the intervention. In the place of
    random lesions stand shuffles of that label among the trials of each subject and option.

    Parameters
    ----------
    tables : mapping
        For every task the behaviour without and under the intervention, with ``choice`` and
        ``truth``.
    system, intervention : str
        Names.
    n_null : int
        Shuffles.
    seed : int
        Seed of the shuffles.

    Returns
    -------
    Profile, or NotMeasurable
        Where no subject has trials of both kinds on a task.
    """
    rng = np.random.default_rng(seed)
    found, counted = [], []
    for task, (without, under) in tables.items():
        pairs = dict(_paired_counts(without, under))
        if not pairs:
            return NotMeasurable(f"no subject ran '{task}' with and without {intervention}")
        counted.append(pairs)
        found.append(_measured_task(list(pairs.values()), n_null, rng))
    intact, lesioned, controls, accuracy, shares, n = zip(*found, strict=True)
    return Profile(
        system=system, region=intervention, target=intervention, origin="measured",
        dose=float("nan"), tasks=tuple(tables), measures=(D_PRIME,) * len(tables),
        intact=np.array(intact), lesioned=np.array(lesioned), controls=np.stack(controls, axis=1),
        accuracy=np.array(accuracy).T, control_accuracy=np.stack(shares, axis=1), n_lesioned=0,
        n_trials=n, note="mean over subjects; controls shuffle the label of the intervention",
        repeats=_by_subject(counted),
    )  # fmt: skip


def _by_subject(counted: Sequence[Mapping[str, np.ndarray]]) -> np.ndarray:
    """Give the change of d' of every subject that ran all tasks, shape (n_subjects, n_tasks)."""
    shared = sorted(set.intersection(*(set(one) for one in counted)))
    rows = [
        [
            float(_mean_measures(one[s][None, 1])[0] - _mean_measures(one[s][None, 0])[0])
            for one in counted
        ]
        for s in shared
    ]
    return np.array(rows).reshape(len(shared), len(counted))


def _paired_counts(without: xr.Dataset, under: xr.Dataset) -> Iterator[tuple[str, np.ndarray]]:
    """Give for every subject right and wrong choices (2 conditions, 2 options, 2 outcomes)."""
    tables = [table[["subject", "choice", "truth"]].to_dataframe() for table in (without, under)]
    tables = [table[table["choice"] != ""] for table in tables]
    options = sorted(set(tables[0]["truth"]))
    if len(options) != 2:
        return
    for subject in sorted(set(tables[0]["subject"]) & set(tables[1]["subject"])):
        counts = np.zeros((2, 2, 2))
        for i, table in enumerate(tables):
            mine = table[table["subject"] == subject]
            for j, option in enumerate(options):
                chosen = mine[mine["truth"] == option]["choice"]
                counts[i, j] = (chosen == option).sum(), (chosen != option).sum()
        if (counts.sum(axis=2) > 0).all():
            yield str(subject), counts


def _measured_task(pairs: Sequence[np.ndarray], n_null: int, rng: np.random.Generator):
    counts = np.array(pairs)
    before, after = _mean_measures(counts[:, 0]), _mean_measures(counts[:, 1])
    null = [_shuffled(one, n_null, rng) for one in counts]
    shuffled = np.stack(null, axis=1)  # (n_null, n_subjects, condition, option, outcome)
    low, high = _mean_measures(shuffled[:, :, 0]), _mean_measures(shuffled[:, :, 1])
    return (
        before[0], after[0], high[0] - low[0], (before[1], after[1]), high[1], int(counts.sum()),
    )  # fmt: skip


def _mean_measures(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average d' and accuracy over subjects; counts (..., subject, option, outcome)."""
    quadruple = (
        counts[..., 0, 0], counts[..., 0, 1], counts[..., 1, 1], counts[..., 1, 0],
    )  # fmt: skip
    return d_prime(*quadruple).mean(axis=-1), share(quadruple).mean(axis=-1)


def _shuffled(counts: np.ndarray, n_null: int, rng: np.random.Generator) -> np.ndarray:
    """Deal the outcomes of each option out anew among both conditions."""
    out = np.empty((n_null, *counts.shape))
    for option in range(2):
        right, total = counts[:, option, 0], counts[:, option].sum(axis=1)
        wrong = int((total - right).sum())
        drawn = rng.hypergeometric(int(right.sum()), wrong, int(total[1]), n_null)
        out[:, 1, option, 0], out[:, 1, option, 1] = drawn, total[1] - drawn
        out[:, 0, option, 0] = right.sum() - drawn
        out[:, 0, option, 1] = total[0] - (right.sum() - drawn)
    return out
