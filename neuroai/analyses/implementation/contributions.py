"""Contributions: the fair share of each region, layer or group of units in what a system does."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import xarray as xr

from neuroai.analyses.implementation._game import Game, games
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.checks import known_name
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.shapley import (
    MOST_EXACT,
    Contributions,
    shapley_interactions,
    shapley_values,
)
from neuroai.systems.base import System
from neuroai.systems.catalogue import LESIONS

CARD = AnalysisCard(
    name="contributions",
    level="implementation",
    question="What does each part contribute to the task, over all orders of losing parts?",
    form="table",
    defined_on="recordings, through a readout; networks that can be lesioned",
    citation="Keinan et al. 2004, doi:10.1162/0899766041941961; Shapley 1953, "
    "doi:10.1515/9781400881970-018",
)


def contributions(
    system: System,
    *,
    task: ChoiceTask,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    n_groups: int | None = None,
    kind: str = "mean",
    n_permutations: int = 100,
    seed: int = 0,
) -> Answer | NotMeasurable:
    r"""Share a task's accuracy among parts by their Shapley values, and say which parts interact.

    .. math:: \phi_i = \frac{1}{n!} \sum_\pi \left[ v(S^\pi_i \cup \{i\}) - v(S^\pi_i) \right]

    v(S) is the accuracy on half B of the stimuli when all parts but S are lesioned: in a network's
    pass, or in a recording before a readout that was fitted to the intact half A. Up to 12 parts
    the values are exact and interactions are given.

    Parameters
    ----------
    system : System
        A brain or a network.
    task : ChoiceTask
        What is asked; where a network's outputs do not name the options, and for brains, choices
        are read out.
    stimuli : StimulusSet, optional
        With the task's column.
    regions : sequence of str, optional
        Names or globs: the parts, or with `n_groups` that of which groups of units are the parts.
        All regions, and of a network all layers but the last, by default.
    n_groups : int, optional
        Deal the units (feature maps) of each region at random into so many groups, and take these
        as parts; as many as there are units, or more, takes units.
    kind : str
        What replaces the activity of a lesioned part: ``zero``, ``mean``, ``noise``, ``resample``.
    n_permutations : int
        Orders that are drawn beyond 12 parts, even and at least 4.
    seed : int
        Seed of halves, groups, orders and noise.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value`` and its ``error`` by subject, region (of which the parts are; or
        ``regions``, ``layers``) and ``element``, in shares of right choices; ``whole``,
        ``nothing`` and ``n_evaluations``; ``interaction`` by ``pair`` up to 12 parts.

    Raises
    ------
    UsageError
        The kind needs more than a reference, or too few groups or orders were asked for.

    References
    ----------
    Keinan et al. 2004, doi:10.1162/0899766041941961

    Examples
    --------
    >>> from neuroai.testing import contrast_brain
    >>> brain, contrast = contrast_brain(n_stimuli=40, n_units=20)
    >>> task = ChoiceTask("sides", ("0", "1"), truth=contrast.column, readout=True)
    >>> answer = contributions(brain, task=task, n_groups=4)
    >>> total = float(answer.data.value.sum())
    >>> abs(total - float((answer.data.whole - answer.data.nothing).item())) < 1e-9
    True
    """
    known_name(kind, LESIONS.names(), kind="lesion")
    card = LESIONS.get(kind).card
    if {"amount", "vector", "source", "seed"} & set(card.needs) or "activity" not in card.acts_on:
        raise UsageError(
            f"Parts are lesioned by zero, mean, noise or resample; '{kind}' takes nothing away."
        )
    if n_groups is not None and n_groups < 2:
        raise UsageError(f"n_groups must be 2 or more; got {n_groups}.")
    found = games(system, task, stimuli, regions=regions, n_groups=n_groups, kind=kind, seed=seed)
    if isinstance(found, NotMeasurable):
        return found
    parameters = {
        "task": task.name, "kind": kind, "n_groups": n_groups, "n_permutations": n_permutations,
        "seed": seed, "origin": "virtual" if system.kind == "brain" else "simulated",
    }  # fmt: skip
    played = [(game, *_play(game, n_permutations, seed)) for game in found]
    if not played:
        return NotMeasurable(f"nothing of '{system.name}' was recorded on the task's stimuli")
    return _answer(system, played, parameters, stimuli)


Played = tuple[Game, Contributions, np.ndarray | None]


def _play(game: Game, n_permutations: int, seed: int) -> tuple[Contributions, np.ndarray | None]:
    n = len(game.parts)
    known: dict[bytes, float] = {}

    def value(intact: np.ndarray) -> float:
        key = intact.tobytes()
        if key not in known:
            known[key] = game.accuracy(intact)
        return known[key]

    found = shapley_values(value, n, n_permutations=n_permutations, seed=seed)
    pairs = shapley_interactions(value, n) if 2 <= n <= MOST_EXACT else None
    return found, pairs


def _answer(
    system: System,
    played: Sequence[Played],
    parameters: dict[str, object],
    stimuli: StimulusSet | None,
) -> Answer:
    subjects = list(dict.fromkeys(game.subject for game, _, _ in played))
    wholes = list(dict.fromkeys(game.whole for game, _, _ in played))
    parts = list(dict.fromkeys(part for game, _, _ in played for part in game.parts))
    pairs = [f"{a} & {b}" for a, b in combinations(parts, 2)]
    shape = (len(subjects), len(wholes))
    table = {name: np.full((*shape, len(parts)), np.nan) for name in ("value", "error")}
    facts = {name: np.full(shape, np.nan) for name in ("whole", "nothing", "n_evaluations")}
    together = np.full((*shape, len(pairs)), np.nan)
    for game, found, interaction in played:
        at = subjects.index(game.subject), wholes.index(game.whole)
        place = [parts.index(part) for part in game.parts]
        table["value"][at][place], table["error"][at][place] = found.values, found.errors
        for name, values in facts.items():
            values[at] = getattr(found, name)
        for i, j in combinations(range(len(game.parts)), 2) if interaction is not None else ():
            together[at][pairs.index(f"{game.parts[i]} & {game.parts[j]}")] = interaction[i, j]
    data = {k: (("subject", "region", "element"), v) for k, v in table.items()}
    data |= {k: (("subject", "region"), v) for k, v in facts.items()}
    if np.isfinite(together).any():
        data["interaction"] = (("subject", "region", "pair"), together)
    coords = {"subject": subjects, "region": wholes, "element": parts}
    coords |= {"pair": pairs} if "interaction" in data else {}
    known = system.stimuli if stimuli is None else stimuli
    chosen_by = dict.fromkeys(game.choice_by for game, _, _ in played)
    exact = all(found.exact for _, found, _ in played)
    return Answer(
        form="table",
        data=xr.Dataset(data, coords={k: np.array(v, dtype=object) for k, v in coords.items()}),
        question=CARD.name,
        parameters=parameters,
        system=system.name,
        kind=system.kind,
        stimulus_set=known.name if known is not None else "",
        notes=(
            f"choices by {' and '.join(chosen_by)}",
            "every coalition was asked" if exact else "orders were drawn at random",
        ),
        undefined={"parts that a subject or region lacks": int(np.isnan(table["value"]).sum())},
    )
