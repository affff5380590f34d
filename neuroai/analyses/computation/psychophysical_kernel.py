"""Psychophysical kernel: what in the stimulus makes the system choose one way?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroai.analyses.computation._columns import numbers_of, two_options
from neuroai.analyses.computation._gather import gather
from neuroai.analyses.computation._trials import Trials, answer_of
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.errors import DataError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.kernels import psychophysical_kernel as kernel_of
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="psychophysical_kernel",
    level="computation",
    question="What in the stimulus makes the system choose one way?",
    form="table",
    defined_on="choices between two options on stimuli with noise, shown or in named columns",
    citation="Murray 2011, doi:10.1167/11.5.2",
)


def psychophysical_kernel(
    system: System,
    *,
    task: ChoiceTask,
    columns: Sequence[str] = (),
    stimuli: StimulusSet | None = None,
    readout_region: str | None = None,
    undefined: str = "raise",
    n_permutations: int = 199,
    seed: int = 0,
) -> Answer | NotMeasurable:
    r"""Subtract the mean stimulus before one choice from that before the other, truth by truth.

    .. math:: K = \sum_s \frac{w_s}{\sum w} [\bar x_{s, second} - \bar x_{s, first}]

    Parameters
    ----------
    system, task, stimuli, readout_region, undefined
        As in :func:`neuroai.analyses.computation.choices.choices`; the task has two options.
    columns : sequence of str
        Columns of numbers, of the trials or the stimuli. Without any the stimuli themselves are
        taken, pixel by pixel; they must be at hand and of one shape.
    n_permutations : int
        Permutations of the choices within a truth.
    seed : int
        Seed of the permutations.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value(subject, region, feature)``, in the unit of the features; ``error``;
        ``p`` (two-sided, corrected over features); ``n`` trials; parameter ``shape`` of a stimulus.
        Subjects whose choice follows the truth without exception have none and are counted.

    Raises
    ------
    DataError
        The stimuli differ in shape.

    References
    ----------
    Murray 2011, doi:10.1167/11.5.2

    Examples
    --------
    >>> from neuroai.testing import chooser
    >>> noise = [0.2, -0.3, 0.8, -0.9, 0.5, -0.1, 0.7, -0.6]
    >>> person = chooser({"truth": ["a", "b"] * 4, "choice": ["b", "a", "b", "a"] * 2,
    ...                   "noise": noise})
    >>> task = ChoiceTask(name="task", options=("a", "b"), truth="truth")
    >>> psychophysical_kernel(person, task=task, columns=["noise"]).reason
    "the choices of 'toy' follow the truth without exception: noise has no part in them"
    """
    trials = gather(
        system, task=task, stimuli=stimuli, readout_region=readout_region, undefined=undefined
    )
    if isinstance(trials, NotMeasurable):
        return trials
    options = two_options(trials)
    if isinstance(options, NotMeasurable):
        return options
    found = _features(trials, columns)
    if isinstance(found, NotMeasurable):
        return found
    features, names, shape = found
    return _answer(trials, features, names, shape, str(options[1]), n_permutations, seed)


def _features(
    trials: Trials, columns: Sequence[str]
) -> tuple[np.ndarray, tuple[str, ...], tuple[int, ...]] | NotMeasurable:
    """Give the features (n_trials, n_features), their names, and the shape of a stimulus."""
    if columns:
        parts = [numbers_of(trials, name) for name in columns]
        missing = next((p for p in parts if isinstance(p, NotMeasurable)), None)
        if missing is not None:
            return missing
        return np.column_stack(parts), tuple(columns), (len(columns),)
    ids = trials.labels("stimulus")
    if trials.shown is None or not set(ids) <= set(trials.shown.available):
        return NotMeasurable("the stimuli are not at hand; name columns with their noise")
    content = [np.asarray(trials.shown.content(key), dtype=float) for key in ids]
    shapes = {values.shape for values in content}
    if len(shapes) > 1:
        raise DataError(f"A kernel needs stimuli of one shape; got {sorted(shapes)}.")
    flat = np.stack([values.ravel() for values in content])
    (shape,) = shapes
    names = tuple("/".join(map(str, place)) for place in np.ndindex(shape))
    return flat[np.searchsorted(ids, trials.table["stimulus"])], names, shape


def _answer(
    trials: Trials,
    features: np.ndarray,
    names: tuple[str, ...],
    shape: tuple[int, ...],
    second: str,
    n_permutations: int,
    seed: int,
) -> Answer | NotMeasurable:
    table = trials.table
    usable = (
        (table["choice"] != "").to_numpy()
        & (table["truth"] != "").to_numpy()
        & np.isfinite(features).all(axis=1)
    )
    size = (len(trials.subjects), len(trials.regions))
    found = {k: np.full((*size, len(names)), np.nan) for k in ("value", "error", "p")}
    n = np.zeros(size, dtype=np.int64)
    for row, column, part in trials.parts():
        rows = part.index.to_numpy()[usable[part.index]]
        mine = table.loc[rows]
        choice = (mine["choice"] == second).to_numpy(dtype=float)
        truth = mine["truth"].to_numpy(dtype=object).astype(str)
        if not any(len(np.unique(choice[truth == t])) == 2 for t in np.unique(truth)):
            continue
        kernel = kernel_of(features[rows], choice, truth, n_permutations=n_permutations, seed=seed)
        n[row, column] = kernel.n
        for name, values in found.items():
            values[row, column] = getattr(kernel, name)
    without = int(np.isnan(found["value"]).all(axis=2).sum())
    if without == n.size:
        return NotMeasurable(
            f"the choices of '{trials.system.name}' follow the truth without exception: noise has "
            "no part in them"
        )
    dims = ("subject", "region")
    return answer_of(
        trials,
        {**{k: ((*dims, "feature"), v) for k, v in found.items()}, "n": (dims, n)},
        form=CARD.form,
        question=CARD.name,
        coords={"feature": names},
        parameters={
            "shape": shape, "second": second, "n_permutations": n_permutations, "seed": seed,
        },
        undefined={
            "trials without a choice, a truth or a feature": int((~usable).sum()),
            "subjects without a kernel": without,
        },
    )  # fmt: skip
