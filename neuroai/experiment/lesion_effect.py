"""One lesion of one network, asked about several tasks beside matched random lesions."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from tqdm import tqdm

from neuroai.analyses.implementation.dose_curve import MIN_CONTROLS, activity_strata, dose_curve
from neuroai.analyses.implementation.localiser import element_means
from neuroai.cards import ChoiceTask
from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.experiment.lesioned import ACCURACY, AfterLesion, LesionedActivity, asker
from neuroai.format.answers import NotMeasurable
from neuroai.format.splits import halves
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.dissociation import (
    Dissociation,
    double_dissociation,
    logit_of_share,
    percentile_in,
    specificity_index,
)
from neuroai.numerics.readout import fit_readout, predict
from neuroai.systems.catalogue import LESIONS
from neuroai.systems.decisions import classes_of, option_probabilities
from neuroai.systems.intervention import FEATURES, HEADS, Intervention
from neuroai.systems.model import Model

KINDS = ("mean", "zero")
DOSES = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Effect:
    """What one dose of one kind of lesion does to one task.

    Attributes
    ----------
    task, kind : str
        Task, and what replaces the lesioned activity.
    dose : float
        Share of the target that is lesioned, in (0, 1].
    n_lesioned : int
        Elements lesioned.
    intact, lesioned : float
        Accuracy on stimuli that no readout learnt from, in [0, 1].
    controls : array, shape (n_controls,)
        Accuracy under random lesions of the same size and activity.
    p : float
        Share of the lesions, the asked one among them, that leave as little.
    readout : str
        ``outputs`` of the network, or a readout fitted on its last layer.
    relearnt : float
        Accuracy of a readout fitted anew under the lesion: what can be recovered.
    """

    task: str
    kind: str
    dose: float
    n_lesioned: int
    intact: float
    lesioned: float
    controls: np.ndarray
    p: float
    readout: str
    relearnt: float = float("nan")

    @property
    def percentile(self) -> float:
        """Percentage of the controls that leave less; ties count half."""
        return percentile_in(self.controls, self.lesioned)

    @property
    def recovery(self) -> float:
        """Share of the loss that a readout fitted anew makes good; NaN where nothing was lost."""
        lost = self.intact - self.lesioned
        return (self.relearnt - self.lesioned) / lost if lost > 0 else float("nan")

    @property
    def z(self) -> float:
        """The drop in standard deviations of the controls; NaN where these do not scatter."""
        # Equal accuracies leave rounding alone, not a spread.
        if np.ptp(self.controls) == 0:
            return float("nan")
        return (self.lesioned - float(self.controls.mean())) / float(self.controls.std(ddof=1))


@dataclass(frozen=True)
class LesionEffects:
    """Effects on every task, and how special each pair of tasks is.

    Attributes
    ----------
    effects : tuple of Effect
        By task, kind and dose.
    specificity : mapping
        For every kind and pair of tasks the difference of the changes of logit accuracy, lesioned
        less intact, at the full dose; and the p of so large a difference among the controls.
    n_levels : int
        Levels of mean activity in which controls are matched; 1 for none.
    changes : mapping
        For every kind and task the change of logit accuracy at the full dose, and those of the
        controls, array (n_controls,).
    """

    effects: tuple[Effect, ...]
    specificity: Mapping[tuple[str, str, str], tuple[float, float]]
    n_levels: int
    changes: Mapping[tuple[str, str], tuple[float, np.ndarray]] = field(default_factory=dict)

    def index(self, kind: str, task: str, other: str) -> float:
        """Give the specificity index of two tasks in [-1, 1]; see `specificity_index`."""
        return specificity_index(self.changes[kind, task][0], self.changes[kind, other][0])

    def dissociated(
        self, other: LesionEffects, *, kind: str, tasks: tuple[str, str]
    ) -> Dissociation:
        """Compare with the lesion of another target that is expected to touch the second task."""
        mine, theirs = ([one.changes[kind, task] for task in tasks] for one in (self, other))
        return double_dissociation(
            np.array([change for change, _ in mine]),
            np.array([change for change, _ in theirs]),
            null_first=np.stack([null for _, null in mine], axis=1),
            null_second=np.stack([null for _, null in theirs], axis=1),
        )


def lesion_effects(
    model: Model,
    stimuli: StimulusSet,
    tasks: Sequence[ChoiceTask],
    *,
    region: str,
    targets: Sequence[int],
    kinds: Sequence[str] = KINDS,
    doses: Sequence[float] = DOSES,
    of: str = FEATURES,
    amount: float | None = None,
    strength: float = 1.0,
    n_controls: int = MIN_CONTROLS,
    seed: int = 0,
    progress: bool = False,
) -> LesionEffects | NotMeasurable:
    """Lesion features of a layer and ask every task, beside matched random lesions.

    Stimuli are halved: means that replace activity, and readouts where the network's outputs do
    not name the options, come from half A; accuracy is that of half B. Two kinds of lesion are
    always shown, since each puts activity where the network never was in its own way.

    Parameters
    ----------
    model : Model
        One network (one subject).
    stimuli : StimulusSet
        Stimuli at hand, with the columns of the tasks.
    tasks : sequence of ChoiceTask
        The first is the one that the lesion is expected to touch; the others are off-target.
    region : str
        Layer.
    targets : sequence of int
        Feature maps (or units) of the layer, strongest first.
    kinds : sequence of str
        Kinds of intervention that need no more than reference stimuli and an amount, such as
        ``mean``, ``zero``, ``noise``, ``resample``, ``scale``, ``clamp`` or ``rotate``.
    doses : sequence of float
        Shares of the target, each in (0, 1].
    of : {"features", "heads"}
        What targets count; heads of a layer that `neuroai.systems.heads.with_heads` shows.
    amount : float, optional
        Gain of ``scale`` or value of ``clamp``.
    strength : float
        How far towards what the kind does in full, in [0, 1].
    n_controls : int
        Random lesions of each dose; at least 100.
    seed : int
        Seed of halves and draws.
    progress : bool
        Show progress on stderr.

    Returns
    -------
    LesionEffects, or NotMeasurable
        Where too few elements are left for controls.

    Raises
    ------
    UsageError
        No task, several networks, a target that the layer does not have, or a kind that needs more.
    """
    _refuse_many(model, tasks)
    shown = stimuli.restrict(stimuli.available)
    ids = shown.ids
    labels = [str(label) for label in shown.column(tasks[0].truth)]
    train = np.asarray(halves(ids, condition=labels, n_splits=1, seed=seed))[0].astype(bool)
    half_a = shown.restrict([key for key, is_a in zip(ids, train, strict=True) if is_a])
    activity = _activity(model, half_a, region, of)
    elements = np.arange(len(activity))
    beyond = sorted(set(targets) - set(elements.tolist()))
    if beyond or not len(targets):
        raise UsageError(
            f"Layer '{region}' has {len(elements)} {of}, counted from 0; the target names "
            f"{beyond[:5] or 'none'}."
        )
    strata = activity_strata(activity, elements, targets)
    curves, relearnt = {}, {}
    for kind in tqdm(kinds, desc="kinds of lesion", disable=not progress):
        lesion = Intervention(
            region, tuple(targets), kind, strength=strength, seed=seed, of=of,
            amount=amount if "amount" in LESIONS.get(kind).card.needs else None,
        )  # fmt: skip
        question, run = _question(model, shown, tasks, lesion, train, half_a)
        found = dose_curve(
            question, targets=list(targets), elements=elements, strata=strata, doses=doses,
            n_controls=n_controls, seed=seed,
        )  # fmt: skip
        if isinstance(found, NotMeasurable):
            return found
        curves[kind] = found
        relearnt[kind] = _relearnt(run, shown, tasks, train, targets, found)
    effects = tuple(
        _effect(curves[kind], model, task, kind, place, dose, relearnt[kind][task.name][place])
        for task in tasks
        for kind in kinds
        for place, dose in enumerate(doses)
    )
    changes = _changes(curves, int((~train).sum()))
    return LesionEffects(
        effects, _specificity(changes, kinds, tasks), int(strata.max()) + 1, changes
    )


def _refuse_many(model: Model, tasks: Sequence[ChoiceTask]) -> None:
    if not tasks or len(model.subjects) != 1:
        raise UsageError(
            f"One network and a task or more are wanted; got {len(model.subjects)} and "
            f"{len(tasks)}."
        )


def _relearnt(run, stimuli, tasks, train, targets, curves):
    """Fit a readout to half A under each dose, and give its accuracy on half B, by task."""
    found = {}
    for task in tasks:
        labels = stimuli.column(task.truth).astype(str)
        found[task.name] = []
        for size in curves[task.name]["n_targets"]:
            _, last = run(tuple(int(target) for target in targets[:size]))
            readout = fit_readout(last[train], list(labels[train]))
            right = np.asarray(predict(readout, last[~train]).labels, dtype=str) == labels[~train]
            found[task.name].append(float(right.mean()))
    return found


def _activity(model: Model, stimuli: StimulusSet, region: str, of: str) -> np.ndarray:
    """Give the mean |activity| of every feature, or of every head."""
    one_of(of, (FEATURES, HEADS), option="of")
    [recording] = model.recordings(stimuli, regions=[region])
    _, values, _, _ = element_means(recording)
    active = np.abs(values).mean(axis=0)
    if of == FEATURES:
        return active
    n_heads = getattr(model.module().get_submodule(region), "n_heads", 0)
    if not n_heads:
        raise UsageError(f"Layer '{region}' shows no heads; take with_heads(model).")
    return active.reshape(n_heads, -1).mean(axis=1)


def _columns(model: Model, task: ChoiceTask):
    classes = classes_of(task.options, model.output_map, model.labels)
    if isinstance(classes, NotMeasurable):
        return None
    return functools.partial(option_probabilities, classes=classes)


def _question(model, stimuli, tasks, lesion, train, half_a):
    """Make the question of a dose curve, positions to accuracies, and the run behind it."""
    bench = model.lesion_bench(lesion.region, stimuli, reference=half_a)
    last, kept = model.regions[-1], {}

    def run(positions: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        if kept.get("at") != positions:
            hit = replace(lesion, targets=positions) if positions else None
            outputs, read = bench.run(hit, layers=(last,))
            kept.update(at=positions, outputs=outputs, last=read[last].reshape(len(outputs), -1))
        return kept["outputs"], kept["last"]

    askers = {task.name: _asker(model, stimuli, task, train, run) for task in tasks}

    def question(positions: tuple[int, ...]) -> dict[str, float]:
        return {name: ask(positions)[ACCURACY] for name, ask in askers.items()}

    return question, run


def _asker(model, stimuli, task, train, run):
    labels = stimuli.column(task.truth).astype(object)
    questions = AfterLesion(
        train=train, test=~train, labels=labels, option_names=task.options, brain_rdms=None,
        judgements=None, method="spearman", distance="correlation",
    )  # fmt: skip
    columns = _columns(model, task)

    def activity_of(positions: tuple[int, ...]) -> LesionedActivity:
        outputs, last = run(positions)
        return LesionedActivity(last, last, None if columns is None else columns(outputs))

    return asker(activity_of, questions)


def _effect(
    curves: Mapping[str, Mapping[str, np.ndarray]],
    model: Model,
    task: ChoiceTask,
    kind: str,
    place: int,
    dose: float,
    relearnt: float,
) -> Effect:
    curve = curves[task.name]
    return Effect(
        task=task.name,
        kind=kind,
        dose=float(dose),
        n_lesioned=int(curve["n_targets"][place]),
        intact=float(curve["baseline"]),
        lesioned=float(curve["targeted"][place]),
        controls=curve["controls"][place],
        p=float(curve["p"][place]),
        readout="outputs" if _columns(model, task) else "readout",
        relearnt=relearnt,
    )


def _changes(
    curves: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]], n: int
) -> dict[tuple[str, str], tuple[float, np.ndarray]]:
    """Give changes on the logit scale at the full dose, where floors and ceilings are far."""
    found = {}
    for kind, by_task in curves.items():
        for task, curve in by_task.items():
            intact = logit_of_share(curve["baseline"], n=n)
            hit, random = (logit_of_share(curve[k][-1], n=n) for k in ("targeted", "controls"))
            found[kind, task] = float(hit - intact), random - intact
    return found


def _specificity(
    changes: Mapping[tuple[str, str], tuple[float, np.ndarray]],
    kinds: Sequence[str],
    tasks: Sequence[ChoiceTask],
) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Compare the change of the first task with that of every other."""
    found = {}
    for kind in kinds:
        for other in tasks[1:]:
            hit, random = changes[kind, tasks[0].name]
            hit_other, random_other = changes[kind, other.name]
            asked, null = hit - hit_other, random - random_other
            p = (1 + int((null <= asked).sum())) / (1 + len(null))
            found[kind, tasks[0].name, other.name] = (float(asked), p)
    return found
