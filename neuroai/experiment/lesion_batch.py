"""Dose curves whose lesions pass through the network together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from neuroai.analyses.implementation.dose_curve import dose_curve
from neuroai.format.answers import NotMeasurable
from neuroai.systems.bench import LesionBench
from neuroai.systems.lesion import Lesion

Measure = Callable[[np.ndarray, Mapping[str, np.ndarray]], Mapping[str, float]]


def batched_dose_curve(
    bench: LesionBench,
    measure: Measure,
    *,
    layers: Sequence[str],
    kind: str,
    targets: Sequence[int],
    elements: Sequence[int],
    strata: Sequence[int],
    doses: Sequence[float],
    n_controls: int,
    seed: int,
) -> dict[str, dict[str, np.ndarray]] | NotMeasurable:
    """Run a dose curve, all of whose lesions are drawn first and then computed batch by batch.

    Parameters
    ----------
    bench : LesionBench
        A network and a layer.
    measure : callable
        Takes the outputs and the activity of `layers` under a lesion, and gives named measures.
    layers : sequence of str
        Layers to read.
    kind : str
        Of the lesions.
    targets, elements, strata, doses, n_controls, seed
        See `neuroai.analyses.implementation.dose_curve.dose_curve`.

    Returns
    -------
    dict or NotMeasurable
        As of `dose_curve`.
    """
    options: dict[str, Any] = {
        "targets": list(targets), "elements": list(elements), "strata": strata,
        "doses": tuple(doses), "n_controls": n_controls, "seed": seed,
    }  # fmt: skip
    asked: dict[tuple[int, ...], None] = {}

    def note(hit: tuple[int, ...]) -> dict[str, float]:
        asked[hit] = None
        return {"asked": 0.0}

    # The draw depends on the seed alone: a first pass says which lesions there will be.
    drawn = dose_curve(note, **options)
    if isinstance(drawn, NotMeasurable):
        return drawn
    lesions = [Lesion(bench.region, hit, kind, seed=seed) if hit else None for hit in asked]
    found = {
        hit: dict(measure(np.asarray(outputs), read))
        for hit, (outputs, read) in zip(asked, bench.run_many(lesions, layers=layers), strict=True)
    }
    return dose_curve(found.__getitem__, **options)
