"""Stroke: lesions of 1,449 persons by arterial territory, and how severe their deficits were."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import DatasetCard
from neuroai.format.build import measure
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.sources.download import fetch_listed
from neuroai.sources.tables import MISSING, read_table

CARD = DatasetCard(
    name="absher2024",
    title="Stroke lesions and severity scores of 1,449 persons",
    folder="soop_stroke_lesions",
    url="https://github.com/neurolabusc/StrokeOutcomeOptimizationProjectDemo",
    licence="BSD-2-Clause (the repository); CC0 (the data, OpenNeuro ds004889)",
    citation="Absher et al. (2024), Scientific Data 11:839",
    doi="10.1038/s41597-024-03667-5",
    modality=("lesions", "clinical scores"),
    systems=("human",),
    n_stimuli=0,
    size_mib=14.81,
    answers={
        "computation": "stroke severity (NIHSS) and disability (Rankin) of each person",
        "algorithm": "nothing: no recordings were made",
        "implementation": "which arterial territories are damaged, and what follows from it",
    },
)

ARTERIES, PERSONS = "artery.tsv", "participants.tsv"
SCORES = {"nihss": "NIHSS", "gs_rankin_6isdeath": "Rankin", "age": "age"}
# Ages above 89 were published as "89+" for privacy: they are not known.
UNKNOWN = (*MISSING, "89+")


def load(*, offline: bool = False) -> Holdings:
    """Load scores and damaged territories; the masks are read by `read_lesion_masks`."""
    files = fetch_listed(CARD.folder, [ARTERIES, PERSONS], offline=offline)
    human = SystemData(
        name="human",
        kind="brain",
        species="Homo sapiens",
        missing={
            "recordings": "no recordings were made, only scans of the lesions",
            "behaviour": "clinical scores were published, no trials",
            "lesions": (
                "not loaded with the tables: the 1,449 masks are read by "
                "neuroai.sources.lesions.read_lesion_masks"
            ),
        },
        measures=(_scores(files), _territories(files)),
    )
    table = pd.DataFrame({"stimulus_id": np.array([], dtype=object)})
    return Holdings(card=CARD, stimuli=stimulus_set(table, name=CARD.name), systems=(human,))


def _scores(files: Mapping[str, Path]) -> xr.Dataset:
    table = read_table(files[PERSONS])
    persons = table.text("participant_id")
    return _long(
        persons,
        {ours: table.numbers(theirs, missing=UNKNOWN) for theirs, ours in SCORES.items()},
        sex=np.tile(table.text("sex"), len(SCORES)),
    )


def _territories(files: Mapping[str, Path]) -> xr.Dataset:
    table = read_table(files[ARTERIES])
    names = [name for name in table.columns if name != "participant_id"]
    return _long(table.text("participant_id"), {name: table.numbers(name) for name in names})


def _long(persons: np.ndarray, values: Mapping[str, np.ndarray], **more: np.ndarray) -> xr.Dataset:
    """Put one number a person and quantity into rows; scores that are missing stay missing."""
    size = len(persons) * len(values)
    return measure(
        {
            "value": np.concatenate(list(values.values())),
            "n": np.ones(size),
            "subject": np.tile(persons, len(values)),
            "quantity": np.repeat(np.array(list(values), dtype=object), len(persons)),
            "provenance": ["derived"] * size,
            **more,
        },
        system="human",
        kind="brain",
        stimulus_set=CARD.name,
    )
