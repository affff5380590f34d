"""Values, channels, times and columns of whatever mne opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from neuroai.checks import known_name, listing
from neuroai.errors import DataError, UsageError
from neuroai.sources.eeg_channels import chosen_channels
from neuroai.sources.eeg_events import CONDITION, check_windows, event_table

if TYPE_CHECKING:
    from mne import BaseEpochs, Evoked
    from mne.io import BaseRaw

TMIN, TMAX = -0.2, 0.8
IGNORED = "IGNORED"
ONLY_CONTINUOUS = ("events", "event_id", "baseline")


@dataclass(frozen=True)
class Window:
    """How a recording is cut and thinned.

    Attributes
    ----------
    tmin, tmax : float or None
        Seconds around the onset; None for the whole of epochs and averages.
    baseline : tuple or None
        Window whose mean is subtracted from each epoch of a continuous recording.
    decimate : int
        Keep every n-th sample.
    incomplete : {"raise", "drop"}
        What to do with events whose window reaches over an end of the recording.
    """

    tmin: float | None = None
    tmax: float | None = None
    baseline: tuple[float | None, float | None] | None = None
    decimate: int = 1
    incomplete: str = "raise"


@dataclass(frozen=True)
class Parts:
    """What every source is brought to.

    Attributes
    ----------
    values : array, shape (n_presentations, n_channels, n_times), float64
        In the units in which mne keeps them.
    info : mne.Info
        The channels.
    times : array, shape (n_times,)
        Seconds since the onset.
    columns : DataFrame
        One row a presentation.
    notes : tuple of str
        What was left out.
    """

    values: np.ndarray
    info: Any
    times: np.ndarray
    columns: pd.DataFrame
    notes: tuple[str, ...] = ()


def parts_of(
    opened: Any,
    *,
    window: Window,
    picks: str | Sequence[str],
    channel_types: Mapping[str, str] | None,
    conditions: Sequence[str] | None,
    events: Any = None,
    event_id: Mapping[str, int] | None = None,
    owned: bool = False,
) -> Parts:
    """Cut, choose and thin what mne opened.

    Parameters
    ----------
    opened : mne.io.BaseRaw, mne.BaseEpochs or list of mne.Evoked
        As `neuroai.sources.eeg_files.open_eeg` gives it.
    owned : bool
        Whether the object may be changed, which saves a copy.

    Raises
    ------
    UsageError
        An option of continuous recordings came with epochs or averages.
    DataError
        As `neuroai.sources.eeg.read_eeg`.
    """
    import mne

    if isinstance(opened, mne.io.BaseRaw):
        opened = _typed(opened, channel_types, owned=False)
        table = event_table(opened, events=events, event_id=event_id, conditions=conditions)
        return _from_raw(opened, table, window, picks)
    given = (events, event_id, window.baseline)
    wrong = [n for n, value in zip(ONLY_CONTINUOUS, given, strict=True) if value is not None]
    if wrong:
        raise UsageError(
            f"{listing(wrong)} is for continuous recordings; this one is cut already. Leave it out."
        )
    if isinstance(opened, mne.BaseEpochs):
        mine = _typed(opened, channel_types, owned=owned)
        return _from_epochs(mine, conditions, window, picks)
    return _from_averages([_typed(e, channel_types, owned=False) for e in opened], conditions,
                          window, picks)  # fmt: skip


def _typed(instance: Any, types: Mapping[str, str] | None, *, owned: bool) -> Any:
    """Copy what is not ours, without copying the samples of a file, and correct the types."""
    mine = instance if owned else instance.copy()
    if types:
        for name in types:
            known_name(name, mine.ch_names, kind="channel")
        mine.set_channel_types(dict(types), on_unit_change="ignore")
    return mine


def _from_raw(
    raw: BaseRaw, table: pd.DataFrame, window: Window, picks: str | Sequence[str]
) -> Parts:
    import mne

    tmin = TMIN if window.tmin is None else window.tmin
    tmax = TMAX if window.tmax is None else window.tmax
    kept = check_windows(table, raw, tmin=tmin, tmax=tmax, incomplete=window.incomplete)
    samples = np.round(kept["onset"].to_numpy() * raw.info["sfreq"]).astype(int) + raw.first_samp
    if len(np.unique(samples)) < len(samples):
        raise DataError(_same_sample(kept, samples))
    codes = np.column_stack([samples, np.zeros_like(samples), np.ones_like(samples)])
    channels, left_out = chosen_channels(raw.info, picks)
    epochs = mne.Epochs(
        raw, codes, tmin=tmin, tmax=tmax, picks=channels, baseline=window.baseline, preload=False
    )
    thinned = _loaded(_decimated(epochs, window.decimate))
    rows = thinned.selection
    lost, marked = len(table) - len(kept), len(kept) - len(rows)
    return Parts(
        values=thinned.get_data(copy=False),
        info=thinned.info,
        times=thinned.times,
        columns=kept.iloc[rows].reset_index(drop=True),
        notes=_said(
            f"{lost} events near an end of the recording were left out" if lost else "",
            f"{marked} events in segments marked as bad were left out" if marked else "",
            _bad(left_out),
        ),
    )


def _same_sample(table: pd.DataFrame, samples: np.ndarray) -> str:
    names = table[CONDITION].to_numpy()
    order = np.argsort(samples, kind="stable")
    twice = order[1:][np.diff(samples[order]) == 0]
    return (
        f"{len(twice)} event(s) fall on the same sample as another: "
        f"{listing(sorted({str(names[i]) for i in twice}))}. "
        "Use conditions= to choose the events that are presentations."
    )


def _from_epochs(
    epochs: BaseEpochs,
    conditions: Sequence[str] | None,
    window: Window,
    picks: str | Sequence[str],
) -> Parts:
    names = {code: name for name, code in epochs.event_id.items()}
    if conditions is not None:
        wanted = [known_name(name, epochs.event_id, kind="event") for name in conditions]
        epochs = epochs[[names[code] in wanted for code in epochs.events[:, 2]]]
    columns = pd.DataFrame({CONDITION: [names[code] for code in epochs.events[:, 2]]})
    if epochs.metadata is not None:
        own = epochs.metadata.reset_index(drop=True)
        columns = pd.concat([columns.drop(columns=[c for c in columns if c in own]), own], axis=1)
    _within(epochs, window)
    if window.tmin is not None or window.tmax is not None:
        epochs = _loaded(epochs).crop(window.tmin, window.tmax)
    thinned, left_out = _picked(_loaded(_decimated(epochs, window.decimate)), picks)
    dropped = sum(1 for reasons in thinned.drop_log if reasons and IGNORED not in reasons)
    return Parts(
        values=thinned.get_data(copy=False),
        info=thinned.info,
        times=thinned.times,
        columns=columns,
        notes=_said(f"{dropped} epochs were rejected before" if dropped else "", _bad(left_out)),
    )


def _from_averages(
    averages: list[Evoked],
    conditions: Sequence[str] | None,
    window: Window,
    picks: str | Sequence[str],
) -> Parts:
    comments = [average.comment for average in averages]
    if conditions is not None:
        wanted = [known_name(name, comments, kind="average") for name in conditions]
        averages = [average for average in averages if average.comment in wanted]
    _refuse_unlike(averages)
    left_out: tuple[str, ...] = ()
    done = []
    for average in averages:
        _within(average, window)
        cut = average.crop(window.tmin, window.tmax)
        thinned, left_out = _picked(_decimated(cut, window.decimate), picks)
        done.append(thinned)
    columns = {CONDITION: [a.comment for a in done], "n_repeats": [float(a.nave) for a in done]}
    return Parts(
        values=np.stack([average.data for average in done]),
        info=done[0].info,
        times=done[0].times,
        columns=pd.DataFrame(columns),
        notes=_said(_bad(left_out)),
    )


def _refuse_unlike(averages: list[Evoked]) -> None:
    first = averages[0]
    for other in averages:
        if other.kind != "average":
            raise DataError(f"'{other.comment}' holds the {other.kind}, not an average. Drop it.")
        same_times = np.array_equal(other.times, first.times)
        if (
            not same_times
            or other.ch_names != first.ch_names
            or other.info["sfreq"] != first.info["sfreq"]
        ):
            raise DataError(
                f"The averages '{first.comment}' and '{other.comment}' differ in channels, times "
                "or sampling rate. Read them one by one."
            )


def _within(instance: Any, window: Window) -> None:
    """Refuse a window that the epochs do not hold, where mne would shorten it."""
    half = 0.5 / instance.info["sfreq"]
    first, last = instance.times[0], instance.times[-1]
    low = first if window.tmin is None else window.tmin
    high = last if window.tmax is None else window.tmax
    if low < first - half or high > last + half or low >= high:
        raise DataError(
            f"The epochs run from {first:.4g} to {last:.4g} s; the window from {low:.4g} to "
            f"{high:.4g} s is not within them. Choose tmin and tmax inside."
        )


def _loaded(epochs: BaseEpochs) -> BaseEpochs:
    """Read the values, or say that the file does not hold them all."""
    try:
        return epochs.load_data()
    except (OSError, EOFError, ValueError, RuntimeError) as error:
        raise DataError(
            f"The values cannot be read ({error}): the file is cut short or damaged. "
            "Fetch or export it anew."
        ) from error


def _picked(instance: Any, picks: str | Sequence[str]) -> tuple[Any, tuple[str, ...]]:
    rows, left_out = chosen_channels(instance.info, picks)
    # Picking copies, so all channels are left where they are.
    return (instance if len(rows) == len(instance.ch_names) else instance.pick(rows)), left_out


def _decimated(instance: Any, decimate: int) -> Any:
    """Keep every n-th sample, unless that aliases."""
    if not isinstance(decimate, int) or decimate < 1:
        raise UsageError(f"decimate is a whole number from 1; got {decimate!r}.")
    if decimate == 1:
        return instance
    rate, lowpass = instance.info["sfreq"] / decimate, instance.info["lowpass"]
    if lowpass > rate / 2:
        raise DataError(
            f"Keeping every {decimate}th sample gives {rate:g} Hz, which carries up to "
            f"{rate / 2:g} Hz, but the recording was filtered at {lowpass:g} Hz: faster "
            f"activity would appear as slow. Filter first (in mne: "
            f"instance.filter(None, {rate / 3:.4g})) and hand over the object."
        )
    return instance.decimate(decimate)


def _bad(names: Sequence[str]) -> str:
    return f"channels marked as bad were left out: {listing(names, shown=20)}" if names else ""


def _said(*sentences: str) -> tuple[str, ...]:
    return tuple(sentence for sentence in sentences if sentence)
