"""What was damaged in whom, and the score of each: patients' masks, tables, a network's lesions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import ChoiceTask
from neuroai.checks import known_name, listing
from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.schema import SUBJECT, UNIT_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded
from neuroai.systems.lesion_table import SCORES, lesion_table
from neuroai.systems.model import Model

SIZE = "lesion_size"
FINE = "log-probability"
NO_DAMAGE = "no lesion masks and no table of damaged parts were loaded"


@dataclass(frozen=True)
class Damage:
    """Lesions of a group of persons, or of one network.

    Attributes
    ----------
    lesions : array of bool, shape (n_lesions, n_units)
        True where damaged.
    shares : array or None, shape (n_lesions, n_units)
        Share of each unit that is damaged, in [0, 1], where it is known; for prediction.
    scores : array, shape (n_lesions,)
        The score; higher or lower may be better.
    covariates : array, shape (n_lesions, n_covariates)
        What is held constant.
    units : tuple of str
        Names of the units.
    subject, region : str
        ``group`` of persons or a network's seed; the space or layer.
    score : str
        What was scored.
    origin : str
        ``measured`` or ``simulated``.
    notes : tuple of str
        What a reader must know.
    n_unknown : int
        Persons left out, since their score or a covariate is not known.
    """

    lesions: np.ndarray
    shares: np.ndarray | None
    scores: np.ndarray
    covariates: np.ndarray
    units: tuple[str, ...]
    subject: str
    region: str
    score: str
    origin: str
    notes: tuple[str, ...] = ()
    n_unknown: int = 0


def damage_of_brain(
    brain: Recorded, *, score: str | None, covariates: Sequence[str]
) -> Damage | NotMeasurable:
    """Take the masks of a brain, else a published table of how much of each part is damaged."""
    if brain.data.lesions:
        return _from_masks(brain.data.lesions[0], score=score, covariates=covariates)
    tables = [table for table in brain.data.measures if "quantity" in table]
    if not tables:
        return NotMeasurable(brain.data.missing.get("lesions", NO_DAMAGE))
    return _from_tables(tables, score=score, covariates=covariates)


def _stated(score: str | None, known: Sequence[str]) -> str:
    if score is None:
        raise UsageError(f"Say which score of the persons is mapped. There is: {listing(known)}.")
    return known_name(score, known, kind="score of these persons")


def _from_masks(
    masks: xr.DataArray, *, score: str | None, covariates: Sequence[str]
) -> Damage | NotMeasurable:
    if SIZE in covariates and SIZE not in masks.coords:
        size = masks.values.sum(axis=1).astype(float)
        masks = masks.assign_coords({SIZE: (SUBJECT, size)})
    known = [str(name) for name, coord in masks.coords.items() if coord.dims == (SUBJECT,)]
    score = _stated(score, known)
    for name in covariates:
        known_name(name, known, kind="covariate of these persons")
    columns = np.column_stack([masks[n].values.astype(float) for n in (score, *covariates)])
    kept = np.isfinite(columns).all(axis=1)
    note = masks.attrs.get("note", "")
    return Damage(
        lesions=masks.values if kept.all() else masks.values[kept],
        shares=None,
        scores=columns[kept, 0],
        covariates=columns[kept, 1:],
        units=tuple(masks[UNIT_ID].values),
        subject="group",
        region=str(masks.attrs["space"]),
        score=score,
        origin="measured",
        notes=(note,) if note else (),
        n_unknown=int((~kept).sum()),
    )


def _from_tables(
    tables: Sequence[xr.Dataset], *, score: str | None, covariates: Sequence[str]
) -> Damage | NotMeasurable:
    wide = [
        t.to_dataframe().pivot(index="subject", columns="quantity", values="value") for t in tables
    ]
    names = [str(name) for table in wide for name in table.columns]
    score = _stated(score, names)
    joined = pd.concat(wide, axis=1, join="inner").sort_index()
    damaged = [t for t in wide if score not in t.columns]
    if not damaged:
        return NotMeasurable(NO_DAMAGE)
    volume = [str(n) for t in damaged for n in t.columns if str(n).endswith("volume")]
    held = [volume[0] if name == SIZE and volume else name for name in covariates]
    for name in held:
        known_name(name, names, kind="covariate of these persons")
    parts = [str(n) for t in damaged for n in t.columns if str(n) not in (*volume, *held)]
    values = joined[[score, *held, *parts]].to_numpy(dtype=float)
    kept = np.isfinite(values).all(axis=1)
    shares = values[kept, 1 + len(held) :]
    return Damage(
        lesions=shares > 0,
        shares=shares,
        scores=values[kept, 0],
        covariates=values[kept, 1 : 1 + len(held)],
        units=tuple(parts),
        subject="group",
        region="table of damaged parts",
        score=score,
        origin="measured",
        notes=("a part counts as damaged where any of it is",),
        n_unknown=int((~kept).sum()),
    )


def damage_of_network(
    system: System,
    *,
    score: str | None,
    covariates: Sequence[str],
    task: ChoiceTask | None,
    stimuli: StimulusSet | None,
    region: str | None,
    n_lesions: int,
    share: float,
    kind: str,
    seed: int,
) -> list[Damage] | NotMeasurable:
    """Lesion every seed of a network at random, with the same masks for all of them."""
    if not isinstance(system, Model):
        return NotMeasurable("activations on disk cannot be lesioned")
    if task is None or stimuli is None or not stimuli.available:
        return NotMeasurable("lesions of a network need a task and stimuli that are at hand")
    scored = known_name(score or FINE, SCORES, kind="score of a network")
    layer = region or (system.regions[-2] if len(system.regions) > 1 else system.regions[-1])
    other = [name for name in covariates if name != SIZE]
    if other:
        return NotMeasurable(f"lesions of a network have no {listing(other)}, only {SIZE}")
    found = []
    for subject in system.subjects:
        table = lesion_table(
            system, layer, stimuli, task, subject=subject, n_lesions=n_lesions, share=share,
            kind=kind, score=scored, seed=seed,
        )  # fmt: skip
        if isinstance(table, NotMeasurable):
            return table
        if np.ptp(table.scores) == 0:
            return NotMeasurable(
                f"no lesion of {layer} changed the {scored} of '{system.name}' ({subject}): there "
                "is nothing to map"
            )
        size = table.lesions.sum(axis=1, keepdims=True).astype(float)
        found.append(
            Damage(
                lesions=table.lesions,
                shares=None,
                scores=table.scores,
                covariates=size[:, : len(covariates)],
                units=tuple(str(number) for number in range(table.lesions.shape[1])),
                subject=subject,
                region=layer,
                score=scored,
                origin="simulated",
                notes=(f"{kind} lesions; {scored} is {table.intact:.3f} without one",),
            )
        )
    return found
