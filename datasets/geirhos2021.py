"""Seventeen tests of robust object recognition: the choices of humans, trial by trial."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import ChoiceTask, DatasetCard
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.sources.behaviour import read_behaviour
from neuroai.sources.download import fetch_listed

CATEGORIES = (
    "airplane", "bear", "bicycle", "bird", "boat", "bottle", "car", "cat",
    "chair", "clock", "dog", "elephant", "keyboard", "knife", "oven", "truck",
)  # fmt: skip

EXPERIMENTS = (
    "colour", "contrast", "cue-conflict", "edge", "eidolonI", "eidolonII", "eidolonIII",
    "false-colour", "high-pass", "low-pass", "phase-scrambling", "power-equalisation",
    "rotation", "silhouette", "sketch", "stylized", "uniform-noise",
)  # fmt: skip

CARD = DatasetCard(
    name="geirhos2021",
    title="Robust object recognition: 16-way choices of humans in 17 experiments",
    folder="model_vs_human_humans",
    url="https://github.com/bethgelab/model-vs-human",
    licence=(
        "code MIT; cue-conflict, edge and silhouette images CC BY 4.0; the repository states no "
        "separate licence for the tables of choices"
    ),
    citation="Geirhos, Narayanappa, Mitzkus et al. (2021), NeurIPS, arXiv:2106.07411",
    doi="10.48550/arXiv.2106.07411",
    modality=("behaviour",),
    systems=("human",),
    n_stimuli=18080,
    size_mib=7.84,
    answers={
        "computation": "choices among 16 categories: accuracy, confusions, consistency",
        "algorithm": "nothing in the humans: no recordings were made",
        "implementation": "nothing in the humans: no recordings and no lesions",
    },
    tasks=tuple(
        ChoiceTask(name=task, options=CATEGORIES, truth="truth", where=("task", task))
        for task in EXPERIMENTS
    ),
)

COLUMNS = {
    "subject": "subj",
    "session": "session",
    "response_time": "rt",
    "choice": "object_response",
    "truth": "category",
    "condition": "condition",
    "stimulus_id": "imagename",
}
# A name is a counter of trials, the experiment, the subject, and then the image's own name.
OWN_NAME = re.compile(r"^\d+_[a-z0-9]+_s\d+_(?P<name>.+)\.png$")


def load(*, offline: bool = False) -> Holdings:
    """Load every table of choices; the images are not distributed with them."""
    files = fetch_listed(CARD.folder, offline=offline)
    tables = tuple(_table(task, _of(task, files)) for task in EXPERIMENTS)
    human = SystemData(
        name="human",
        kind="brain",
        species="Homo sapiens",
        behaviour=tables,
        missing={
            "recordings": "only choices were published, no recordings",
            "lesions": "no lesion, silencing or stimulation was part of the study",
        },
    )
    return Holdings(card=CARD, stimuli=_stimuli(tables), systems=(human,))


def _of(task: str, files: Mapping[str, Path]) -> list[Path]:
    return [file for path, file in sorted(files.items()) if PurePosixPath(path).parts[0] == task]


def _table(task: str, files: Sequence[Path]) -> xr.Dataset:
    table = read_behaviour(
        files,
        columns=COLUMNS,
        system="human",
        kind="brain",
        stimulus_set=CARD.name,
        task=task,
        options=CATEGORIES,
        stimulus_id=lambda name: f"{task}/{_own_name(name)}",
        attrs={"choice_by": "recorded"},
    )
    silent = int((table["choice"].values == "").sum())
    return table.assign_attrs(note=f"{silent} trials without an answer in time count as errors")


def _own_name(imagename: str) -> str:
    found = OWN_NAME.match(imagename)
    return found["name"] if found else imagename


def _stimuli(tables: Sequence[xr.Dataset]) -> StimulusSet:
    rows = pd.DataFrame(
        {
            "stimulus_id": np.concatenate([t["stimulus_id"].values for t in tables]),
            "task": np.repeat(
                [t.attrs["task"] for t in tables], [t.sizes["trial"] for t in tables]
            ),
            "truth": np.concatenate([t["truth"].values for t in tables]),
            "condition": np.concatenate([t["condition"].values for t in tables]),
        },
        dtype=object,
    )
    table = rows.drop_duplicates()
    table = table.assign(category=table["truth"], label=table["stimulus_id"])
    return stimulus_set(table, name=CARD.name)
