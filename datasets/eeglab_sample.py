"""EEG and presses of a button in a visual attention task: the sample recording of EEGLAB."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import DatasetCard
from neuroai.format.build import behaviour
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.sources.download import fetch_listed
from neuroai.sources.eeg import read_eeg

CARD = DatasetCard(
    name="eeglab_sample",
    title="EEG of 80 visual targets with 74 presses of a button",
    folder="eeglab_sample",
    url="https://github.com/sccn/eeglab/tree/94b8557aa27484c4e2cb4775315802d420b93f32/sample_data",
    licence="BSD-2-Clause (the repository; the sample data have no statement of their own)",
    citation="Delorme & Makeig (2004), Journal of Neuroscience Methods 134:9-21",
    doi="10.1016/j.jneumeth.2003.10.009",
    modality=("EEG", "behaviour"),
    systems=("human",),
    n_stimuli=1,
    size_mib=4.06,
    answers={
        "computation": "detections and response times of one person for 80 targets",
        "algorithm": "nothing to compare: all 80 targets are the same stimulus",
        "implementation": "nothing to compare: no lesion, and one stimulus only",
    },
)

RECORDING = "eeglab_data.set"
TARGET, PRESS = "square", "rt"
SUBJECT = "sample"
EYES = {"EOG1": "eog", "EOG2": "eog"}


def load(*, offline: bool = False) -> Holdings:
    """Load the epochs around the targets, and the response to each."""
    path = fetch_listed(CARD.folder, offline=offline)[RECORDING]
    targets, presses = (
        read_eeg(
            path, system="human", subject=SUBJECT, stimulus_set=CARD.name, conditions=[event],
            channel_types=EYES,
        )
        for event in (TARGET, PRESS)
    )  # fmt: skip
    table = pd.DataFrame({"stimulus_id": [TARGET], "label": ["filled square"]}, dtype=object)
    human = SystemData(
        name="human",
        kind="brain",
        species="Homo sapiens",
        recordings=(targets,),
        behaviour=(_responses(targets["onset"].values, presses["onset"].values),),
        missing={"lesions": "no lesion or stimulation was part of the study"},
    )
    stimuli = stimulus_set(table, name=CARD.name)
    return Holdings(card=CARD, stimuli=stimuli, systems=(human,))


def _responses(targets: np.ndarray, presses: np.ndarray) -> xr.Dataset:
    """Give every target the first press before the next target, if there was one."""
    first = np.searchsorted(presses, targets)
    following = np.append(presses, np.inf)[first]
    pressed = following < np.append(targets[1:], np.inf)
    return behaviour(
        {
            "subject": [SUBJECT] * len(targets),
            "stimulus_id": [TARGET] * len(targets),
            "choice": np.where(pressed, "press", ""),
            "truth": ["press"] * len(targets),
            "response_time": np.where(pressed, following - targets, np.nan),
            "correct": pressed.astype(float),
            "onset": targets,
        },
        system="human",
        kind="brain",
        stimulus_set=CARD.name,
        task="detection",
        options=("press",),
        attrs={"modality": "behaviour", "choice_by": "recorded"},
    )
