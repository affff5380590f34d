"""Steering a network along a direction, both ways, beside random directions of the same length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from neuroai.analyses.implementation.dose_curve import MIN_CONTROLS
from neuroai.analyses.implementation.localiser import contrast_groups, element_means
from neuroai.cards import ChoiceTask, Contrast
from neuroai.errors import UsageError
from neuroai.experiment.lesion_effect import Effect
from neuroai.experiment.lesioned import ACCURACY, AfterLesion, LesionedActivity, asker
from neuroai.format.answers import NotMeasurable
from neuroai.format.splits import halves
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System
from neuroai.systems.decisions import classes_of, option_probabilities
from neuroai.systems.intervention import LAYER, Intervention
from neuroai.systems.model import Model

KIND = "add"
STEPS = (-2.0, -1.0, 1.0, 2.0)


def steering_effects(
    system: System,
    stimuli: StimulusSet,
    tasks: Sequence[ChoiceTask],
    *,
    region: str,
    contrast: Contrast,
    steps: Sequence[float] = STEPS,
    n_controls: int = MIN_CONTROLS,
    seed: int = 0,
    progress: bool = False,
) -> tuple[Effect, ...] | NotMeasurable:
    r"""Add a contrast's direction to a layer, step by step and both ways, and ask every task.

    .. math:: v = \bar a_+ - \bar a_-, \qquad a \leftarrow a + \alpha v

    The direction is the difference of the mean activity of the two sides on half A, a number a
    feature; accuracy is that of half B. Controls add random directions of the same length; p is
    two-sided, since steering may help as well as harm. The rows are those of a lesion's table, the
    signed step in the place of the dose.

    Parameters
    ----------
    system : System
        One network. A brain's stimulation is measured, not made: ask ``perturbation``.
    stimuli : StimulusSet
        Stimuli at hand, with the columns of contrast and tasks.
    tasks : sequence of ChoiceTask
        The first is the one that is expected to change; the others are off-target.
    region : str
        Layer.
    contrast : Contrast
        Two groups of stimuli.
    steps : sequence of float
        α, in lengths of v; each with its negative, so that the sign is tried both ways.
    n_controls : int
        Random directions of each step; at least 100.
    seed : int
        Seed of halves and directions.
    progress : bool
        Show progress on stderr.

    Returns
    -------
    tuple of Effect, or NotMeasurable
        By task and step. NotMeasurable for brains, and where both sides are alike.

    Raises
    ------
    UsageError
        No task, several networks, too few controls, or a step without its negative.

    References
    ----------
    Turner et al. 2023, arXiv:2308.10248; Salzman et al. 1990, doi:10.1038/346174a0
    """
    if not isinstance(system, Model):
        return NotMeasurable(
            f"'{system.name}' cannot be stimulated here: what was done to a brain is measured"
        )
    _refuse(system, tasks, steps, n_controls)
    shown = stimuli.restrict(stimuli.available)
    labels = [str(label) for label in shown.column(tasks[0].truth)]
    train = np.asarray(halves(shown.ids, condition=labels, n_splits=1, seed=seed))[0].astype(bool)
    half_a = shown.restrict([key for key, is_a in zip(shown.ids, train, strict=True) if is_a])
    vector = contrast_direction(system, half_a, region=region, contrast=contrast)
    if not vector.any():
        return NotMeasurable(f"the mean activity of {region} is the same on both sides")
    ask = _asker(system, shown, tasks, region, train)
    intact = ask(np.zeros(0))
    found = []
    for step in tqdm(sorted(steps), desc="steps", disable=not progress):
        steered = ask(step * vector)
        # The same directions for every step, so that steps differ by their length alone.
        rng = np.random.default_rng(seed)
        random = [ask(abs(step) * _of_length(vector, rng)) for _ in range(n_controls)]
        found += [
            _effect(task.name, step, vector, intact, steered, random, _readout(system, task))
            for task in tasks
        ]
    order = [task.name for task in tasks]
    return tuple(sorted(found, key=lambda effect: (order.index(effect.task), effect.dose)))


def contrast_direction(
    model: Model, stimuli: StimulusSet, *, region: str, contrast: Contrast
) -> np.ndarray:
    """Give the difference of a layer's mean activity between two groups of stimuli, by feature."""
    groups = contrast_groups(stimuli, contrast)
    [recording] = model.recordings(stimuli.restrict(sorted(groups)), regions=[region])
    ids, values, _, _ = element_means(recording)
    side = np.array([groups[key] for key in ids])
    return values[side].mean(axis=0) - values[~side].mean(axis=0)


def _refuse(
    model: Model, tasks: Sequence[ChoiceTask], steps: Sequence[float], n_controls: int
) -> None:
    if not tasks or len(model.subjects) != 1:
        raise UsageError(
            f"One network and a task or more are wanted; got {len(model.subjects)} and "
            f"{len(tasks)}."
        )
    if n_controls < MIN_CONTROLS:
        raise UsageError(f"Steering needs at least {MIN_CONTROLS} controls; got {n_controls}.")
    alone = [step for step in steps if -step not in steps or step == 0]
    if alone or not steps:
        raise UsageError(f"Every step needs its negative, and is not 0; got {list(steps)}.")


def _of_length(vector: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.standard_normal(len(vector))
    return drawn * (np.linalg.norm(vector) / np.linalg.norm(drawn))


def _asker(model, stimuli, tasks, region, train):
    """Make the question: a vector (empty for none) to the accuracy of every task."""
    bench = model.lesion_bench(region, stimuli)
    last, kept = model.regions[-1], {}

    def run(vector: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
        if kept.get("at") != vector:
            lesion = Intervention(region, (), KIND, of=LAYER, vector=vector) if vector else None
            outputs, read = bench.run(lesion, layers=(last,))
            kept.update(at=vector, outputs=outputs, last=read[last].reshape(len(outputs), -1))
        return kept["outputs"], kept["last"]

    def of(task: ChoiceTask):
        classes = classes_of(task.options, model.output_map, model.labels)
        questions = AfterLesion(
            train=train, test=~train, labels=stimuli.column(task.truth).astype(object),
            option_names=task.options, brain_rdms=None, judgements=None, method="spearman",
            distance="correlation",
        )  # fmt: skip

        def activity_of(vector: tuple[float, ...]) -> LesionedActivity:
            outputs, read = run(vector)
            known = not isinstance(classes, NotMeasurable)
            return LesionedActivity(
                read, read, option_probabilities(outputs, classes) if known else None
            )

        return asker(activity_of, questions)

    askers = {task.name: of(task) for task in tasks}

    def ask(vector: np.ndarray) -> dict[str, float]:
        return {name: one(tuple(vector.tolist()))[ACCURACY] for name, one in askers.items()}

    return ask


def _readout(model: Model, task: ChoiceTask) -> str:
    classes = classes_of(task.options, model.output_map, model.labels)
    return "readout" if isinstance(classes, NotMeasurable) else "outputs"


def _effect(
    task: str, step: float, vector: np.ndarray, intact, steered, random, readout: str
) -> Effect:
    controls = np.array([one[task] for one in random])
    change = abs(steered[task] - intact[task])
    # Equal shares of right choices may differ by rounding alone.
    as_large = (np.abs(controls - intact[task]) >= change - 1e-12).sum()
    return Effect(
        task=task,
        kind=KIND,
        dose=float(step),
        n_lesioned=len(vector),
        intact=intact[task],
        lesioned=steered[task],
        controls=controls,
        p=(1 + int(as_large)) / (1 + len(controls)),
        readout=readout,
    )
