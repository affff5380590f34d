"""Oddity of a network: which of four images is of another kind, intact and lesioned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from neuroai.analyses.implementation.localiser import contrast_groups, contrast_half, localise
from neuroai.errors import UsageError
from neuroai.experiment.case_side import Numbers, Reply, Side
from neuroai.experiment.lesion_batch import Measure, batched_dose_curve
from neuroai.experiment.met import met_stimuli
from neuroai.experiment.profiles_network import DOSES, choose_target
from neuroai.format.answers import NotMeasurable
from neuroai.format.results import DoseCurve
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.bench import LesionBench
from neuroai.systems.model import Model

OPTIONS = 4
ACCURACY = "accuracy"


@dataclass(frozen=True)
class _Trials:
    """Trials of three images of one kind and one of another: rows of stimuli, the odd one first."""

    rows: np.ndarray

    def accuracy(self, activity: np.ndarray) -> float:
        """Share of trials on which the image least correlated with the others is the odd one."""
        with np.errstate(invalid="ignore", divide="ignore"):
            likeness = np.corrcoef(activity)
        four = likeness[self.rows[:, :, None], self.rows[:, None, :]]
        mean = (np.nansum(four, axis=2) - 1) / (OPTIONS - 1)
        # Ties count as the share of right guesses among the tied.
        lowest = mean.min(axis=1, keepdims=True)
        tied = np.isclose(mean, lowest)
        return float((tied[:, 0] / tied.sum(axis=1)).mean())


def oddity(
    side: Side,
    *,
    kinds: Sequence[str],
    column: str,
    read: str,
    n_trials: int = 200,
    region: str = "",
    contrast: str = "",
    fraction: float = 0.05,
    sign: str = "positive",
    kind: str = "mean",
    dose: float = 1.0,
) -> Reply:
    """Choose the odd image of four by the activity of a layer, intact or lesioned.

    Every trial holds three images of one kind and one of another; the image whose activity
    correlates least with the others is chosen. Trials are drawn from the stimuli of the data set,
    and are nobody else's trials.

    Parameters
    ----------
    side : Side
        A network.
    kinds : (str, str)
        Two values of the column; each is the odd kind in half of the trials.
    column : str
        Column of the stimuli.
    read : str
        Layer whose activity chooses.
    n_trials : int
        Trials, drawn with a fixed seed.
    region, contrast : str
        With them, what a lesion of the elements of `region` that prefer `contrast` changes; the
        target is chosen on one half of the stimuli, and trials are made of the other, both ways.
    fraction, sign, kind, dose
        As for `neuroai.experiment.case_lesions.lesion`.

    Returns
    -------
    Reply
        Accuracy, with p from labels shuffled among the stimuli; or its change, with p from
        matched random lesions.
    """
    if not isinstance(side.system, Model):
        return side.unmeasured("only a network that runs can be shown trials made here")
    if bool(region) != bool(contrast) or len(kinds) != 2:
        raise UsageError("oddity takes two kinds, and region=... with contrast=... or neither.")
    stimuli = met_stimuli(side.system, side.stimuli())
    labels = np.array([str(one) for one in stimuli.column(column)], dtype=object)
    if not stimuli.available or min((labels == one).sum() for one in kinds) < OPTIONS:
        return side.unmeasured(f"fewer than {OPTIONS} images of a kind are at hand")
    if not region:
        return _intact(side, stimuli, labels, tuple(kinds), read, n_trials)
    return _lesioned(
        side, stimuli, labels, tuple(kinds), read, n_trials, region=region, contrast=contrast,
        fraction=fraction, sign=sign, kind=kind, dose=float(dose),
    )  # fmt: skip


def _draw(labels: np.ndarray, kinds: tuple[str, str], n: int, rng: np.random.Generator) -> _Trials:
    """Draw trials, the odd image first, with either kind the odd one in turn."""
    places = [np.flatnonzero(labels == one) for one in kinds]
    if min(map(len, places)) < OPTIONS - 1:
        raise UsageError(f"Fewer than {OPTIONS - 1} images of a kind are left to make trials of.")
    rows = []
    for trial in range(n):
        odd, same = places[trial % 2], places[1 - trial % 2]
        rows.append([rng.choice(odd), *rng.choice(same, OPTIONS - 1, replace=False)])
    return _Trials(np.array(rows))


def _intact(
    side: Side,
    stimuli: StimulusSet,
    labels: np.ndarray,
    kinds: tuple[str, str],
    read: str,
    n_trials: int,
) -> Reply:
    rng = np.random.default_rng([side.settings.seed, 3])
    model: Model = side.system
    activity = np.asarray(model.sweep(stimuli, layers=(read,)).layers[read].values)
    activity = activity.reshape(len(activity), -1)
    value = _draw(labels, kinds, n_trials, rng).accuracy(activity)
    among = np.flatnonzero(np.isin(labels.astype(str), kinds))
    null = []
    for _ in range(min(side.settings.n_null, 200)):
        shuffled = labels.copy()
        shuffled[among] = labels[rng.permutation(among)]
        null.append(_draw(shuffled, kinds, n_trials, rng).accuracy(activity))
    p = (1 + int((np.array(null) >= value).sum())) / (1 + len(null))
    numbers = Numbers(
        value, neutral=1 / OPTIONS, n=len(among), unit="stimuli", p=p,
        null=f"{len(null)} shuffles of the kinds among the images",
    )  # fmt: skip
    return Reply(side.cell(
        numbers, measure="oddity accuracy", where=read,
        note=f"{n_trials} trials made of {len(among)} images: {kinds[0]}, {kinds[1]}",
    ))  # fmt: skip


def _lesioned(
    side: Side,
    stimuli: StimulusSet,
    labels: np.ndarray,
    kinds: tuple[str, str],
    read: str,
    n_trials: int,
    *,
    region: str,
    contrast: str,
    fraction: float,
    sign: str,
    kind: str,
    dose: float,
) -> Reply:
    asked, settings = side.contrast(contrast), side.settings
    model: Model = side.system
    [row] = localise(
        model, contrast=asked, stimuli=stimuli, regions=[region], fraction=fraction, sign=sign,
        seed=settings.seed,
    )  # fmt: skip
    half = contrast_half(contrast_groups(stimuli, asked), seed=settings.seed)
    in_a = np.array([half.get(key, i % 2 == 0) for i, key in enumerate(stimuli.ids)])
    doses = tuple(sorted({*DOSES, dose}))
    curves = []
    for flipped in (False, True):
        train = in_a ^ flipped
        target, strata, elements = choose_target(
            row, row.t_heldout if flipped else row.t_chosen, fraction=fraction, sign=sign
        )
        bench, measure = _tested(side, stimuli, labels, kinds, read, n_trials, region, train)
        curve = batched_dose_curve(
            bench, measure, layers=(read,), kind=kind, targets=target, elements=elements,
            strata=strata, doses=doses, n_controls=settings.n_controls,
            seed=settings.seed + flipped,
        )  # fmt: skip
        if isinstance(curve, NotMeasurable):
            return side.unmeasured(curve.reason)
        curves.append(curve[ACCURACY])
    return _lesion_reply(side, curves, doses, dose, region, contrast, kind, n_trials, kinds)


def _tested(
    side: Side,
    stimuli: StimulusSet,
    labels: np.ndarray,
    kinds: tuple[str, str],
    read: str,
    n_trials: int,
    region: str,
    train: np.ndarray,
) -> tuple[LesionBench, Measure]:
    """Give a bench of the half that did not choose the target, and trials made of it."""
    pairs = list(zip(stimuli.ids, train, strict=True))
    learnt = stimuli.restrict([key for key, is_a in pairs if is_a])
    tested = stimuli.restrict([key for key, is_a in pairs if not is_a])
    rng = np.random.default_rng([side.settings.seed, 3, int(train[0])])
    trials = _draw(labels[~train], kinds, n_trials // 2, rng)

    def measure(outputs: np.ndarray, layers: Mapping[str, np.ndarray]) -> dict[str, float]:
        return {ACCURACY: trials.accuracy(np.asarray(layers[read]).reshape(len(outputs), -1))}

    return side.system.lesion_bench(region, tested, reference=learnt), measure


def _lesion_reply(
    side: Side,
    curves: Sequence[dict[str, np.ndarray]],
    doses: Sequence[float],
    dose: float,
    region: str,
    contrast: str,
    kind: str,
    n_trials: int,
    kinds: tuple[str, str],
) -> Reply:
    """Average both halves, lesion by lesion, and compare the change with the controls'."""
    intact = float(np.mean([c["baseline"] for c in curves]))
    targeted = np.mean([c["targeted"] for c in curves], axis=0)
    controls = np.mean([c["controls"] for c in curves], axis=0)
    p = (1 + (controls <= targeted[:, None]).sum(axis=1)) / (1 + controls.shape[1])
    at = list(doses).index(dose)
    spread = stats.norm.ppf(0.975) * np.sqrt(targeted[at] * (1 - targeted[at]) / n_trials)
    change = float(targeted[at] - intact)
    numbers = Numbers(
        change, change - float(spread), change + float(spread), 0.0, n_trials, "trials",
        float(p[at]), f"{controls.shape[1]} random lesions of this size and activity take less",
    )  # fmt: skip
    cell = side.cell(
        numbers, measure="change of oddity accuracy", where=f"{region}, {contrast}",
        origin="simulated",
        note=f"accuracy {intact:.3f} intact, {targeted[at]:.3f} lesioned; trials of {kinds[0]} and "
        f"{kinds[1]} from the half of the images that did not choose the target",
    )  # fmt: skip
    nothing = np.full(len(doses), np.nan)
    curve = DoseCurve(
        system=side.system.name, kind=side.kind, region=region, level="computation",
        measure="oddity accuracy", lesion=kind, origin="simulated",
        baseline=intact, doses=np.array(doses), targeted=targeted, controls=controls, p=p,
        n_targets=curves[0]["n_targets"], ci_low=nothing, ci_high=nothing,
        note=f"target: elements for {contrast}; trials: {kinds[0]}, {kinds[1]}",
    )  # fmt: skip
    return Reply(cell, dose_curves=(curve,))
