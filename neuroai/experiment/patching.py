"""Patching: a layer's activity for one stimulus is put into the pass of another; networks only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from neuroai.analyses.implementation.dose_curve import matched_controls
from neuroai.analyses.implementation.localiser import element_means
from neuroai.cards import ChoiceTask
from neuroai.checks import listing
from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System
from neuroai.systems.decisions import classes_of, option_probabilities
from neuroai.systems.intervene import ONLY_NETWORKS
from neuroai.systems.intervention import LAYER, Intervention
from neuroai.systems.layers import choose_layers
from neuroai.systems.model import Model


@dataclass(frozen=True)
class PatchEffect:
    """What the activity of other stimuli, put into one layer, does to choices.

    Attributes
    ----------
    region : str
        The layer.
    effect : array, shape (n_pairs,)
        0 where the output stays that of the stimulus, 1 where it becomes that of the other one;
        NaN where the two have the same evidence.
    interchange : float
        Share of the pairs that choose as the other stimulus does, in [0, 1].
    null : array, shape (n_null,)
        The mean effect on the same evidence when the other stimuli are drawn at random.
    p : float
        Share of the draws, the asked one among them, with as large a mean effect.
    n_undefined : int
        Pairs with the same evidence, which have no effect.
    site_null : array, shape (n_null,) or (0,)
        The mean effect when as many other features of the layer, as active, are swapped between
        the same stimuli; empty for whole layers.
    site_p : float
        As `p`, among these; NaN without them.
    site_note : str
        Why there are no such features.
    """

    region: str
    effect: np.ndarray
    interchange: float
    null: np.ndarray
    p: float
    n_undefined: int
    site_null: np.ndarray
    site_p: float
    site_note: str = ""


def patching_effects(
    system: System,
    stimuli: StimulusSet,
    task: ChoiceTask,
    pairs: Mapping[str, str],
    *,
    regions: Sequence[str] | None = None,
    targets: Sequence[int] | None = None,
    n_null: int = 100,
    seed: int = 0,
    progress: bool = False,
) -> tuple[PatchEffect, ...] | NotMeasurable:
    r"""Swap a layer's activity between stimuli, layer by layer, and see where choices follow.

    .. math:: e_i = \frac{m_i^{patched} - m_i^{own}}{m_i^{other} - m_i^{own}}

    m is the log odds of the other stimulus's right option against the own one's, so that stimuli
    of a pair must differ in the right option. Pairs are given, never looked for on the stimuli
    that are tested.

    Parameters
    ----------
    system : System
        One network. A recording has no later layers that go on from what is put in.
    stimuli : StimulusSet
        Stimuli at hand, with the task's column.
    task : ChoiceTask
        With options that the network's outputs name.
    pairs : mapping of str to str
        For each stimulus the other one, whose activity it gets.
    regions : sequence of str, optional
        Names or globs of layers; the model's by default.
    targets : sequence of int, optional
        Features that are swapped; whole layers by default.
    n_null : int
        Draws of other stimuli at random from those that are shown, and, with `targets`, of other
        features of the layer that are as active.
    seed : int
        Seed of the draws.
    progress : bool
        Show progress on stderr.

    Returns
    -------
    tuple of PatchEffect, or NotMeasurable
        One a layer. NotMeasurable for brains, and where outputs do not name the options.

    Raises
    ------
    UsageError
        Several networks, no pair, a pair with a stimulus that is not at hand, or with one option.

    References
    ----------
    Vig et al. 2020, arXiv:2004.12265; Geiger et al. 2021, arXiv:2106.02997
    """
    if not isinstance(system, Model):
        return NotMeasurable(ONLY_NETWORKS)
    classes = classes_of(task.options, system.output_map, system.labels)
    if isinstance(classes, NotMeasurable):
        return classes
    truth = _checked(system, stimuli, task, pairs, n_null)
    both = stimuli.restrict(sorted({*pairs, *pairs.values()}))
    place = {key: row for row, key in enumerate(both.ids)}
    own = np.array([place[key] for key in pairs])
    other = np.array([place[key] for key in pairs.values()])
    option = np.array([task.options.index(truth[key]) for key in both.ids])
    module = system.module()
    layers = system.regions if regions is None else choose_layers(module, regions)
    rng = np.random.default_rng(seed)
    draws = [rng.integers(len(both.ids), size=len(own)) for _ in range(n_null)]
    intact = _log_odds(system.outputs(both), classes)
    found = []
    for layer in tqdm(layers, desc="layers", disable=not progress):
        bench = system.lesion_bench(layer, both, reference=both)
        asked = _swapped(layer, targets, both.ids, own, other)
        nulls = [_swapped(layer, targets, both.ids, own, drawn) for drawn in draws]
        sites = _other_sites(system, layer, both, targets, n_null, seed)
        none = isinstance(sites, NotMeasurable)
        nulls += [] if none else [_swapped(layer, s, both.ids, own, other) for s in sites]
        outputs = [_log_odds(out, classes)[own] for out, _ in bench.run_many([asked, *nulls])]
        effect = _effect(layer, outputs, intact, own, other, option, n_null)
        found.append(replace(effect, site_note=sites.reason) if none else effect)
    return tuple(found)


def _other_sites(
    model: Model,
    layer: str,
    stimuli: StimulusSet,
    targets: Sequence[int] | None,
    n_null: int,
    seed: int,
) -> tuple[tuple[int, ...], ...] | NotMeasurable:
    """Draw other features of the layer, as many as the targets and as active."""
    if targets is None:
        return NotMeasurable("whole layers have no other site of their size")
    [recording] = model.recordings(stimuli, regions=[layer])
    _, values, _, _ = element_means(recording)
    return matched_controls(
        targets, activity=np.abs(values).mean(axis=0), n_controls=n_null, seed=seed
    )


def _checked(
    model: Model,
    stimuli: StimulusSet,
    task: ChoiceTask,
    pairs: Mapping[str, str],
    n_null: int,
) -> dict[str, str]:
    if len(model.subjects) != 1 or not pairs or n_null < 1:
        raise UsageError(
            f"One network, a pair and a null or more are wanted; got {len(model.subjects)}, "
            f"{len(pairs)} and {n_null}."
        )
    absent = sorted({*pairs, *pairs.values()} - set(stimuli.available))
    if absent:
        raise UsageError(f"Pairs name stimuli that are not at hand: {listing(absent)}.")
    truth = {key: str(v) for key, v in zip(stimuli.ids, stimuli.column(task.truth), strict=True)}
    alike = [key for key, other in pairs.items() if truth[key] == truth[other]]
    if alike:
        raise UsageError(
            f"Stimuli of a pair must differ in '{task.truth}'; those of {listing(alike)} do not."
        )
    return truth


def _swapped(
    layer: str,
    targets: Sequence[int] | None,
    ids: Sequence[str],
    own: np.ndarray,
    other: np.ndarray,
) -> Intervention:
    """Give every stimulus of a pair the activity of its other one, and any other its own."""
    source = dict(zip(ids, ids, strict=True))
    source |= {ids[a]: ids[b] for a, b in zip(own, other, strict=True)}
    whole = targets is None
    return Intervention(
        layer, () if whole else tuple(targets), "swap", of=LAYER if whole else "features",
        pairs=tuple(source.items()),
    )  # fmt: skip


def _log_odds(outputs: np.ndarray, classes: Sequence[Sequence[int]]) -> np.ndarray:
    least = np.finfo(np.float64).tiny
    return np.log(np.maximum(option_probabilities(outputs, classes), least))


def _effect(
    layer: str,
    outputs: Sequence[np.ndarray],
    intact: np.ndarray,
    own: np.ndarray,
    other: np.ndarray,
    option: np.ndarray,
    n_null: int,
) -> PatchEffect:
    rows = np.arange(len(own))

    def evidence(logs: np.ndarray) -> np.ndarray:
        return logs[rows, option[other]] - logs[rows, option[own]]

    start, goal = evidence(intact[own]), evidence(intact[other])
    defined = np.abs(goal - start) > 1e-6 * (np.abs(goal) + np.abs(start))

    def effects(logs: np.ndarray) -> np.ndarray:
        gap = np.where(defined, goal - start, np.nan)
        return (evidence(logs) - start) / gap

    asked = effects(outputs[0])
    means = [np.nanmean(effects(logs)) if defined.any() else np.nan for logs in outputs]
    mean, null, sites = means[0], np.array(means[1 : 1 + n_null]), np.array(means[1 + n_null :])

    def p_of(drawn: np.ndarray) -> float:
        if not defined.any() or not len(drawn):
            return float("nan")
        return (1 + int((drawn >= mean).sum())) / (1 + len(drawn))

    follows = outputs[0].argmax(axis=1) == intact[other].argmax(axis=1)
    return PatchEffect(
        region=layer,
        effect=asked,
        interchange=float(follows.mean()),
        null=null,
        p=p_of(null),
        n_undefined=int((~defined).sum()),
        site_null=sites,
        site_p=p_of(sites),
    )
