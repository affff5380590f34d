"""200 Dutch word pairs: EEG while one person judged whether the words are related."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import ChoiceTask, Contrast, DatasetCard
from neuroai.format.build import behaviour
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.sources.download import fetch_listed
from neuroai.sources.eeg import read_eeg

OPTIONS = ("related", "unrelated")

CARD = DatasetCard(
    name="vanvliet2014",
    title="200 related and unrelated word pairs: EEG, judgements and association strength",
    folder="vanvliet_semantic_eeg",
    url="https://github.com/wmvanvliet/neuroscience_tutorials/tree/f5926e8f4f74ec27498ab1b3df8bb16be28c325b/posthoc",
    licence="BSD-3-Clause",
    citation=(
        "van Vliet, neuroscience_tutorials (files); the design is that of van Vliet et al. "
        "(2014), PLoS ONE 9:e87650"
    ),
    doi="10.1371/journal.pone.0087650",
    modality=("EEG", "behaviour"),
    systems=("human",),
    n_stimuli=200,
    size_mib=1.50,
    answers={
        "computation": "choices between related and unrelated, with reaction times, of one person",
        "algorithm": "EEG of 32 channels at 50 Hz for 200 word pairs, each shown once",
        "implementation": "localiser and virtual lesions of channels; no lesion was measured",
    },
    contrasts={
        "related": Contrast(column="label", positive=("related",), negative=("unrelated",)),
    },
    tasks=(ChoiceTask(name="relatedness", options=OPTIONS, truth="label", readout=True),),
)

EPOCHS = "subject04-epo.fif"
SUBJECT = "subject04"
# The files name no meaning; 99 of 100 related pairs got button 1, 80 of 100 unrelated button 2.
BUTTONS = {1: "related", 2: "unrelated"}


def load(*, offline: bool = False) -> Holdings:
    """Load the epochs, the judgements and the word pairs."""
    path = fetch_listed(CARD.folder, offline=offline)[EPOCHS]
    epochs = read_eeg(
        path, system="human", subject=SUBJECT, stimulus_set=CARD.name, stimulus_id="cue"
    )
    stimuli = _stimuli(epochs)
    recording = epochs.assign_coords(
        stimulus_id=("presentation", _ids(epochs)), label=("presentation", epochs["condition"].data)
    )
    human = SystemData(
        name="human",
        kind="brain",
        species="Homo sapiens",
        recordings=(recording,),
        behaviour=(_judgements(recording),),
        missing={"lesions": "no lesion or stimulation was part of the study"},
    )
    return Holdings(card=CARD, stimuli=stimuli, systems=(human,))


def _ids(epochs: xr.DataArray) -> np.ndarray:
    pairs = zip(epochs["cue"].values, epochs["association"].values, strict=True)
    return np.array([f"{cue}-{association}" for cue, association in pairs], dtype=object)


def _stimuli(epochs: xr.DataArray) -> StimulusSet:
    table = pd.DataFrame(
        {
            "stimulus_id": _ids(epochs),
            "cue": epochs["cue"].values,
            "association": epochs["association"].values,
            "label": epochs["condition"].values,
        },
        dtype=object,
    ).assign(FAS=epochs["FAS"].values)
    texts = {key: key.replace("-", " ") for key in table["stimulus_id"]}
    return stimulus_set(table, name=CARD.name, load=texts.__getitem__)


def _judgements(recording: xr.DataArray) -> xr.Dataset:
    choice = np.array([BUTTONS[int(b)] for b in recording["button"].values], dtype=object)
    truth = recording["label"].values
    return behaviour(
        {
            "subject": [SUBJECT] * len(choice),
            "stimulus_id": recording["stimulus_id"].values,
            "choice": choice,
            "truth": truth,
            "condition": truth,
            "response_time": recording["reaction-time"].values,
            "correct": (choice == truth).astype(float),
        },
        system="human",
        kind="brain",
        stimulus_set=CARD.name,
        task="relatedness",
        options=OPTIONS,
        attrs={
            "modality": "behaviour",
            "choice_by": "recorded",
            "note": "button 1 is taken for related: 99 of 100 related pairs got it",
        },
    )
