"""What a lesioned system does and represents: the questions that lesions are followed by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.distances import correlation_distance, squared_euclidean
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.numerics.readout import Readout, fit_readout, predict
from neuroai.systems.intervention import VIRTUAL, Intervention
from neuroai.systems.lesion import applied, statistics_of

ACCURACY = "accuracy"
RDM_MATCH = "RDM match"
SIMILARITY_MATCH = "similarity match"
MEASURE_LEVEL = {ACCURACY: "computation", SIMILARITY_MATCH: "computation", RDM_MATCH: "algorithm"}


@dataclass(frozen=True)
class LesionedActivity:
    """Activity under a lesion, stimuli in the order that the questions know.

    Attributes
    ----------
    lesioned : array, shape (n_stimuli, n_units)
        The lesioned region itself: what the rest of the system receives.
    readout : array, shape (n_stimuli, n_features)
        The last region, from which choices and judgements are read.
    options : array, shape (n_stimuli, n_options), or None
        The system's own evidence for the options of the task; None if it has none.
    """

    lesioned: np.ndarray
    readout: np.ndarray
    options: np.ndarray | None = None


@dataclass(frozen=True)
class AfterLesion:
    """The questions put to a lesioned system, on stimuli that did not choose its target.

    Attributes
    ----------
    train, test : array of bool, shape (n_stimuli,)
        Half A, on which a readout is fitted to the intact system; half B, on which it is tested.
    labels : array of str, shape (n_stimuli,), or None
        The right option of every stimulus; None without a task.
    option_names : tuple of str
        Names of the columns of the system's own evidence.
    brain_rdms, judgements : array, shape (n_subjects, n_pairs), or None
        RDMs of the brain region, and similarity judgements, on half B.
    method, distance : str
        Comparator and distance of the RDMs.
    """

    train: np.ndarray
    test: np.ndarray
    labels: np.ndarray | None
    option_names: tuple[str, ...]
    brain_rdms: np.ndarray | None
    judgements: np.ndarray | None
    method: str
    distance: str

    def fit(self, intact: LesionedActivity) -> Readout | None:
        """Fit the readout on half A of the intact system, where it has no outputs of its own."""
        if self.labels is None or intact.options is not None:
            return None
        return fit_readout(intact.readout[self.train], list(self.labels[self.train]))

    def measure(self, activity: LesionedActivity, readout: Readout | None) -> dict[str, float]:
        """Give accuracy, RDM match and similarity match, as far as each is defined here."""
        found: dict[str, float] = {}
        if self.labels is not None:
            found[ACCURACY] = self._accuracy(activity, readout)
        if self.brain_rdms is not None:
            found[RDM_MATCH] = self._match(activity.lesioned, self.brain_rdms)
        if self.judgements is not None:
            found[SIMILARITY_MATCH] = self._match(activity.readout, self.judgements)
        return found

    def _accuracy(self, activity: LesionedActivity, readout: Readout | None) -> float:
        truth = self.labels[self.test]
        if activity.options is not None:
            best = activity.options[self.test].argmax(axis=1)
            return float((np.asarray(self.option_names, dtype=object)[best] == truth).mean())
        if readout is None:
            return float("nan")
        return float((predict(readout, activity.readout[self.test]).labels == truth).mean())

    def _match(self, patterns: np.ndarray, rdms: np.ndarray) -> float:
        patterns = patterns[self.test].reshape(int(self.test.sum()), -1)
        function = correlation_distance if self.distance == "correlation" else squared_euclidean
        vector = to_vector(np.asarray(function(patterns)))[None]
        return float(compare_rdms(rdms, vector, method=self.method).mean())


def asker(
    activity_of: Callable[[tuple[int, ...]], LesionedActivity], questions: AfterLesion
) -> Callable[[tuple[int, ...]], Mapping[str, float]]:
    """Make the question that a dose curve puts: positions of lesioned elements to measures."""
    readout = questions.fit(activity_of(()))

    def ask(positions: tuple[int, ...]) -> Mapping[str, float]:
        return questions.measure(activity_of(positions), readout)

    return ask


def masked_activity(
    values: np.ndarray, *, train: np.ndarray, kind: str, strength: float, seed: int
) -> Callable[[tuple[int, ...]], LesionedActivity]:
    """Mask recorded units before the readout: the virtual lesion of a recording.

    The replacement is that of a network's lesion, by the same function: zero, the unit's mean over
    half A, Gaussian noise of its mean and SD over half A, or activity drawn from half A.
    """
    known = statistics_of([values[train]], keep=True)
    ids = [str(row) for row in range(len(values))]

    def activity_of(positions: Sequence[int]) -> LesionedActivity:
        changed = values.copy()
        if len(positions):
            targets = tuple(int(place) for place in positions)
            lesion = Intervention("", targets, kind, strength, seed, origin=VIRTUAL)
            mask = np.isin(np.arange(values.shape[1]), targets)
            changed = applied(lesion, values, mask, known, feature_axis=1, ids=ids)
        return LesionedActivity(lesioned=changed, readout=changed)

    return activity_of
