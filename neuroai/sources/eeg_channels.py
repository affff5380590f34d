"""Channels of EEG, MEG and intracranial recordings: which, of which type, unit and position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroai.checks import known_name, listing
from neuroai.errors import DataError

if TYPE_CHECKING:
    from mne import Info

# The units in which mne keeps the values of each type of channel.
VOLTS = ("eeg", "eog", "ecg", "emg", "seeg", "ecog", "dbs", "bio", "exci", "fnirs_cw_amplitude")
UNITS = {
    **dict.fromkeys(VOLTS, "V"),
    **dict.fromkeys(("mag", "ref_meg"), "T"),
    "grad": "T/m",
    "csd": "V/m^2",
    "dipole": "A m",
    **dict.fromkeys(("hbo", "hbr"), "mol/L"),
    "gsr": "S",
    "temperature": "degC",
}
UNKNOWN_UNIT = "arbitrary"
DATA_TYPES = ("eeg", "mag", "grad", "seeg", "ecog", "dbs", "csd", "hbo", "hbr")
MILLIMETRES = 1000.0
# No brain varies by half a volt; values in microvolts taken for volts do.
LARGEST_DEVIATION = 0.5
LARGEST_HEAD = 2.0  # metres, sensors of MEG included; in millimetres every sensor is beyond
DEVICE_FRAME, HEAD_FRAME = 1, 4


def chosen_channels(info: Info, picks: str | Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Choose channels by type or by name.

    Parameters
    ----------
    info : mne.Info
        Channels of the recording.
    picks : str or sequence of str
        ``"data"`` (every good channel that measures the brain), ``"all"``, or types and names
        of channels. Channels marked as bad are taken only by their name or by ``"all"``.

    Returns
    -------
    tuple
        Indices in order of the recording, and the names of bad channels that were left out.

    Raises
    ------
    UnknownName
        No channel has this name or type.
    DataError
        No channel is left.
    """
    names, types = list(info["ch_names"]), list(info.get_channel_types())
    if picks == "all":
        return np.arange(len(names)), ()
    wanted = [picks] if isinstance(picks, str) else list(picks)
    if picks != "data":
        for one in wanted:
            known_name(one, [*names, *sorted(set(types))], kind="channel or type of channel")
    of_type = [t in (DATA_TYPES if picks == "data" else wanted) for t in types]
    bad = [name in info["bads"] for name in names]
    kept = [
        name in wanted or (fits and not is_bad)
        for name, fits, is_bad in zip(names, of_type, bad, strict=True)
    ]
    rows = zip(names, of_type, bad, kept, strict=True)
    left_out = tuple(n for n, fits, is_bad, is_kept in rows if fits and is_bad and not is_kept)
    if not any(kept):
        raise DataError(
            f"No channel is left by picks={picks!r}; there are channels of type "
            f"{listing(sorted(set(types)))}. Name types or channels."
        )
    return np.flatnonzero(kept), left_out


def channel_columns(info: Info) -> dict[str, Any]:
    """Describe every channel: name, type, position, and unit.

    Returns
    -------
    dict
        ``unit_id`` and ``channel_type`` (str), ``x y z`` (mm, in the head's frame: right, front,
        up; NaN where unknown) and ``physical_unit`` (str), each of length n_channels.
    """
    types = list(info.get_channel_types())
    x, y, z = _positions(info).T
    return {
        "unit_id": list(info["ch_names"]),
        "channel_type": types,
        "x": x,
        "y": y,
        "z": z,
        "physical_unit": [UNITS.get(kind, UNKNOWN_UNIT) for kind in types],
    }


def _positions(info: Info) -> np.ndarray:
    """Positions in mm in the head's frame, NaN where the recording does not state them."""
    places = np.array([channel["loc"][:3] for channel in info["chs"]], dtype=np.float64)
    frames = np.array([int(channel["coord_frame"]) for channel in info["chs"]])
    device = frames == DEVICE_FRAME
    transform = info["dev_head_t"]
    if device.any() and transform is not None:
        matrix = np.asarray(transform["trans"])
        places[device] = places[device] @ matrix[:3, :3].T + matrix[:3, 3]
        frames[device] = HEAD_FRAME
    stated = [np.any(channel["loc"][:3] != 0) for channel in info["chs"]]
    places[~(np.array(stated) & (frames == HEAD_FRAME))] = np.nan
    return places * (1.0 if positions_in_millimetres(places) else MILLIMETRES)


def positions_in_millimetres(positions: np.ndarray) -> bool:
    """Say whether positions that are meant to be metres are millimetres: no head is that large.

    Parameters
    ----------
    positions : array, shape (n_channels, 3)
        Positions about the centre of the head, NaN where unknown.

    Examples
    --------
    >>> positions_in_millimetres(np.array([[0.0, 85.0, 40.0]]))
    True
    >>> positions_in_millimetres(np.array([[0.0, 0.085, 0.04]]))
    False
    """
    distances = np.linalg.norm(positions, axis=1)
    known = distances[np.isfinite(distances)]
    return bool(len(known) and np.median(known) > LARGEST_HEAD)


def refuse_microvolts(values: np.ndarray, types: Sequence[str], *, source: str) -> None:
    """Raise if potentials vary by more than any tissue can, as values in microvolts do.

    Parameters
    ----------
    values : array, shape (n_presentations, n_channels, n_times)
        Values that are meant to be volts.
    types : sequence of str, length n_channels
        Types of the channels.

    Raises
    ------
    DataError
        The median channel deviates by more than half a volt within the first presentation.
    """
    electric = np.isin(types, VOLTS)
    if not electric.any() or values.shape[0] == 0 or values.shape[2] < 2:
        return
    deviation = float(np.median(values[0, electric].std(axis=-1)))
    if deviation > LARGEST_DEVIATION:
        raise DataError(
            f"The potentials of {source} vary by {deviation:.3g} V within one presentation, which "
            "no tissue does: they are in microvolts or counts. Scale them to volts first "
            "(for microvolts, multiply by 1e-6)."
        )
