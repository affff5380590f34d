"""What a comparison works on: the context of a score, and two answers made ready."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from neuroai.comparison.statistics.evaluators import Evaluator


@dataclass(frozen=True)
class Context:
    """What a score must say that the answers do not know.

    Attributes
    ----------
    level, dataset : str
        Marr's level of the question, and the data set.
    candidate_kind : str
        What stands in the network's place.
    intervention, dose : str, float
        What was done to the candidate.
    benchmark_version : str
        Version of the benchmark that asks; empty outside benchmarks.
    task : str
        Choice task, where there is one; part of the analysis's name in the table.
    """

    level: str
    dataset: str
    candidate_kind: str = "model"
    intervention: str = "none"
    dose: float = math.nan
    benchmark_version: str = ""
    task: str = ""


@dataclass(frozen=True)
class Paired:
    """Two aligned answers of one brain region, ready to be scored.

    `regions` names the candidate's region of every column of the evaluator, `seeds` its subject;
    `undefined` names regions that cannot be scored, with the reason; `bounds` is the range of the
    metric, beyond which no interval reaches; `side` says which scores are better, for a p-value.
    """

    brain_region: str
    subjects: tuple[str, ...]
    regions: tuple[str, ...]
    seeds: tuple[str, ...]
    evaluator: Evaluator
    n_undefined: int = 0
    undefined: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    null: bool = True
    chance: float | None = 0.0
    bounds: tuple[float, float] = (-1.0, 1.0)
    side: str = "greater"
    history: dict[str, object] = field(default_factory=dict)
