"""132 cells of macaque inferior temporal cortex: seven objects at three positions."""

from __future__ import annotations

from pathlib import PurePosixPath

import pandas as pd

from neuroai.cards import ChoiceTask, Contrast, DatasetCard
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.sources.download import fetch_listed
from neuroai.sources.rasters import read_rasters

OBJECTS = ("car", "couch", "face", "flower", "guitar", "hand", "kiwi")
POSITIONS = ("lower", "middle", "upper")

CARD = DatasetCard(
    name="zhang2011",
    title="Seven objects at three positions in macaque inferior temporal cortex",
    folder="zhang_desimone_it",
    url="https://github.com/emeyers/NeuroDecodeR/tree/826e2119a69d7879c3f58c75854272324dead2a7",
    licence="GPL-3.0 (the repository that distributes the files)",
    citation="Zhang, Meyers, Bichot, Serre, Poggio & Desimone (2011), PNAS 108:8850-8855",
    doi="10.1073/pnas.1100999108",
    modality=("single units",),
    systems=("monkey",),
    n_stimuli=21,
    size_mib=1.77,
    answers={
        "computation": "choices by a readout of the cells; the monkey's own were not published",
        "algorithm": "counts of 132 cells in 50-ms bins, 19 or 20 pseudo-trials a stimulus",
        "implementation": "localiser and virtual lesions of cells; no lesion was measured",
    },
    contrasts={
        "upper": Contrast(column="position", positive=("upper",), negative=("lower",)),
        "kiwi-or-flower": Contrast(column="object", positive=("flower", "kiwi")),
    },
    tasks=(
        ChoiceTask(name="object", options=OBJECTS, truth="object", readout=True),
        ChoiceTask(name="position", options=POSITIONS, truth="position", readout=True),
    ),
)

WINDOW, BIN = (0.0, 0.5), 0.05
# The files name no animal; every session begins with these letters.
SUBJECT = "bp"


def load(*, offline: bool = False) -> Holdings:
    """Load the counts of every cell, paired by stimulus into pseudo-trials."""
    files = fetch_listed(CARD.folder, offline=offline)
    paths = {
        PurePosixPath(path).stem.removesuffix("_raster_data"): file for path, file in files.items()
    }
    cells = read_rasters(
        paths, system="monkey", stimulus_set=CARD.name, subject=SUBJECT, region="IT",
        stimulus_id="combined_ID_position", window=WINDOW, bin_width=BIN,
    )  # fmt: skip
    stimuli = _stimuli()
    shown = cells["stimulus_id"].values
    labelled = cells.assign_coords(
        {name: ("presentation", stimuli.column(name, shown)) for name in ("object", "position")}
    )
    monkey = SystemData(
        name="monkey",
        kind="brain",
        species="Macaca mulatta",
        recordings=(labelled,),
        missing={
            "behaviour": "no choices were published with the rasters",
            "lesions": "no lesion or stimulation was part of the study",
        },
    )
    return Holdings(card=CARD, stimuli=stimuli, systems=(monkey,))


def _stimuli() -> StimulusSet:
    rows = [
        {"stimulus_id": f"{thing}_{place}", "object": thing, "position": place, "category": thing}
        for thing in OBJECTS
        for place in POSITIONS
    ]
    return stimulus_set(pd.DataFrame(rows, dtype=object), name=CARD.name)
