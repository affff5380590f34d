"""Which events and confounds belong to which run, and whether they fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from neuroai.checks import listing
from neuroai.sources.bids import DERIVED
from neuroai.sources.finding import Finding

RUNS = ("bold", "gifti-run")
SAME_PLACE = 1e-3  # mm
NO_EVENTS = "no events of its own"


def companion(run: Finding, others: Sequence[Finding]) -> Finding | None:
    """Find the table that belongs to a run: by BIDS entities, else by the numbers in the names.

    Parameters
    ----------
    run : Finding
        A run of fMRI or EEG.
    others : sequence of Finding
        Tables of events or confounds.

    Returns
    -------
    Finding or None
        The table that shares most entities and contradicts none; never one by its place in a list.
    """
    own = _entities(run)
    fitting = [o for o in others if all(own.get(k) == v for k, v in _entities(o).items())]
    named = [other for other in fitting if _entities(other)]
    if own and named:
        return max(named, key=lambda other: (len(_entities(other)), _nearness(run, other)))
    same = [other for other in others if _numbers(other.path) == _numbers(run.path)]
    if not own and len(same) == 1:
        return same[0]
    return others[0] if len(others) == 1 and (others[0] in fitting or not own) else None


def _entities(finding: Finding) -> dict[str, str]:
    found = dict(finding.facts.get("entities", {}))
    return {key: value for key, value in found.items() if key not in DERIVED}


def _nearness(run: Finding, other: Finding) -> int:
    pairs = zip(run.path.parts, other.path.parts, strict=False)
    return sum(1 for a, b in pairs if a == b)


def _numbers(path: Path) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", path.name.split(".")[0]))


def of_kind(findings: Sequence[Finding], *kinds: str) -> list[Finding]:
    """Give all findings of some kinds, those in folders included."""
    return [one for finding in findings for one in finding.flat() if one.kind in kinds]


def cross_checked(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Add to runs and masks what is wrong between them and their companions.

    Parameters
    ----------
    findings : tuple of Finding
        As recognised one by one.

    Returns
    -------
    tuple of Finding
        The same, in the same order.
    """
    runs, events = of_kind(findings, *RUNS, "eeg"), of_kind(findings, "events")
    mended: dict[int, Finding] = {}
    for run in runs:
        table = companion(run, events)
        if table is not None and run.kind == "eeg":
            own = tuple(note for note in run.odd if not note.startswith(NO_EVENTS))
            mended[id(run)] = replace(run, odd=own, do="")
        faults = () if table is None else tuple(_outside(run, table))
        if faults and table is not None:
            now = mended.get(id(table), table)
            known = [fault for fault in faults if fault not in now.wrong]
            mended[id(table)] = replace(now, wrong=(*now.wrong, *known))
    for mask in of_kind(findings, "mask", "atlas"):
        faults = _grid_faults(mask, [run for run in runs if run.kind == "bold"])
        if faults:
            mended[id(mask)] = replace(mask, odd=(*mask.odd, *faults))
    return tuple(_mended(finding, mended) for finding in findings)


def _mended(finding: Finding, mended: dict[int, Finding]) -> Finding:
    if finding.parts:
        return replace(finding, parts=tuple(_mended(part, mended) for part in finding.parts))
    return mended.get(id(finding), finding)


def _length(run: Finding) -> float:
    if run.kind == "bold" and run.facts.get("tr"):
        return float(run.facts["tr"]) * run.facts["shape"][3]
    return float(run.facts.get("duration") or 0.0)


def _outside(run: Finding, table: Finding) -> list[str]:
    onsets, length = np.asarray(table.facts["onsets"], dtype=float), _length(run)
    if not length or not len(onsets):
        return []
    outside = (onsets < 0) | (onsets >= length)
    if not outside.any():
        return []
    hint = " (are they in milliseconds?)" if np.median(onsets) > 10 * length else ""
    return [
        f"{outside.sum()} of {len(onsets)} onsets lie outside of {run.path.name}, which lasts "
        f"{length:g} s: {listing([f'{onset:g} s' for onset in onsets[outside]])}{hint}"
    ]


def _grid_faults(mask: Finding, runs: Sequence[Finding]) -> tuple[str, ...]:
    if not runs or any(same_grid(mask, run) for run in runs):
        return ()
    other = " × ".join(map(str, runs[0].facts["shape"][:3]))
    return (
        f"it has another grid than {runs[0].path.name} ({other} voxels): resample it to the run, "
        "it is left out",
    )


def same_grid(image: Finding, run: Finding) -> bool:
    """Say whether a volume has the shape and place of a run."""
    shapes = list(image.facts["shape"][:3]) == list(run.facts["shape"][:3])
    apart = np.abs(np.asarray(image.facts["affine"]) - np.asarray(run.facts["affine"])).max()
    return bool(shapes and apart < SAME_PLACE)
