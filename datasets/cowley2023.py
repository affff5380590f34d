"""Macaque V4 and natural images: four sessions of spike counts, with the images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import DatasetCard
from neuroai.format.build import recording
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.sources.download import fetch_listed
from neuroai.sources.zipped_images import EncodedImages, read_zipped_images

CARD = DatasetCard(
    name="cowley2023",
    title="Macaque V4 responses to 4,240 images in four sessions",
    folder="cowley_v4",
    url="https://github.com/cowleygroup/V4_compact_models/tree/f4552ad9d34a466ebc66658f72a08a8e5038f1cf",
    licence="GPL-3.0 (code, data and models of the repository)",
    citation=(
        "Cowley, Stan, Pillow & Smith (2023), bioRxiv, Compact deep neural network models of "
        "visual cortex"
    ),
    doi="10.1101/2023.11.22.568315",
    modality=("single units",),
    systems=("monkey",),
    n_stimuli=4240,
    size_mib=17.79,
    answers={
        "computation": "nothing in the brain: the monkeys fixated and chose nothing",
        "algorithm": "spike counts of 227 V4 units; single repeats in the session 210325",
        "implementation": (
            "virtual lesions of units; the compact networks that were published with the data "
            "are pickled arrays and are left out"
        ),
    },
)


@dataclass(frozen=True)
class Session:
    """What the files do not say about a session: the monkey, and showings of each image."""

    monkey: str
    n_repeats: int | None


# Repeats of 210325 are in the files; of the others the publication states the number.
SESSIONS = {
    "190923": Session("WE", 14),
    "201025": Session("PE", 12),
    "210225": Session("PE", 6),
    "210325": Session("PE", None),
}
IMAGES = "images/images_{}.zip"
MEANS = "responses_repeat_averaged/responses_{}.npy"
REPEATS = "responses_raw/responses_{}.npy"


def load(*, offline: bool = False) -> Holdings:
    """Load the images and the counts of every session."""
    files = fetch_listed(CARD.folder, offline=offline)
    stimuli = _stimuli({name: files[IMAGES.format(name)] for name in SESSIONS})
    recordings = []
    for name, session in SESSIONS.items():
        single = session.n_repeats is None
        path = files[(REPEATS if single else MEANS).format(name)]
        # Without pickles: an array of objects would be refused.
        counts = np.load(path, allow_pickle=False)
        recordings.append((_repeats if single else _means)(counts, name))
    monkey = SystemData(
        name="monkey",
        kind="brain",
        species="Macaca mulatta",
        recordings=tuple(recordings),
        missing={
            "behaviour": "the monkeys fixated; they made no choices",
            "lesions": "no lesion, silencing or stimulation was part of the study",
        },
    )
    return Holdings(card=CARD, stimuli=stimuli, systems=(monkey,))


def _stimuli(archives: dict[str, Path]) -> StimulusSet:
    images = {
        f"{session}/{name}": content
        for session, path in archives.items()
        for name, content in read_zipped_images(path).items()
    }
    table = pd.DataFrame(
        {"stimulus_id": list(images), "session": [key.partition("/")[0] for key in images]},
        dtype=object,
    )
    return stimulus_set(table, name=CARD.name, load=EncodedImages(images))


def _ids(session: str, n_images: int) -> np.ndarray:
    ids = [f"{session}/image{number:04d}" for number in range(1, n_images + 1)]
    return np.array(ids, dtype=object)


def _means(counts: np.ndarray, session: str) -> xr.DataArray:
    """Make one presentation an image, the mean over its showings."""
    n_images = counts.shape[1]
    shown = np.full(n_images, float(SESSIONS[session].n_repeats or 0))
    return _recording(counts.T, session, _ids(session, n_images), {"n_repeats": shown})


def _repeats(counts: np.ndarray, session: str) -> xr.DataArray:
    """Make one presentation a showing; the array is padded with NaN to the most showings."""
    n_images, most = counts.shape[1:]
    flat = counts.reshape(len(counts), n_images * most).T
    shown = np.isfinite(flat).all(axis=1)
    ids = np.repeat(_ids(session, n_images), most)[shown]
    repeat = np.tile(np.arange(1.0, most + 1), n_images)[shown]
    return _recording(flat[shown], session, ids, {"repeat": repeat})


def _recording(
    values: np.ndarray, session: str, ids: np.ndarray, presentation: dict[str, np.ndarray]
) -> xr.DataArray:
    n_units = values.shape[1]
    return recording(
        values,
        stimulus_id=ids,
        unit_id=[f"{session}-{number:02d}" for number in range(n_units)],
        # Other cells and images in every session: a region of its own.
        region=f"V4 {session}",
        presentation=presentation,
        unit={"session": [session] * n_units},
        system="monkey",
        kind="brain",
        stimulus_set=CARD.name,
        subject=SESSIONS[session].monkey,
        modality="single units",
        physical_unit="spikes",
        attrs={"note": "counts in 100 ms"},
    )
