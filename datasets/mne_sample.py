"""MEG and EEG averages for tones and checkerboards, left and right: the sample of MNE."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neuroai.cards import DatasetCard
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.sources.download import fetch_listed
from neuroai.sources.eeg import read_eeg

CARD = DatasetCard(
    name="mne_sample",
    title="MEG and EEG averages of four conditions",
    folder="mne_sample_evoked_meg",
    url="https://github.com/mne-tools/mne-python/tree/8aa8dec45a522363be02cba78d0856442b208067/mne/io/tests/data",
    licence="BSD-3-Clause",
    citation="Gramfort et al. (2013), Frontiers in Neuroscience 7:267",
    doi="10.3389/fnins.2013.00267",
    modality=("MEG", "EEG"),
    systems=("human",),
    n_stimuli=4,
    size_mib=2.23,
    answers={
        "computation": "nothing: no choices are in these files",
        "algorithm": "averages of 3 to 6 epochs of one person, too few for any claim",
        "implementation": "nothing to compare: four conditions are too few for two halves",
    },
)

AVERAGES = "test-ave.fif.gz"
SUBJECT = "sample"


def load(*, offline: bool = False) -> Holdings:
    """Load the four averages of 306 MEG and 60 EEG channels."""
    path = fetch_listed(CARD.folder, offline=offline)[AVERAGES]
    averages = read_eeg(path, system="human", subject=SUBJECT, stimulus_set=CARD.name)
    ids = np.array([str(name).lower().replace(" ", "-") for name in averages["condition"].values])
    recording = averages.assign_coords(stimulus_id=("presentation", ids.astype(object)))
    table = pd.DataFrame(
        [
            {"stimulus_id": key, "side": key.split("-")[0], "sense": key.split("-")[1]}
            for key in ids
        ],
        dtype=object,
    )
    human = SystemData(
        name="human",
        kind="brain",
        species="Homo sapiens",
        recordings=(recording,),
        missing={
            "behaviour": "the files hold averages, no responses",
            "lesions": "no lesion or stimulation was part of the study",
        },
    )
    stimuli = stimulus_set(table, name=CARD.name)
    return Holdings(card=CARD, stimuli=stimuli, systems=(human,))
