"""Selectivity of a probe: does it read a class out, or could it learn any labels at all?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._parts import (
    NOTES,
    UNDEFINED,
    asked_of_parts,
    column_of,
    pseudo_note,
    rows_of,
    separate,
)
from neuroai.cards import AnalysisCard
from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.control_task import control_labels, spread_folds
from neuroai.numerics.decoding_flat import decode_flat
from neuroai.numerics.discriminant import CLASSIFIERS
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="selectivity",
    level="algorithm",
    question="By how much does a probe read a class better than labels given at random?",
    form="profile",
    defined_on="recordings and activations in which items (stimuli, words) come more than once",
    citation="Hewitt & Liang 2019, doi:10.18653/v1/D19-1275",
)


@dataclass(frozen=True)
class _How:
    label: str
    item: str
    n_controls: int
    n_folds: int
    classifier: str
    seed: int
    pseudo: bool


def selectivity(
    system: System,
    *,
    label: str,
    item: str = STIMULUS_ID,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    n_controls: int = 10,
    n_folds: int = 5,
    classifier: str = "lda",
    seed: int = 0,
    undefined: str = "raise",
    pseudo: bool = False,
) -> Answer | NotMeasurable:
    r"""Set the accuracy of a probe beside that on control tasks, which only memory can solve.

    A control task gives every item (a stimulus, a word) a label at random, the same at each of
    its showings. A probe that does well on it memorises items:

    .. math:: selectivity = accuracy - \overline{accuracy_{control}}

    Showings of every item are dealt over the folds of both tasks, so that memory could serve.

    Parameters
    ----------
    system : System
        A brain or a model.
    label : str
        Column of the stimuli, or coordinate of the showings, that names the classes.
    item : str
        Column that names what is memorised; items must be shown more than once.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers).
    n_controls : int
        Control tasks, at least 1.
    n_folds : int
        Folds, at least 2.
    classifier : {"lda", "ridge", "correlation"}
        The probe.
    seed : int
        Seed of folds and control labels.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.
    pseudo : bool
        Take units that were not recorded together as if they had been.

    Returns
    -------
    Answer or NotMeasurable
        Form ``profile`` by subject and region: ``value`` (selectivity, from -1 to 1),
        ``accuracy`` and ``control_accuracy`` (balanced, from 0 to 1). Not measurable where no
        item comes twice: no probe could memorise, and decoding with folds of whole stimuli is
        the question to ask.

    Raises
    ------
    UnknownName
        There is no such column.
    UsageError
        There are no controls, or too few folds.

    References
    ----------
    Hewitt & Liang 2019, doi:10.18653/v1/D19-1275

    Examples
    --------
    >>> from neuroai.testing import contrast_brain
    >>> brain, _ = contrast_brain()
    >>> selectivity(brain, label="face").reason
    "no 'stimulus_id' comes more than once: a probe could memorise nothing; name item=..."
    """
    one_of(classifier, CLASSIFIERS, option="classifier")
    if n_controls < 1 or n_folds < 2:
        raise UsageError(f"Give n_controls >= 1 and n_folds >= 2; got {n_controls}, {n_folds}.")
    stimuli = system.stimuli if stimuli is None else stimuli

    how = _How(label, item, n_controls, n_folds, classifier, seed, pseudo)

    def work(recording: xr.DataArray) -> xr.Dataset | NotMeasurable:
        return _asked(recording, stimuli, how)

    return asked_of_parts(
        system, work, card=CARD, stimuli=stimuli, regions=regions, undefined=undefined,
        parameters={**asdict(how), "scoring": "balanced-accuracy"},
    )  # fmt: skip


def _asked(
    recording: xr.DataArray, stimuli: StimulusSet | None, how: _How
) -> xr.Dataset | NotMeasurable:
    refused = separate(recording, pseudo=how.pseudo)
    if refused is not None:
        return refused
    labels = column_of(recording, stimuli, how.label)
    items = column_of(recording, stimuli, how.item)
    reason = _why_not(labels, items, how)
    if reason:
        return NotMeasurable(reason)
    rows, folds = rows_of(recording), spread_folds(items, n_folds=how.n_folds, seed=how.seed)
    own = float(decode_flat(rows, labels, folds, classifier=how.classifier).scores)
    rng = np.random.default_rng([how.seed, 1])
    drawn = [control_labels(labels, items, rng=rng) for _ in range(how.n_controls)]
    control = np.array(
        [decode_flat(rows, one, folds, classifier=how.classifier).scores for one in drawn]
    )
    known = np.isfinite(control)
    level = float(control[known].mean()) if known.any() else np.nan
    table = {"value": own - level, "accuracy": own, "control_accuracy": level}
    return xr.Dataset(
        {name: ((), value) for name, value in table.items()},
        attrs={
            NOTES: pseudo_note(recording),
            UNDEFINED: {"control tasks without a score": int((~known).sum())},
        },
    )


def _why_not(labels: list[str], items: list[str], how: _How) -> str:
    if len(set(labels)) < 2:
        return f"the label '{how.label}' has one class only: {labels[0]!r}"
    if max(Counter(items).values()) < 2:
        return (
            f"no '{how.item}' comes more than once: a probe could memorise nothing; name item=... "
            "that repeats, or ask for decoding"
        )
    if len(set(items)) < 2:
        return f"there is one '{how.item}' only: {items[0]!r}"
    rare = sorted(one for one, n in Counter(labels).items() if n < 2)
    return f"the class {rare[0]!r} of '{how.label}' has one showing only" if rare else ""
