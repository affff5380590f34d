"""The command ``neuroai lesion``: one lesion of a network beside matched random ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from neuroai.checks import known_name
from neuroai.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuroai.cards import ChoiceTask
    from neuroai.experiment.lesion_effect import Effect, LesionEffects
    from neuroai.format.holdings import Holdings
    from neuroai.systems.model import Model

Tasks = Annotated[
    list[str] | None,
    typer.Option("--task", help="Tasks of the data set; the first is the expected one."),
]
Doses = Annotated[
    list[float] | None,
    typer.Option("--dose", help="Share of the target, in (0, 1]. Give it once a dose."),
]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="What replaces activity (see above). Default: mean and zero."),
]
Amount = Annotated[float | None, typer.Option("--amount", help="Gain of scale, value of clamp.")]
Strength = Annotated[
    float, typer.Option("--strength", min=0, max=1, help="How far towards the full replacement.")
]
Target = Annotated[
    str,
    typer.Option(
        "--target", metavar="LAYER:WHAT", help="Features (3,5,7-9) or a contrast of the data set."
    ),
]
Controls = Annotated[
    int, typer.Option("--controls", min=100, help="Random lesions of the same size and activity.")
]


def lesion(
    model: Annotated[str, typer.Argument(metavar="SPEC", help="A network, as in 'compare -m'.")],
    dataset: Annotated[str, typer.Argument(help="Stimuli and tasks: 'neuroai ls datasets'.")],
    target: Target,
    task: Tasks = None,
    dose: Doses = None,
    kind: Kinds = None,
    amount: Amount = None,
    strength: Strength = 1.0,
    controls: Controls = 100,
    seed: Annotated[int, typer.Option("--seed", help="Seed of every draw.")] = 0,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Lesion features of a network's layer, and ask what it can still do.

    Each dose stands beside random lesions of as many features that are as active. A target may be
    a contrast of the data set: the 5 % of features that prefer it, chosen on half of the stimuli
    and lesioned for the other half. Two kinds are shown by default, since each puts activity where
    the network never was in its own way; 'back' is what a readout fitted anew makes good.

    \b
    What replaces the activity a of a feature (strength s: (1 - s) a + s times the replacement)
      mean      its mean over half A: the level stays, what it tells is lost
      zero      0: silence
      noise     Gaussian noise of its mean and SD
      resample  its activity for a random stimulus of half A
      clamp     one value (--amount 3)
      scale     a times a gain (--amount 2; below 1 weaker, above 1 a stimulation)
      rotate    the features mixed by a random rotation
      add       steering: the contrast's direction is added (a target by contrast; --dose counts
                lengths, each tried with both signs), beside random directions of the same length

    \b
    Examples
      neuroai lesion hf:FOLDER kriegeskorte2008 --target layer.24:faces
      neuroai lesion hf:FOLDER kriegeskorte2008 --target layer.24:3,5,10-12 --dose 1 --controls 200
      neuroai lesion hf:FOLDER kriegeskorte2008 --target layer.24:faces --kind scale --amount 2
      neuroai lesion hf:FOLDER kriegeskorte2008 --target layer.24:faces --kind add --dose 1
      neuroai lesion hf:GPT DATASET --target transformer.h.0.attn.heads:3 (attention heads)
    """
    from neuroai.experiment.lesion_effect import DOSES, KINDS, lesion_effects
    from neuroai.format.answers import NotMeasurable
    from neuroai.sources.catalogue import load_dataset
    from neuroai.systems.load import load_model

    network, holdings = load_model(model), load_dataset(dataset, offline=offline)
    if kind == ["add"]:
        typer.echo("\n".join(_steered(network, holdings, target, task, dose, controls, seed,
                                       as_json=as_json, quiet=quiet)))  # fmt: skip
        return
    heads = target.partition(":")[0].endswith(".heads")
    if heads:
        from neuroai.systems.heads import with_heads

        network = with_heads(network)
    region, targets = _targets(target, network, holdings, seed=seed)
    found = lesion_effects(
        network,
        holdings.stimuli,
        _tasks(holdings, task),
        region=region,
        targets=targets,
        kinds=kind or KINDS,
        doses=dose or DOSES,
        of="heads" if heads else "features",
        amount=amount,
        strength=strength,
        n_controls=controls,
        seed=seed,
        progress=not quiet,
    )
    if isinstance(found, NotMeasurable):
        raise DataError(f"Not measurable: {found.reason}.")
    lines = _json(found.effects) if as_json else _table(found, region, len(targets))
    typer.echo("\n".join(lines))


def _steered(
    network: Model,
    holdings: Holdings,
    target: str,
    task: list[str] | None,
    dose: list[float] | None,
    controls: int,
    seed: int,
    *,
    as_json: bool,
    quiet: bool,
) -> list[str]:
    """Steer along a contrast, both ways; the lines of the same table."""
    from neuroai.experiment.steering import steering_effects
    from neuroai.format.answers import NotMeasurable

    region, _, what = target.partition(":")
    name = known_name(what, holdings.contrasts, kind="contrast of this data set")
    steps = sorted({sign * abs(one) for one in dose or (1.0, 2.0) for sign in (-1, 1)})
    found = steering_effects(
        network, holdings.stimuli, _tasks(holdings, task), region=region,
        contrast=holdings.contrasts[name], steps=steps, n_controls=controls, seed=seed,
        progress=not quiet,
    )  # fmt: skip
    if isinstance(found, NotMeasurable):
        raise DataError(f"Not measurable: {found.reason}.")
    if as_json:
        return _json(found)
    head = f"the direction of '{name}' added to {region}; doses count its length"
    return [
        head,
        *_rows(found),
        f"{controls} random directions of the same length a step; p is two-sided",
    ]


def _targets(
    target: str, network: Model, holdings: Holdings, *, seed: int
) -> tuple[str, tuple[int, ...]]:
    region, colon, what = target.partition(":")
    if not colon or not what:
        raise UsageError(
            f"--target is LAYER:FEATURES or LAYER:CONTRAST, such as fc1:3,5,7-9; got '{target}'."
        )
    if what[0].isdigit():
        return region, read_features(what)
    from neuroai.analyses.implementation.localiser import localise
    from neuroai.format.answers import NotMeasurable

    name = known_name(what, holdings.contrasts, kind="contrast of this data set")
    shown = holdings.stimuli.restrict(holdings.stimuli.available)
    found = localise(
        network, contrast=holdings.contrasts[name], stimuli=shown, regions=[region], seed=seed
    )
    if isinstance(found, NotMeasurable):
        raise DataError(f"Not measurable: {found.reason}.")
    row = next(iter(found))
    return region, tuple(int(row.elements[place]) for place in row.selected)


def read_features(text: str) -> tuple[int, ...]:
    """Read numbers and ranges.

    Examples
    --------
    >>> read_features("3,5,7-9")
    (3, 5, 7, 8, 9)
    """
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise UsageError(f"Features are numbers and ranges, such as 3,5,7-9; got '{text}'.")
        found += range(int(first), int(last or first) + 1)
    return tuple(dict.fromkeys(found))


def _tasks(holdings: Holdings, names: list[str] | None) -> tuple[ChoiceTask, ...]:
    everywhere = [task for task in holdings.tasks if not task.where]
    known = {task.name: task for task in everywhere}
    if not known:
        raise DataError(f"'{holdings.card.name}' has no choice task over all of its stimuli.")
    if not names:
        return tuple(everywhere[:2])
    return tuple(known[known_name(name, known, kind="task of this data set")] for name in names)


def _json(effects: Sequence[Effect]) -> list[str]:
    return [
        json.dumps(
            {
                "task": e.task,
                "kind": e.kind,
                "dose": e.dose,
                "n_lesioned": e.n_lesioned,
                "intact": e.intact,
                "lesioned": e.lesioned,
                "controls_mean": float(e.controls.mean()),
                "n_controls": len(e.controls),
                "p": e.p,
                "percentile": e.percentile,
                "relearnt": None if e.relearnt != e.relearnt else e.relearnt,
                "readout": e.readout,
            }
        )
        for e in effects
    ]


def _rows(effects: Sequence[Effect]) -> list[str]:
    import numpy as np

    lines = [
        f"{'task':<18} {'kind':<8} {'dose':>5} {'n':>4} {'intact':>7} {'lesioned':>8} "
        f"{'controls (95 %)':>22} {'p':>6} {'back':>6}"
    ]
    for e in effects:
        low, high = np.quantile(e.controls, [0.025, 0.975])
        spread = f"{e.controls.mean():.3f} ({low:.3f} to {high:.3f})"
        back = "" if np.isnan(e.relearnt) else f"{e.relearnt:.3f}"
        lines.append(
            f"{e.task[:18]:<18} {e.kind:<8} {e.dose:>5.2f} {e.n_lesioned:>4} {e.intact:>7.3f} "
            f"{e.lesioned:>8.3f} {spread:>22} {e.p:>6.3f} {back:>6}"
        )
    return lines


def _table(found: LesionEffects, region: str, n: int) -> list[str]:
    levels = found.n_levels
    matched = f", matched in {levels} levels of activity" if levels > 1 else ", of any activity"
    lines = [
        f"{n} features of {region}; accuracy on stimuli that nothing was chosen or fitted on",
        *_rows(found.effects),
    ]
    for (kind, one, other), (value, p) in found.specificity.items():
        index = found.index(kind, one, other)
        lines.append(
            f"{kind}: change of logit accuracy on {one} less that on {other}: {value:+.2f}, "
            f"p {p:.3f} among the controls; specificity index {index:+.2f}"
        )
    n_controls = len(found.effects[0].controls)
    return [*lines, f"{n_controls} random lesions of the same size a dose{matched}"]
