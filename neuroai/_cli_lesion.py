"""The command ``neuroai lesion``: one lesion of a network beside matched random ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from neuroai.checks import known_name
from neuroai.errors import DataError, UsageError

if TYPE_CHECKING:
    from neuroai.cards import ChoiceTask
    from neuroai.experiment.lesion_effect import LesionEffects
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
    list[str] | None, typer.Option("--kind", help="mean, zero or noise. Default: mean and zero.")
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
    controls: Controls = 100,
    seed: Annotated[int, typer.Option("--seed", help="Seed of every draw.")] = 0,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Lesion features of a network's layer, and ask what it can still do.

    Each dose stands beside random lesions of as many features that are as active. A target may be
    a contrast of the data set: the 5 % of features that prefer it, chosen on half of the stimuli
    and lesioned for the other half.

    \b
    Examples
      neuroai lesion hf:FOLDER kriegeskorte2008 --target layer.24:faces
      neuroai lesion hf:FOLDER kriegeskorte2008 --target layer.24:3,5,10-12 --dose 1 --controls 200
    """
    from neuroai.experiment.lesion_effect import DOSES, KINDS, lesion_effects
    from neuroai.format.answers import NotMeasurable
    from neuroai.sources.catalogue import load_dataset
    from neuroai.systems.load import load_model

    network, holdings = load_model(model), load_dataset(dataset, offline=offline)
    region, targets = _targets(target, network, holdings, seed=seed)
    found = lesion_effects(
        network,
        holdings.stimuli,
        _tasks(holdings, task),
        region=region,
        targets=targets,
        kinds=kind or KINDS,
        doses=dose or DOSES,
        n_controls=controls,
        seed=seed,
        progress=not quiet,
    )
    if isinstance(found, NotMeasurable):
        raise DataError(f"Not measurable: {found.reason}.")
    lines = _json(found) if as_json else _table(found, region, len(targets))
    typer.echo("\n".join(lines))


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


def _json(found: LesionEffects) -> list[str]:
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
                "readout": e.readout,
            }
        )
        for e in found.effects
    ]


def _table(found: LesionEffects, region: str, n: int) -> list[str]:
    import numpy as np

    levels = found.n_levels
    matched = f", matched in {levels} levels of activity" if levels > 1 else ", of any activity"
    lines = [
        f"{n} features of {region}; accuracy on stimuli that nothing was chosen or fitted on",
        f"{'task':<18} {'kind':<5} {'dose':>5} {'n':>4} {'intact':>7} {'lesioned':>8} "
        f"{'controls (95 %)':>22} {'p':>6}",
    ]
    for e in found.effects:
        low, high = np.quantile(e.controls, [0.025, 0.975])
        spread = f"{e.controls.mean():.3f} ({low:.3f} to {high:.3f})"
        lines.append(
            f"{e.task[:18]:<18} {e.kind:<5} {e.dose:>5.2f} {e.n_lesioned:>4} {e.intact:>7.3f} "
            f"{e.lesioned:>8.3f} {spread:>22} {e.p:>6.3f}"
        )
    for (kind, one, other), (value, p) in found.specificity.items():
        lines.append(
            f"{kind}: change of logit accuracy on {one} less that on {other}: {value:+.2f}, "
            f"p {p:.3f} among the controls"
        )
    n_controls = len(found.effects[0].controls)
    return [*lines, f"{n_controls} random lesions of the same size a dose{matched}"]
