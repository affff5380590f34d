"""Random lesions of a network as a table, which lesion mapping reads like that of patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from neuroai.cards import ChoiceTask
from neuroai.checks import in_range, one_of
from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.decisions import classes_of, option_probabilities, shown_in
from neuroai.systems.lesion import Lesion
from neuroai.systems.model import Model

SCORES = ("accuracy", "log-probability")


@dataclass(frozen=True)
class LesionTable:
    """Lesions and what each left of a task.

    Attributes
    ----------
    lesions : array of bool, shape (n_lesions, n_features)
        True where a feature map of the layer was lesioned.
    scores : array, shape (n_lesions,)
        Score under each lesion.
    intact : float
        Score without a lesion.
    region, task, kind, score : str
        Layer, task, kind of the lesions, and what the score is.
    """

    lesions: np.ndarray
    scores: np.ndarray
    intact: float
    region: str
    task: str
    kind: str
    score: str


def lesion_table(
    model: Model,
    region: str,
    stimuli: StimulusSet,
    task: ChoiceTask,
    *,
    subject: str | None = None,
    n_lesions: int = 200,
    share: float = 0.3,
    kind: str = "mean",
    score: str = "accuracy",
    reference: StimulusSet | None = None,
    seed: int = 0,
    progress: bool = False,
) -> LesionTable | NotMeasurable:
    """Lesion random feature maps of a layer again and again, and ask the same task each time.

    Each feature map is lesioned with probability `share`, so that lesions vary in size as those of
    patients do; size is then a covariate of the mapping.

    Parameters
    ----------
    model : Model
        A network.
    region : str
        Layer.
    stimuli : StimulusSet
        Stimuli of the task.
    task : ChoiceTask
        What is asked after each lesion.
    subject : str, optional
        Which of the model's seeds; may be left out where there is one.
    n_lesions : int
        Rows of the table.
    share : float
        Probability of each feature map, in (0, 1].
    kind : str
        ``zero``, ``mean`` or ``noise``.
    score : {"accuracy", "log-probability"}
        Share of right choices, in [0, 1]; or the mean logarithm of the probability of the right
        option among the task's, at most 0.
    reference : StimulusSet, optional
        Over which means are taken; the stimuli of the task by default.
    seed : int
        Seed of the lesions.
    progress : bool
        Show progress on stderr.

    Returns
    -------
    LesionTable, or NotMeasurable
        Where the network makes no choices on the task.
    """
    in_range(share, option="share", low=0, high=1, low_open=True)
    one_of(score, SCORES, option="score")
    if n_lesions < 2 or (subject is None and len(model.subjects) != 1):
        raise UsageError(
            f"Two or more lesions of one network are wanted; got {n_lesions} of "
            f"{len(model.subjects)} subjects. Say which with subject=..."
        )
    classes = classes_of(task.options, model.output_map, model.labels)
    if isinstance(classes, NotMeasurable):
        return classes
    asked = shown_in(task, stimuli)
    if not asked.ids:
        return NotMeasurable(f"no stimulus of the task '{task.name}' is at hand")
    who = model.subjects[0] if subject is None else subject
    bench = model.lesion_bench(region, asked, reference=reference or asked, subject=who)
    truth = asked.column(task.truth, bench.ids).astype(str)
    right = truth[:, None] == np.array(task.options, dtype=str)
    lesions = _random_masks(_n_features(model, region, asked), n_lesions, share, seed)
    scores = []
    for row in tqdm(lesions, desc="lesions", disable=not progress):
        lesion = Lesion(region, tuple(np.flatnonzero(row).tolist()), kind, seed=seed)
        scores.append(_score(bench.run(lesion)[0], classes, right, score))
    intact = _score(bench.run()[0], classes, right, score)
    return LesionTable(lesions, np.array(scores), intact, region, task.name, kind, score)


def _random_masks(n_features: int, n_lesions: int, share: float, seed: int) -> np.ndarray:
    lesions = np.random.default_rng(seed).random((n_lesions, n_features)) < share
    lesions[~lesions.any(axis=1), 0] = True
    return lesions


def _n_features(model: Model, region: str, stimuli: StimulusSet) -> int:
    one = stimuli.restrict(stimuli.available[:1])
    recording = next(iter(model.recordings(one, regions=[region])))
    if "feature_map" not in recording.coords:
        raise UsageError(
            f"Layer '{region}' is read with reduce='{model.reduce}', so that its features cannot "
            "be told apart. Take the network without a reduction."
        )
    return int(recording["feature_map"].values.max()) + 1


def _score(
    outputs: np.ndarray, classes: Sequence[Sequence[int]], right: np.ndarray, score: str
) -> float:
    chances = option_probabilities(outputs, classes)
    if score == "accuracy":
        chosen = np.arange(right.shape[1]) == chances.argmax(axis=1)[:, None]
        return float((chosen & right).any(axis=1).mean())
    least = np.finfo(np.float64).tiny
    among = np.log(np.maximum(chances, least)) - np.log(chances.sum(axis=1, keepdims=True) + least)
    return float(among[right].mean())
