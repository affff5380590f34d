"""Trial by trial: distance to a decoder's bound against the choice made and its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import stats

from neuroai.cards import ChoiceTask
from neuroai.errors import UsageError
from neuroai.experiment.met import met_stimuli
from neuroai.format.answers import NotMeasurable
from neuroai.format.audit import usable_units
from neuroai.format.build import text
from neuroai.format.schema import PRESENTATION, STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.readout import cross_validated_choices
from neuroai.systems.base import System
from neuroai.systems.model import Model

NO_TIME = "a network takes no time to respond: it has no reaction time, and no proxy was asked for"
FEWEST = 3
N_SHUFFLES = 199


@dataclass(frozen=True)
class Trialwise:
    """How the distance to a decoder's bound goes with choices and their times.

    Attributes
    ----------
    table : xarray.Dataset
        Per ``part`` (a subject and region): ``auc``, the chance that a right trial lies further on
        the side of the truth than a wrong one to the same stimulus, in [0, 1] (0.5 without a
        relation); ``time``, the Spearman correlation of distance and response time of right
        trials, ranks taken within stimuli, in [-1, 1]; ``n_right``, ``n_wrong`` trials; ``p`` of a
        network's ``auc``, two-sided, from outcomes shuffled within options (NaN for a brain, whose
        subjects are its unit of inference); coords ``subject`` and ``region``.
    time_reason : str
        Why there are no response times; empty where there are.
    notes : tuple of str
        What a reader must know.
    """

    table: xr.Dataset
    time_reason: str = ""
    notes: tuple[str, ...] = ()

    def by_subject(self, name: str) -> Mapping[str, float]:
        """Average ``auc`` or ``time`` over the regions (sessions) of each subject."""
        values, subjects = self.table[name].values, self.table["subject"].values.astype(str)
        rows = {s: values[(subjects == s) & np.isfinite(values)] for s in dict.fromkeys(subjects)}
        return {subject: float(row.mean()) for subject, row in rows.items() if len(row)}


def trialwise(
    system: System,
    *,
    task: ChoiceTask,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    outcome: str = "outcome",
    right: str = "hit",
    wrong: str = "error",
    response_time: str = "response_time",
) -> Trialwise | NotMeasurable:
    r"""Relate where each trial lies from a decoder's bound to what was chosen, and when.

    Linear discriminants decode the truth of the task from a region, cross-validated so that no
    trial is tested on what was learnt from it. The distance is the log odds of the truth. It is
    related to choices within each stimulus, so that easy stimuli alone make no relation.

    .. math:: AUC = P(d_{right} > d_{wrong}) + \tfrac{1}{2} P(d_{right} = d_{wrong})

    Parameters
    ----------
    system : System
        A brain whose showings say what was chosen, or a network, which chooses by its outputs or
        by the readout of its last layer.
    task : ChoiceTask
        The options, and where the right one stands.
    stimuli : StimulusSet, optional
        What to show a network, or which stimuli of a brain to keep.
    regions : sequence of str, optional
        Names or globs of regions (layers); of a network the last but one by default.
    outcome, right, wrong : str
        For a brain: the coordinate of the showings that says how a trial ended, and its values
        for right and wrong choices. Trials with another outcome are left out.
    response_time : str
        For a brain: the coordinate with the response time, in seconds.

    Returns
    -------
    Trialwise, or NotMeasurable
        Times of a network are never measurable: `Trialwise.time_reason` says so.

    Raises
    ------
    UsageError
        The units of a recording were not recorded together, so that it has no single trials.

    References
    ----------
    Carlson et al. 2014, J Cogn Neurosci 26, 132, doi:10.1162/jocn_a_00476

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> task = ChoiceTask("abc", ("a", "b"), "stimulus_id")
    >>> trialwise(toy_brain(), task=task).reason
    "the showings of 'toy' do not say what was chosen (no coordinate 'outcome')"
    """
    shown = met_stimuli(system, system.stimuli if stimuli is None else stimuli)
    if task.where:
        shown = shown.where(*task.where)
    if isinstance(system, Model):
        return _of_network(system, task, shown, regions)
    recordings = system.recordings(shown, regions=regions)
    if isinstance(recordings, NotMeasurable):
        return recordings
    names = {"outcome": outcome, "right": right, "wrong": wrong, "time": response_time}
    rows, timed = [], False
    for recording in recordings:
        if outcome not in recording.coords:
            return NotMeasurable(
                f"the showings of '{system.name}' do not say what was chosen (no coordinate "
                f"'{outcome}')"
            )
        timed |= response_time in recording.coords
        rows += list(_of_recording(recording, task, shown, names))
    if not rows:
        return NotMeasurable(f"'{system.name}' has no recording with {FEWEST} wrong trials or more")
    reason = "" if timed else f"no response time was recorded ('{response_time}')"
    return Trialwise(_table(rows), reason)


def _of_recording(
    recording: xr.DataArray, task: ChoiceTask, shown: StimulusSet, names: Mapping[str, str]
) -> Iterator[tuple]:
    if recording.attrs.get("simultaneous", 1) == 0:
        raise UsageError(
            f"The units of {recording.attrs['region']} were not recorded together: there is no "
            "single trial to relate to a choice."
        )
    ended = recording[names["outcome"]].values.astype(str)
    kept = np.isin(ended, (names["right"], names["wrong"]))
    usable = usable_units(recording.isel({PRESENTATION: kept}), undefined="drop")[0]
    ids = usable[STIMULUS_ID].values.astype(str)
    truth = text(shown.column(task.truth, ids))
    asked = np.isin(truth.astype(str), task.options)
    distance = _distance(usable.values[asked], truth[asked])
    good = ended[kept][asked] == names["right"]
    times = np.full(len(good), np.nan)
    if names["time"] in usable.coords:
        times = usable[names["time"]].values.astype(float)[asked]
    subject, region = str(recording.attrs["subject"]), str(recording.attrs["region"])
    yield from _related(subject, region, distance, good, times, ids[asked])


def _distance(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Give the log odds of the truth; NaN where no fold could be fitted."""
    features = values.reshape(len(values), -1)
    found = cross_validated_choices(features, truth.tolist())
    place = np.array([found.classes.index(one) for one in truth])
    scores = found.scores
    own = scores[np.arange(len(place)), place]
    others = scores.copy()
    others[np.arange(len(place)), place] = -np.inf
    return own - others.max(axis=1)


def _related(
    subject: str,
    region: str,
    distance: np.ndarray,
    right: np.ndarray,
    times: np.ndarray,
    ids: np.ndarray,
) -> Iterator[tuple]:
    known = np.isfinite(distance)
    n_right, n_wrong = int((right & known).sum()), int((~right & known).sum())
    if min(n_right, n_wrong) < FEWEST:
        return
    auc = within_auc(distance[known], right[known], ids[known])
    timed = known & right & np.isfinite(times)
    correlation = _within_correlation(distance[timed], times[timed], ids[timed])
    yield subject, region, auc, correlation, n_right, n_wrong, float("nan")


def within_auc(distance: np.ndarray, right: np.ndarray, groups: np.ndarray) -> float:
    """Give the area under the curve of right and wrong trials, pairs of one group alone.

    Examples
    --------
    >>> within_auc(np.array([2.0, 1.0, 9.0]), np.array([True, False, True]), np.array(list("aab")))
    1.0
    """
    won, pairs = 0.0, 0
    for group in np.unique(groups):
        mine = groups == group
        high, low = distance[mine & right], distance[mine & ~right]
        if len(high) and len(low):
            won += float(stats.mannwhitneyu(high, low).statistic)
            pairs += len(high) * len(low)
    return won / pairs if pairs else float("nan")


def _within_correlation(distance: np.ndarray, times: np.ndarray, groups: np.ndarray) -> float:
    """Correlate ranks within groups, as shares of each group so that all weigh alike."""
    a, b = np.zeros(len(distance)), np.zeros(len(distance))
    for group in np.unique(groups):
        mine = groups == group
        for out, values in ((a, distance), (b, times)):
            ranks = stats.rankdata(values[mine])
            out[mine] = (ranks - ranks.mean()) / len(ranks)
    if len(a) < 2 * FEWEST or not np.ptp(a) or not np.ptp(b):
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _of_network(
    model: Model, task: ChoiceTask, shown: StimulusSet, regions: Sequence[str] | None
) -> Trialwise | NotMeasurable:
    """Relate the distance in a layer to the network's own choices, all stimuli in one group.

    A network meets a stimulus once; what a stimulus's condition explains cannot be held constant
    by stimulus, so groups are the options of the task.
    """
    if not shown.available:
        return NotMeasurable("the stimuli are not at hand")
    layers = model.regions[-2:-1] if regions is None else tuple(regions)
    rows = []
    last = model.regions[-1]
    for subject in model.subjects:
        swept = model.sweep(shown, subject=subject, layers=tuple(dict.fromkeys((*layers, last))))
        ids = np.array(swept.ids, dtype=object)
        truth = text(shown.column(task.truth, ids))
        asked = np.isin(truth.astype(str), task.options)
        right = _own_choices(model, task, shown.restrict(sorted(ids[asked])), swept, asked, truth)
        for layer in layers:
            distance = _distance(np.asarray(swept.layers[layer].values)[asked], truth[asked])
            nothing = np.full(int(asked.sum()), np.nan)
            for row in _related(subject, layer, distance, right, nothing, truth[asked]):
                rows.append((*row[:-1], _shuffled_p(distance, right, truth[asked], row[2])))
    if not rows:
        return NotMeasurable(f"'{model.name}' is wrong on fewer than {FEWEST} stimuli")
    return Trialwise(_table(rows), NO_TIME)


def _shuffled_p(
    distance: np.ndarray, right: np.ndarray, groups: np.ndarray, observed: float
) -> float:
    """Shuffle outcomes within groups; two-sided around no relation."""
    rng = np.random.default_rng(0)
    far = 0
    for _ in range(N_SHUFFLES):
        shuffled = right.copy()
        for group in np.unique(groups):
            mine = np.flatnonzero(groups == group)
            shuffled[mine] = right[rng.permutation(mine)]
        far += abs(within_auc(distance, shuffled, groups) - 0.5) >= abs(observed - 0.5)
    return (1 + far) / (1 + N_SHUFFLES)


def _own_choices(model, task, shown, swept, asked, truth) -> np.ndarray:
    """Say where the network is right, by its outputs, else by a readout of its last layer."""
    outputs = {subject: np.asarray(swept.outputs)[asked] for subject in model.subjects[:1]}
    table = model.choices_from(outputs, task, shown)
    if not isinstance(table, NotMeasurable):
        return table["choice"].values.astype(str) == truth[asked].astype(str)
    last = np.asarray(swept.layers[model.regions[-1]].values)[asked]
    return _distance(last, truth[asked]) > 0


def _table(rows: Sequence[tuple]) -> xr.Dataset:
    subject, region, auc, time, right, wrong, p = zip(*rows, strict=True)
    data = {
        "auc": ("part", np.array(auc)), "time": ("part", np.array(time)),
        "n_right": ("part", np.array(right)), "n_wrong": ("part", np.array(wrong)),
        "p": ("part", np.array(p)),
    }  # fmt: skip
    labels = {"subject": subject, "region": region}
    coords = {name: ("part", np.array(values, dtype=object)) for name, values in labels.items()}
    return xr.Dataset(data, coords=coords)
