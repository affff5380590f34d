"""Shape bias: where shape and texture disagree, which one is named?"""

from __future__ import annotations

import numpy as np

from neuroai.analyses.computation._gather import gather
from neuroai.analyses.computation._trials import PER_STIMULUS, Trials, answer_of, known_stimuli
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.build import text
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System

CUES = ("shape", "texture")

CARD = AnalysisCard(
    name="shape_bias",
    level="computation",
    question="Where shape and texture disagree, which one does the system name?",
    form="table",
    defined_on="choices on stimuli whose table has the columns shape and texture",
    citation="Geirhos et al. 2019, arXiv:1811.12231",
)


def shape_bias(
    system: System,
    *,
    task: ChoiceTask,
    stimuli: StimulusSet | None = None,
    readout_region: str | None = None,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    r"""Give the share of shape among the choices that name shape or texture.

    .. math:: \frac{n_{shape}}{n_{shape} + n_{texture}}

    Only stimuli with a shape and another texture count; choices of neither are left out.

    Parameters
    ----------
    system, task, stimuli, readout_region, undefined
        As in :func:`neuroai.analyses.computation.choices.choices`.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value(subject, region)`` in [0, 1]; ``pooled(region)``, of all subjects'
        choices together; ``n_shape``, ``n_texture`` and their sum ``n`` (subject, region), in
        trials; ``per_stimulus(subject, region, stimulus)``: 1 shape, 0 texture, their mean
        where a subject named both, NaN neither.

    Raises
    ------
    UnknownName
        A choice is not among the options.

    References
    ----------
    Geirhos et al. 2019, doi:10.48550/arXiv.1811.12231

    Examples
    --------
    >>> import pandas as pd
    >>> from neuroai.format.build import behaviour
    >>> from neuroai.format.holdings import SystemData
    >>> from neuroai.format.stimuli import stimulus_set
    >>> from neuroai.systems.brain import Recorded
    >>> images = stimulus_set(pd.DataFrame({"stimulus_id": ["a", "b"], "shape": ["cat", "cat"],
    ...                                     "texture": ["dog", "dog"]}), name="toy")
    >>> trials = behaviour(
    ...     {"subject": ["p", "p"], "stimulus_id": ["a", "b"], "choice": ["cat", "dog"]},
    ...     system="human", kind="brain", stimulus_set="toy", task="naming")
    >>> human = Recorded(data=SystemData("human", "brain", "Homo sapiens", behaviour=(trials,)),
    ...                  stimuli=images)
    >>> task = ChoiceTask(name="naming", options=("cat", "dog"), truth="shape")
    >>> shape_bias(human, task=task).data.value.values.tolist()
    [[0.5]]
    """
    conflict = _conflicts(known_stimuli(system, task, stimuli))
    if isinstance(conflict, NotMeasurable):
        return conflict
    trials = gather(
        system, task=task, stimuli=conflict, readout_region=readout_region, undefined=undefined
    )
    if isinstance(trials, NotMeasurable):
        return trials
    by_stimulus = [trials.sums(_names(trials, cue, conflict)) for cue in CUES]
    n_shape, n_texture = (counts.sum(axis=2) for counts in by_stimulus)
    value = _share(n_shape, n_texture)
    return answer_of(
        trials,
        {
            "value": (PER_STIMULUS[:2], value),
            "pooled": (PER_STIMULUS[1:2], _share(n_shape.sum(axis=0), n_texture.sum(axis=0))),
            "n": (PER_STIMULUS[:2], (n_shape + n_texture).astype(np.int64)),
            "n_shape": (PER_STIMULUS[:2], n_shape.astype(np.int64)),
            "n_texture": (PER_STIMULUS[:2], n_texture.astype(np.int64)),
            "per_stimulus": (PER_STIMULUS, _share(*by_stimulus)),
        },
        form=CARD.form,
        question=CARD.name,
        undefined={"subjects who named neither cue": int(np.isnan(value).sum())},
    )


def _conflicts(shown: StimulusSet | None) -> StimulusSet | NotMeasurable:
    """Keep the stimuli whose shape and texture differ."""
    if shown is None or not set(CUES) <= set(shown.table.columns):
        return NotMeasurable("the stimuli state no shape and texture")
    shape, texture = (text(shown.column(cue)) for cue in CUES)
    differ = (shape != "") & (texture != "") & (shape != texture)
    if not differ.any():
        return NotMeasurable("no stimulus has a texture that differs from its shape")
    return shown.restrict([key for key, keep in zip(shown.ids, differ, strict=True) if keep])


def _names(trials: Trials, cue: str, shown: StimulusSet) -> np.ndarray:
    """Whether each trial's choice names the cue of its stimulus."""
    named = text(shown.column(cue, trials.table["stimulus"]))
    return trials.table["choice"].to_numpy(dtype=object) == named


def _share(shape: np.ndarray, texture: np.ndarray) -> np.ndarray:
    total = shape + texture
    return np.where(total > 0, shape / np.maximum(total, 1), np.nan)
