"""Apply an intervention to a system, brain or network, and get a new system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from neuroai.checks import known_name, listing
from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.schema import PRESENTATION, REGION, STIMULUS_ID, UNIT, UNIT_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded
from neuroai.systems.intervention import (
    DIRECTION,
    FEATURES,
    LAYER,
    MEASURED,
    UNITS,
    VIRTUAL,
    Intervention,
    dosed,
    needs_reference,
)
from neuroai.systems.lesion import UnitStatistics, applied, statistics_of
from neuroai.systems.model import Model

ONLY_NETWORKS = (
    "activity is exchanged between stimuli only in networks, whose later layers go on from it; a "
    "recording has no later pass"
)
LEFT_OUT = "it was recorded from the intact brain, and a virtual lesion cannot tell it"


def intervene(
    system: System, intervention: Intervention, *, reference: StimulusSet | None = None
) -> System | NotMeasurable:
    """Apply an intervention to a system; the system itself stays as it is.

    Of a network the pass is changed (``simulated``); of a recording units are masked before
    anything reads them (``virtual``), so that behaviour and published answers, which belong to the
    intact brain, fall away; of a brain that was really perturbed (``measured``) the trials and
    recordings of that condition are taken.

    Parameters
    ----------
    system : System
        A network for ``simulated``, a recording for ``virtual`` and ``measured``.
    intervention : Intervention
        What is done.
    reference : StimulusSet, optional
        Stimuli over which means are taken and from which activity is drawn, where the kind needs
        them. Choose stimuli on which nothing is tested.

    Returns
    -------
    System or NotMeasurable
        NotMeasurable where activity of other stimuli is put into a recording, or the activity of a
        network is all there is.

    Raises
    ------
    UsageError
        The origin does not fit the system, reference stimuli are missing, or a target lies beyond.
    UnknownName
        No such layer, region, unit or measured intervention.

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> brain = toy_brain()
    >>> region = brain.regions[0]
    >>> silent = intervene(brain, Intervention(region, (0,), "zero", origin="virtual"))
    >>> float(abs(next(silent.recordings(regions=[region])).values[:, 0]).max())
    0.0
    """
    if intervention.origin == MEASURED:
        if not isinstance(system, Recorded):
            return NotMeasurable(f"nothing was done to '{system.name}' by an experiment")
        return system.under_intervention(intervention.kind, dose=intervention.amount)
    if isinstance(system, Recorded):
        return _masked(system, intervention, reference)
    if intervention.origin == VIRTUAL:
        raise UsageError(
            f"origin='virtual' masks recordings; '{system.name}' is a network: use 'simulated'."
        )
    if not isinstance(system, Model):
        return NotMeasurable("activations on disk cannot be lesioned; give the network itself")
    return system.with_lesion(intervention, reference)


def _masked(
    brain: Recorded, one: Intervention, reference: StimulusSet | None
) -> Recorded | NotMeasurable:
    if one.origin != VIRTUAL:
        raise UsageError(
            f"origin='{one.origin}' changes the pass of a network; '{brain.name}' is a recording: "
            "use origin='virtual' to mask units, or 'measured' for what was really done."
        )
    if one.on_weights or "source" in one.card.needs:
        return NotMeasurable("a recording has no weights" if one.on_weights else ONLY_NETWORKS)
    if one.of not in (FEATURES, UNITS, LAYER, DIRECTION):
        return NotMeasurable(f"a recording has no {one.of}")
    if not brain.data.recordings:
        return NotMeasurable(f"no activity of '{brain.name}' was recorded")
    known_name(one.region, brain.regions, kind=f"region of '{brain.name}'")
    if needs_reference(one.kind) and reference is None:
        raise UsageError(f"A {one.kind} lesion needs reference=..., stimuli that were shown.")
    recordings = brain.data.recordings
    known = frozenset(str(key) for r in recordings for key in _of_region(r, one.region))
    data = replace(
        brain.data,
        recordings=tuple(_changed(r, one, reference, known) for r in recordings),
        behaviour=(),
        published=(),
        measures=(),
        missing={**brain.data.missing, "behaviour": LEFT_OUT},
    )
    return replace(brain, data=data, holdings=None)


def _of_region(recording: xr.DataArray, region: str) -> np.ndarray:
    return recording[UNIT_ID].values[recording[REGION].values.astype(str) == region]


def _changed(
    recording: xr.DataArray,
    one: Intervention,
    reference: StimulusSet | None,
    known_units: frozenset[str],
) -> xr.DataArray:
    """Mask the units of one recording that lie in the region."""
    here = np.flatnonzero(recording[REGION].values.astype(str) == one.region)
    if not len(here):
        return recording
    part = recording.isel({UNIT: here}).transpose(PRESENTATION, UNIT, ...)
    rows = part.values
    shown = part[STIMULUS_ID].values.astype(str)
    known = None
    if reference is not None and needs_reference(one.kind):
        known = _reference(rows, shown, reference)
    mask = unit_mask(one, part[UNIT_ID].values.astype(str), known=known_units)
    mask = mask.reshape(len(mask), *[1] * (rows.ndim - 2))
    new = applied(one, rows, mask, known, feature_axis=1, ids=_showings(shown))
    whole = recording.transpose(PRESENTATION, UNIT, ...).copy(deep=True)
    whole.values[:, here] = new
    return whole.transpose(*recording.dims).assign_attrs(
        intervention=one.describe(), origin=VIRTUAL
    )


def _reference(rows: np.ndarray, shown: np.ndarray, reference: StimulusSet) -> UnitStatistics:
    kept = np.isin(shown, list(reference.ids))
    if not kept.any():
        raise UsageError("None of the reference stimuli was shown in this recording.")
    return statistics_of([rows[kept]], ids=shown[kept].tolist(), keep=True)


def _showings(shown: Sequence[str]) -> list[str]:
    """Name every showing, so that repeats of a stimulus draw their own noise."""
    seen: Counter[str] = Counter()
    names = []
    for key in shown:
        names.append(f"{key}#{seen[key]}" if seen[key] else str(key))
        seen[key] += 1
    return names


def unit_mask(
    one: Intervention, unit_id: np.ndarray, *, known: frozenset[str] = frozenset()
) -> np.ndarray:
    """Say which units of a region an intervention strikes, by id or by number.

    Parameters
    ----------
    one : Intervention
        What is done.
    unit_id : array of str, shape (n_units,)
        Units of one subject's region.
    known : frozenset of str
        Ids of other subjects' units, which may be named too.

    Raises
    ------
    UsageError
        Targets lie beyond the region, or are not among its units; or a vector is of another length.
    """
    n = len(unit_id)
    if one.vector and len(one.vector) != n:
        raise UsageError(
            f"Region '{one.region}' has {n} units; the vector has {len(one.vector)} numbers."
        )
    if one.of == DIRECTION:
        return np.ones(n, dtype=bool)
    if one.of == LAYER:
        order = np.random.default_rng(one.seed).permutation(n)
        return np.isin(np.arange(n), order[: dosed(n, one.dose)])
    names = [str(key) for key in unit_id]
    there = {*names, *known, *range(n)}
    absent = [target for target in one.targets if target not in there]
    if absent:
        raise UsageError(
            f"Region '{one.region}' has {n} units, such as {listing(names[:3])}; there is no "
            f"{listing(absent)}."
        )
    struck = set(one.struck)
    return np.array([key in struck or place in struck for place, key in enumerate(names)])
