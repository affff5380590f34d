"""92 object images: human and monkey inferior temporal cortex, and human similarity judgements."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neuroai.cards import ChoiceTask, Contrast, DatasetCard
from neuroai.format.answers import Answer, rdm_answer
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.sources.download import fetch_listed
from neuroai.sources.images import ImageArrays
from neuroai.sources.matlab import read_matlab, struct_field

CARD = DatasetCard(
    name="kriegeskorte2008",
    title="92 object images in human and monkey inferior temporal cortex",
    folder="kriegeskorte92",
    url="https://github.com/rsagroup/rsatoolbox/tree/f1f83cadb7243492a1aae7460466e0f0140b20ac/demos/92imageData",
    licence="MIT (the repository that distributes the files; the papers state none for the data)",
    citation=(
        "Kriegeskorte et al. (2008), Neuron 60:1126-1141 (fMRI, images; monkey cells of Kiani et "
        "al. 2007); Mur et al. (2013), Frontiers in Psychology 4:128 (similarity judgements)"
    ),
    doi="10.1016/j.neuron.2008.10.043",
    modality=("fMRI", "single units", "behaviour"),
    systems=("human", "monkey"),
    n_stimuli=92,
    size_mib=4.91,
    answers={
        "computation": "similarity judgements of 16 persons; choices by a readout (models only)",
        "algorithm": "published RDMs of IT: 4 persons, and 2 monkeys pooled",
        "implementation": "nothing in the brains: no recordings and no lesions were published",
    },
    contrasts={
        "faces": Contrast(column="face", positive=("1",), negative=("0",)),
        "animate": Contrast(column="animate", positive=("1",), negative=("0",)),
        "human": Contrast(column="human", positive=("1",), negative=("0",)),
    },
    tasks=(
        ChoiceTask(name="animacy", options=("animate", "inanimate"), truth="animacy", readout=True),
        ChoiceTask(name="faces", options=("face", "other"), truth="faceness", readout=True),
    ),
)

IMAGES = "Kriegeskorte_Neuron2008_supplementalData.mat"
BRAINS = "92_brainRDMs.mat"
JUDGEMENTS = "92_behavRDMs.mat"
MODELS = "92_modelRDMs.mat"

ONLY_RDMS = "only RDMs were published, no recordings"
NO_LESIONS = "no lesion, silencing or stimulation was part of the study"


def load(*, offline: bool = False) -> Holdings:
    """Load the 92 images, the RDMs of both species and the similarity judgements."""
    files = fetch_listed(CARD.folder, offline=offline)
    figure = read_matlab(files[IMAGES])
    stimuli = _stimuli(figure["stimuli_92objs"])
    label = functools.partial(rdm_answer, stimuli=stimuli.ids, stimulus_set=stimuli.name)
    return Holdings(
        card=CARD,
        stimuli=stimuli,
        systems=(_human(files, label), _monkey(figure["RDMs_mIT_hIT_fig1"], label)),
        confounds=_confounds(read_matlab(files[MODELS])["Models"], label),
    )


def _stimuli(images: np.ndarray) -> StimulusSet:
    ids = [f"k92-{number:02d}" for number in range(1, len(images) + 1)]
    table = pd.DataFrame(
        {"stimulus_id": ids, "category": [str(name) for name in images["category"]]}, dtype=object
    )
    for column, field in (
        ("human", "human"), ("face", "face"), ("animal", "animal"),
        ("natural", "natural"), ("animate", "animal"),
    ):  # fmt: skip
        table[column] = np.array([str(int(flag)) for flag in images[field]], dtype=object)
    table["animacy"] = _words(table["animate"], yes="animate", no="inanimate")
    table["faceness"] = _words(table["face"], yes="face", no="other")
    counter = table.groupby("category").cumcount() + 1
    table["label"] = [f"{c} {n}" for c, n in zip(table["category"], counter, strict=True)]
    arrays = ImageArrays(dict(zip(ids, images["image"], strict=True)))
    return stimulus_set(table.astype(object), name=CARD.name, load=arrays)


def _words(flags: pd.Series, *, yes: str, no: str) -> np.ndarray:
    return np.array([yes if flag == "1" else no for flag in flags], dtype=object)


def _human(files: Mapping[str, Path], label: Any) -> SystemData:
    sessions = read_matlab(files[BRAINS])["RDMs"]
    judgements = read_matlab(files[JUDGEMENTS])["rdms_behav_92"]
    cortex = label(
        struct_field(sessions, "RDM").mean(axis=1)[:, np.newaxis],
        subjects=[name.split("|")[1].strip() for name in sessions["name"][:, 0]],
        regions=["IT"],
        parameters={"distance": "correlation"},
        system="human",
        kind="brain",
        origin="published",
        notes=("the RDMs of 2 sessions are averaged within each person",),
    )
    similarity = label(
        struct_field(judgements, "RDM")[:, np.newaxis],
        subjects=[name.split("|")[1].strip() for name in judgements["name"]],
        regions=["behaviour"],
        question="similarity",
        parameters={"method": "multi-arrangement"},
        system="human",
        kind="brain",
        origin="published",
        notes=("the persons who judged similarity are not those who were scanned",),
    )
    return SystemData(
        name="human",
        kind="brain",
        species="Homo sapiens",
        published=(cortex, similarity),
        missing={
            "recordings": ONLY_RDMS,
            "behaviour": "no choices were published, only similarity judgements",
            "lesions": NO_LESIONS,
        },
    )


def _monkey(figure: np.ndarray, label: Any) -> SystemData:
    from scipy.spatial.distance import squareform

    cells = next(entry["RDM"] for entry in figure if entry["name"].startswith("mIT"))
    answer = label(
        squareform(np.asarray(cells, dtype=np.float64))[np.newaxis, np.newaxis],
        subjects=["2 monkeys pooled"],
        regions=["IT"],
        parameters={"distance": "correlation"},
        system="monkey",
        kind="brain",
        origin="published",
        notes=("674 cells of 2 monkeys, recorded one after the other, make one RDM",),
    )
    return SystemData(
        name="monkey",
        kind="brain",
        species="Macaca mulatta",
        published=(answer,),
        missing={
            "recordings": ONLY_RDMS,
            "behaviour": "the monkeys fixated; they made no choices",
            "lesions": NO_LESIONS,
        },
    )


def _confounds(models: np.ndarray, label: Any) -> tuple[Answer, ...]:
    return tuple(
        label(
            np.asarray(entry["RDM"], dtype=np.float64)[np.newaxis, np.newaxis],
            subjects=["published"],
            regions=[str(entry["name"])],
            parameters={"distance": "as published"},
            system=f"{entry['name']} model",
            kind="model",
            origin="published",
            notes=_note(str(entry["name"])),
        )
        for entry in models
    )


def _note(name: str) -> tuple[str, ...]:
    if name == "monkeyIT":
        return ("this is the RDM of the monkeys themselves, published among the models",)
    return ()
