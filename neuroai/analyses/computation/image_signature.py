"""Image-level signatures: which images does the system find hard, and how reliably?"""

from __future__ import annotations

import numpy as np

from neuroai.analyses.computation._columns import pooled
from neuroai.analyses.computation._gather import gather
from neuroai.analyses.computation._trials import PER_STIMULUS, Trials, answer_of
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import STIMULUS
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.confusion import option_codes
from neuroai.numerics.signatures import SIGNATURES
from neuroai.numerics.signatures import image_signature as signature_of
from neuroai.systems.base import System

DISTRACTOR = "distractor"

CARD = AnalysisCard(
    name="image_signature",
    level="computation",
    question="Which images does the system find hard, and how reliably?",
    form="table",
    defined_on="recorded choices, networks with outputs for the options, and activity read out",
    citation="Rajalingham, Issa et al. 2018, doi:10.1523/JNEUROSCI.0388-18.2018",
)


def image_signature(
    system: System,
    *,
    task: ChoiceTask,
    stimuli: StimulusSet | None = None,
    readout_region: str | None = None,
    undefined: str = "raise",
    signature: str = "i1",
    pool: bool = True,
    n_splits: int = 10,
    seed: int = 0,
) -> Answer | NotMeasurable:
    r"""Give d' for every image, and from random halves of its trials.

    .. math:: d'_i = z(H_i) - z(F_{o(i)})

    ``i1`` sets an image against all distractors, ``i2`` against each; ``n`` takes off the mean of
    the images of the same object. The halves are what :func:`neuroai.comparison.signatures.
    compare_signatures` corrects a correlation with.

    Parameters
    ----------
    system, task, stimuli, readout_region, undefined
        As in :func:`neuroai.analyses.computation.choices.choices`. A column ``distractor`` of the
        trials says which option stood beside the right one, where two were on offer.
    signature : {"i1", "i1n", "i2", "i2n"}
        As in :func:`neuroai.numerics.signatures.image_signature`.
    pool : bool
        Whether the trials of all subjects are taken together, as is done with few trials each.
    n_splits : int
        Random splits of the trials of each image into halves; 0 for none.
    seed : int
        Seed of the splits.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``per_stimulus(subject, region, stimulus)``, d' in standard deviations (of
        ``i2`` the mean over distractors); ``value``, its mean; ``n`` trials; of ``i2`` also
        ``per_pair(subject, region, stimulus, choice)``; and ``per_half(subject, region, split,
        half, stimulus[, choice])``. A network that gives one answer to an image gives it in both
        halves: it has no noise. Images that a half lacks are NaN and counted.

    Raises
    ------
    UsageError
        No such signature, or a negative number of splits.

    References
    ----------
    Rajalingham, Issa et al. 2018, doi:10.1523/JNEUROSCI.0388-18.2018

    Examples
    --------
    Two images of two objects; the first is recognised always, the second half of the time.

    >>> from neuroai.testing import chooser
    >>> person = chooser({"stimulus_id": ["i"] * 10 + ["j"] * 10, "truth": ["a"] * 10 + ["b"] * 10,
    ...                   "choice": ["a"] * 10 + ["a", "b"] * 5})
    >>> task = ChoiceTask(name="task", options=("a", "b"), truth="truth")
    >>> image_signature(person, task=task).data.per_stimulus.values.round(3)
    array([[[1.691, 1.691]]])
    """
    one_of(signature, SIGNATURES, option="signature")
    if n_splits < 0:
        raise UsageError(f"n_splits must be 0 or more; got {n_splits}.")
    trials = gather(
        system, task=task, stimuli=stimuli, readout_region=readout_region, undefined=undefined
    )
    if isinstance(trials, NotMeasurable):
        return trials
    if len(task.options) < 2:
        return NotMeasurable(f"the task '{task.name}' names no options to tell apart")
    trials = pooled(trials) if pool and len(trials.subjects) > 1 else trials
    cells = _Cells(trials, signature)
    whole = cells.signature(np.ones(len(trials.table), dtype=bool))
    variables, notes = _variables(whole, cells), []
    halves = _halves(trials, cells, n_splits=n_splits, seed=seed)
    lacking = 0
    if halves is not None:
        dims = ("subject", "region", "split", "half", STIMULUS, "choice")
        variables["per_half"] = (dims[: halves.ndim], halves)
        own = np.isnan(halves) if not cells.by_pair else np.isnan(halves).all(axis=-1)
        lacking = int(own[:, :, 0].sum()) if n_splits else 0
    elif n_splits:
        notes = ["no image was shown twice: its trials cannot be split into halves"]
    return answer_of(
        trials,
        variables,
        form=CARD.form,
        question=CARD.name,
        coords={
            "choice": task.options,
            "split": [str(i) for i in range(n_splits)],
            "half": ("first", "second"),
        },
        parameters={"signature": signature, "n_splits": n_splits, "seed": seed, "pool": pool},
        notes=notes,
        undefined={
            "images without a trial": int(np.isnan(variables["per_stimulus"][1]).sum()),
            "halves of images without a trial": lacking,
            **({"pairs of an image with itself": len(whole)} if cells.by_pair else {}),
        },
    )


class _Cells:
    """Counts of choices by subject, region, image and option, for any choice of trials."""

    def __init__(self, trials: Trials, signature: str) -> None:
        options = trials.task.options
        self.signature_name = signature
        self.by_pair = signature.startswith("i2")
        self.places = trials.places()
        self.shape = (
            len(trials.subjects), len(trials.regions), len(trials.labels("stimulus")), len(options),
        )  # fmt: skip
        self.choice = option_codes(trials.table["choice"], options=options)
        truth = trials.table.drop_duplicates("stimulus").set_index("stimulus")["truth"]
        self.truth = option_codes(truth.loc[list(trials.labels("stimulus"))], options=options)
        self.offered = None
        if DISTRACTOR in trials.table:
            self.offered = option_codes(trials.table[DISTRACTOR], options=options)

    def counts(self, codes: np.ndarray, used: np.ndarray) -> np.ndarray:
        """Add trials up by subject, region, image and option."""
        total = np.zeros(self.shape)
        kept = used & (codes >= 0) & (self.choice >= 0)
        np.add.at(total, (*(place[kept] for place in self.places), codes[kept]), 1)
        return total

    def signature(self, used: np.ndarray) -> np.ndarray:
        """Give the signature of some trials."""
        chosen, offered = self.counts(self.choice, used), None
        if self.offered is not None:
            offered = self.counts(self.offered, used)
            right = self.truth[:, None] == np.arange(self.shape[-1])
            offered = np.where(right, chosen.sum(axis=-1, keepdims=True), offered)
        known = self.truth >= 0
        values = signature_of(
            chosen[:, :, known],
            self.truth[known],
            offered=None if offered is None else offered[:, :, known],
            signature=self.signature_name,
        )
        full = np.full((*self.shape[:3], *values.shape[3:]), np.nan)
        full[:, :, known] = values
        return full


def _variables(whole: np.ndarray, cells: _Cells) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    by_image = _mean(whole) if cells.by_pair else whole
    found = {
        "per_stimulus": (PER_STIMULUS, by_image),
        "value": (PER_STIMULUS[:2], _mean(by_image)),
        "n": (
            PER_STIMULUS[:2],
            cells.counts(cells.choice, cells.choice >= 0).sum(axis=(2, 3)).astype(np.int64),
        ),
    }
    if cells.by_pair:
        found["per_pair"] = ((*PER_STIMULUS, "choice"), whole)
    return found


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is defined; NaN where nothing is."""
    n = (~np.isnan(values)).sum(axis=-1)
    return np.where(n > 0, np.nan_to_num(values).sum(axis=-1) / np.maximum(n, 1), np.nan)


def _halves(trials: Trials, cells: _Cells, *, n_splits: int, seed: int) -> np.ndarray | None:
    """Signatures of random halves of the trials of each image; None where nothing can be split."""
    if not n_splits:
        return None
    group = np.ravel_multi_index(cells.places, cells.shape[:3])
    counts = np.bincount(group)
    if trials.system.kind == "model" and counts.max() == 1:
        # One answer to an image, and the same whenever it is asked: no noise to correct for.
        whole = cells.signature(np.ones(len(group), dtype=bool))
        both = np.stack([whole, whole], axis=2)
        return np.stack([both] * n_splits, axis=2)
    if counts.max() < 2:
        return None
    owner = trials.table["owner" if "owner" in trials.table else "subject"].to_numpy(dtype=object)
    names = np.unique(owner.astype(str), return_inverse=True)[1]
    # Whatever the order of the table, the same trial draws the same number.
    fixed = np.lexsort((np.arange(len(group)), names, group))
    found = []
    for split in range(n_splits):
        rng, drawn = np.random.default_rng([seed, split]), np.empty(len(group))
        drawn[fixed] = rng.random(len(group))
        # Trials in random order within their image; every other one goes to the second half.
        order = np.lexsort((drawn, group))
        start = np.r_[0, np.flatnonzero(np.diff(group[order])) + 1]
        rank = np.arange(len(group)) - np.repeat(start, np.diff(np.r_[start, len(group)]))
        # Which half gets the odd trial is drawn, so that neither has more on average.
        odd = np.repeat(rng.integers(2, size=len(start)), np.diff(np.r_[start, len(group)]))
        second = np.empty(len(group), dtype=bool)
        second[order] = (rank + odd) % 2 == 1
        found.append(np.stack([cells.signature(~second), cells.signature(second)], axis=2))
    return np.stack(found, axis=2)
