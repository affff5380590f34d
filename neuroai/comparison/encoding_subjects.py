"""How well one subject is predicted from the others: a ceiling that a model shares with brains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from neuroai.comparison.encoding import target_of, unit_table
from neuroai.errors import DataError, UsageError
from neuroai.format.align import stimulus_patterns
from neuroai.format.answers import Answer, part_of
from neuroai.numerics.encoding import encode
from neuroai.numerics.folds import group_folds
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.ridge import as_kernel
from neuroai.numerics.ridge_penalty import PENALTIES


def subject_encodings(
    answer: Answer,
    *,
    groups: Sequence[str] | None = None,
    n_folds: int = 5,
    penalties: Sequence[float] = PENALTIES,
) -> tuple[xr.Dataset, ...]:
    r"""Predict every unit of each subject from all units of the same region in the others.

    .. math:: \hat y_{s} = f\left(\{x_{s'} : s' \ne s\}\right)

    A model that predicts a subject as well as the other subjects do explains what they have in
    common; what repeats alone tell (the split-half ceiling) also holds what is this subject's own.
    Networks of several training seeds are asked in the same way.

    Parameters
    ----------
    answer : Answer
        Form ``responses``, of two subjects or more; all met the same stimuli.
    groups : sequence of str, optional
        Group of each stimulus, sorted by id; each stimulus is its own by default.
    n_folds : int
        Folds of stimuli.
    penalties : sequence of float
        What is tried; chosen, for every unit, by the other folds.

    Returns
    -------
    tuple of xarray.Dataset
        One a subject and region: ``r``, ``r2``, ``ceiling_r`` (of repeats), ``normalised_r`` and
        ``penalty`` of every unit, with attrs ``subject``, ``region`` and ``from_subjects``.

    Raises
    ------
    UsageError
        The answer is of another form.
    DataError
        A region was recorded in one subject only, or fewer stimuli than twice the folds.

    References
    ----------
    Feather et al., 2025, arXiv:2502.16238

    Examples
    --------
    >>> from neuroai.analyses.algorithm.responses import responses
    >>> from neuroai.format.holdings import SystemData
    >>> from neuroai.systems.brain import Recorded
    >>> from neuroai.testing import random_recording
    >>> twins = tuple(random_recording(n_stimuli=40, n_units=3, subject=name) for name in "ab")
    >>> data = SystemData("twins", "brain", "none", recordings=twins)
    >>> first, second = subject_encodings(responses(Recorded(data, stimuli=None)))
    >>> bool((first["r"] > 0.99).all()), first.attrs["from_subjects"]
    (True, 'b')
    """
    if answer.form != "responses":
        raise UsageError(
            f"Subjects are predicted from answers of form 'responses'; got '{answer.form}'."
        )
    whole = answer.restrict(stimuli=answer.stimuli)
    ids = whole.stimuli
    if len(ids) < 2 * n_folds:
        raise DataError(
            f"{len(ids)} stimuli in {n_folds} folds leave fewer than two to test in a fold. Take "
            "fewer folds or more stimuli."
        )
    folds = group_folds(ids if groups is None else groups, n_folds=n_folds)
    found = []
    for region in whole.regions:
        parts = [r for r in whole.responses if part_of(r)[1] == region]
        if len(parts) < 2:
            raise DataError(
                f"Region '{region}' was recorded in {len(parts)} subject: predicting one subject "
                "from others needs two or more. Leave the region out."
            )
        grams = [_gram(part) for part in parts]
        for place, part in enumerate(parts):
            # Units side by side have the sum of the inner products of their subjects.
            others = sum(gram for at, gram in enumerate(grams) if at != place)
            target = target_of(part)
            fitted = encode(as_kernel(others), target.values, folds=folds, penalties=penalties)
            names = [part_of(other)[0] for at, other in enumerate(parts) if at != place]
            found.append(
                unit_table(fitted, target).assign_attrs(
                    subject=part_of(part)[0],
                    region=region,
                    from_subjects=", ".join(names),
                    folds=folds.how,
                )
            )
    return tuple(found)


def _gram(recording: xr.DataArray) -> np.ndarray:
    """Give inner products in units of their mean square, so that each subject weighs alike."""
    _, means, _ = stimulus_patterns(recording)
    gram = np.asarray(centred_gram(means.reshape(len(means), -1)), dtype=float)
    size = np.trace(gram)
    return gram / size * len(gram) if size > 0 else gram
