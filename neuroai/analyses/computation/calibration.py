"""Calibration: is the system right as often as it is confident?"""

from __future__ import annotations

import numpy as np

from neuroai.analyses.computation._columns import numbers_of
from neuroai.analyses.computation._gather import gather
from neuroai.analyses.computation._trials import answer_of
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.calibration import calibrate
from neuroai.systems.base import System

# Where a choice's probability among the options is known, it is the confidence.
SOURCES = ("probability", "confidence")
PARTS = ("brier", "ece", "reliability", "resolution", "uncertainty")

CARD = AnalysisCard(
    name="calibration",
    level="computation",
    question="Is the system right as often as it is confident?",
    form="table",
    defined_on="recorded confidence, networks with outputs for the options, and readouts",
    citation="Guo et al. 2017, arXiv:1706.04599",
)


def calibration(
    system: System,
    *,
    task: ChoiceTask,
    stimuli: StimulusSet | None = None,
    readout_region: str | None = None,
    undefined: str = "raise",
    n_bins: int = 10,
    binning: str = "width",
) -> Answer | NotMeasurable:
    r"""Give the Brier score, the reliability curve and the calibration error of every subject.

    .. math:: \mathrm{Brier} = \frac1n \sum_i (c_i - y_i)^2, \quad
              \mathrm{ECE} = \sum_b \frac{n_b}{n} |\bar c_b - \bar y_b|

    The confidence of a network or readout is the probability of its choice among the options; a
    person's is what was recorded, as a probability in [0, 1].

    Parameters
    ----------
    system, task, stimuli, readout_region, undefined
        As in :func:`neuroai.analyses.computation.choices.choices`.
    n_bins : int
        Bins of the curve. The calibration error depends on it.
    binning : {"width", "count"}
        As in :func:`neuroai.numerics.calibration.calibrate`.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value(subject, region)``, the Brier score in [0, 1] (0 is best); ``ece``
        in [0, 1]; Murphy's ``reliability``, ``resolution`` and ``uncertainty``; ``n`` trials; and
        the curve, ``confidence_by_bin``, ``accuracy_by_bin`` (NaN in empty bins, which are counted)
        and ``n_by_bin(subject, region, bin)``.

    Raises
    ------
    DataError
        A confidence lies outside [0, 1].

    References
    ----------
    Brier 1950; Guo et al. 2017, doi:10.48550/arXiv.1706.04599

    Examples
    --------
    Sure of two choices, of which one was right.

    >>> from neuroai.testing import chooser
    >>> person = chooser({"truth": ["a", "a"], "choice": ["a", "b"], "confidence": [1.0, 1.0]})
    >>> task = ChoiceTask(name="task", options=("a", "b"), truth="truth")
    >>> found = calibration(person, task=task, n_bins=2).data
    >>> found.value.item(), found.ece.item()
    (0.5, 0.5)
    """
    trials = gather(
        system, task=task, stimuli=stimuli, readout_region=readout_region, undefined=undefined
    )
    if isinstance(trials, NotMeasurable):
        return trials
    source = next((name for name in SOURCES if name in trials.table), SOURCES[-1])
    confidence = numbers_of(trials, source)
    if isinstance(confidence, NotMeasurable):
        return NotMeasurable(f"'{system.name}' states no confidence on the task '{task.name}'")
    correct = trials.table["correct"].to_numpy(dtype=float)
    known = ~np.isnan(confidence) & ~np.isnan(correct)
    shape = (len(trials.subjects), len(trials.regions))
    single = {name: np.full(shape, np.nan) for name in PARTS}
    curves = {name: np.full((*shape, n_bins), np.nan) for name in ("confidence", "accuracy")}
    counts = np.zeros((*shape, n_bins), dtype=np.int64)
    for row, column, part in trials.parts():
        mine = part.index[known[part.index]]
        if len(mine):
            found = calibrate(confidence[mine], correct[mine], n_bins=n_bins, binning=binning)
            for name in PARTS:
                single[name][row, column] = getattr(found, name)
            for name, curve in curves.items():
                curve[row, column] = getattr(found, name)
            counts[row, column] = found.n
    dims = ("subject", "region")
    return answer_of(
        trials,
        {
            "value": (dims, single.pop("brier")),
            **{name: (dims, values) for name, values in single.items()},
            "n": (dims, counts.sum(axis=2)),
            **{f"{name}_by_bin": ((*dims, "bin"), curve) for name, curve in curves.items()},
            "n_by_bin": ((*dims, "bin"), counts),
        },
        form=CARD.form,
        question=CARD.name,
        coords={"bin": [str(place) for place in range(n_bins)]},
        parameters={"n_bins": n_bins, "binning": binning, "confidence": source},
        undefined={
            "trials without a confidence or an outcome": int((~known).sum()),
            "empty bins": int((counts == 0).sum()),
        },
    )
