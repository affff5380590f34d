"""Faces, houses and six other categories: fMRI of one person, one slice, twelve runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import xarray as xr

from neuroai.cards import DatasetCard
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.sources.download import fetch_listed
from neuroai.sources.fmri import read_bold

CARD = DatasetCard(
    name="haxby2001",
    title="Eight object categories in one slice of one human brain (fMRI)",
    folder="haxby2001_pymvpa",
    url="https://github.com/PyMVPA/PyMVPA",
    licence="MIT (the repository that distributes the files); the original data CC BY-SA 3.0",
    citation=(
        "Haxby et al. (2001), Science 293:2425-2430; distributed by Hanke et al. (2009), "
        "Neuroinformatics 7:37-53"
    ),
    doi="10.1126/science.1063736",
    modality=("fMRI",),
    systems=("human",),
    n_stimuli=8,
    size_mib=3.74,
    answers={
        "computation": "nothing in the person: no responses were published",
        "algorithm": "patterns of eight categories in 12 runs, 530 voxels of a posterior slice",
        "implementation": "nothing that eight stimuli could localise, and no lesions",
    },
)

RUNS = tuple(f"openfmri/sub001/BOLD/task001_run{number:03d}" for number in range(1, 13))
MASK = "oneslice/mask.nii.gz"
# A category is shown once a run of 300 s: a faster high-pass would take out the response itself.
HIGH_PASS = 0.003
CATEGORIES = ("bottle", "cat", "chair", "face", "house", "scissors", "scrambledpix", "shoe")


def load(*, offline: bool = False) -> Holdings:
    """Load the single slice as one estimate a category and run; the pictures are not at hand."""
    paths = [f"{run}/{name}" for run in RUNS for name in ("bold_1slice.nii.gz", "bold_events.tsv")]
    files = fetch_listed(CARD.folder, [MASK, *paths], offline=offline)
    human = SystemData(
        name="human",
        kind="brain",
        species="Homo sapiens",
        recordings=(_estimates(files),),
        missing={
            "behaviour": "no responses of the person were published with these files",
            "lesions": "no lesion, silencing or stimulation was part of the study",
        },
    )
    rows = {"stimulus_id": CATEGORIES, "category": CATEGORIES, "label": CATEGORIES}
    stimuli = stimulus_set(pd.DataFrame(rows, dtype=object), name=CARD.name)
    return Holdings(card=CARD, stimuli=stimuli, systems=(human,))


def _estimates(files: Mapping[str, Path]) -> xr.DataArray:
    return read_bold(
        [files[f"{run}/bold_1slice.nii.gz"] for run in RUNS],
        events=[files[f"{run}/bold_events.tsv"] for run in RUNS],
        mask=files[MASK],
        subject="1",
        stimulus_set=CARD.name,
        model="condition",
        high_pass=HIGH_PASS,
    )
