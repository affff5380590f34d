"""Shape against texture: choices of humans and networks, image by image, and the images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import ChoiceTask, DatasetCard
from neuroai.format.build import behaviour
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.sources.download import fetch_listed
from neuroai.sources.images import ImageFiles

CATEGORIES = (
    "airplane", "bear", "bicycle", "bird", "boat", "bottle", "car", "cat",
    "chair", "clock", "dog", "elephant", "keyboard", "knife", "oven", "truck",
)  # fmt: skip

CARD = DatasetCard(
    name="geirhos2019",
    title="Shape against texture: 16-way choices of humans and networks",
    folder="geirhos_cue_conflict",
    url="https://github.com/rgeirhos/texture-vs-shape",
    licence="CC BY 4.0 (images); the repositories state no licence for the tables of choices",
    citation=(
        "Geirhos et al. (2019), ICLR, arXiv:1811.12231 (images, content-instructed choices); "
        "Geirhos, Meding & Wichmann (2020), NeurIPS, arXiv:2006.16736 (choices of 2020)"
    ),
    doi="10.48550/arXiv.1811.12231",
    modality=("behaviour",),
    systems=("human", "human-content-instructed", "29 published networks"),
    n_stimuli=1600,
    size_mib=30.95,
    answers={
        "computation": "choices among 16 categories: accuracy, confusions, consistency, shape bias",
        "algorithm": "nothing in the humans: no recordings were made",
        "implementation": "nothing in the humans: no recordings and no lesions",
    },
    tasks=tuple(
        ChoiceTask(name=task, options=CATEGORIES, truth="truth", where=("task", task))
        for task in ("cue-conflict", "edges", "silhouettes")
    ),
)

IMAGES = {
    "stimuli/cue-conflict_subset240/": "cue-conflict",
    "stimuli/edges/": "edges",
    "stimuli/filled-silhouettes/": "silhouettes",
}
# The three networks of 2019 ran in Caffe; those of the same names of 2020 are other weights.
OF_2019 = {
    "alexnet": "alexnet-2019",
    "googlenet": "googlenet-2019",
    "vgg": "vgg16-2019",
    "resnet50": "resnet50-2019",
}
NO_ANSWER = "na"
INSTRUCTIONS = {
    "human": "neutral: choose the category of the image",
    "human-content-instructed": "content: choose the category of the shape, ignore the texture",
}


def load(*, offline: bool = False) -> Holdings:
    """Load the stimulus table, the images at hand and every table of choices."""
    files = fetch_listed(CARD.folder, offline=offline)
    tables = [_trials(path, file) for path, file in files.items() if path.endswith(".csv")]
    stimuli = _stimuli(tables, files)
    by_system: dict[str, list[pd.DataFrame]] = {}
    for table in tables:
        by_system.setdefault(table.attrs["system"], []).append(table)
    people = [name for name in INSTRUCTIONS if name in by_system]
    networks = sorted(set(by_system) - set(INSTRUCTIONS))
    return Holdings(
        card=CARD,
        stimuli=stimuli,
        systems=tuple(_system(name, by_system[name], stimuli) for name in [*people, *networks]),
    )


def _trials(path: str, file: Path) -> pd.DataFrame:
    """Read one observer's trials, adding the task, the system and the id of the image."""
    table = pd.read_csv(
        file, dtype={"subj": str, "session": str, "object_response": str, "category": str},
        keep_default_na=False, na_values={"rt": ["NaN"]},
    )  # fmt: skip
    task = _task(path)
    # The image's own name is the last field: what stands before it differs between observers.
    names = [str(name).rpartition("_")[2].removesuffix(".png") for name in table["imagename"]]
    table["stimulus_id"] = [f"{task}/{name}" for name in names]
    observer = str(table["subj"].iloc[0])
    table.attrs = {"task": task, "system": _system_name(path, observer)}
    return table


def _task(path: str) -> str:
    folder = PurePosixPath(path).parts[1]
    return folder.removeprefix("texture-shape_") if "texture-shape_" in folder else "cue-conflict"


def _system_name(path: str, observer: str) -> str:
    of_2019 = path.startswith("decisions_iclr2019/")
    if observer.startswith("subject-"):
        return "human-content-instructed" if of_2019 else "human"
    return OF_2019[observer] if of_2019 else observer


def _stimuli(tables: Iterable[pd.DataFrame], files: Mapping[str, Path]) -> StimulusSet:
    ids = sorted({key for table in tables for key in table["stimulus_id"].unique()})
    at_hand = ImageFiles(
        {
            f"{task}/{PurePosixPath(path).stem}": file
            for path, file in files.items()
            for start, task in IMAGES.items()
            if path.startswith(start)
        }
    )
    rows = [_row(key) for key in ids]
    return stimulus_set(pd.DataFrame(rows, dtype=object), name=CARD.name, load=at_hand)


def _row(stimulus_id: str) -> dict[str, str]:
    task, _, name = stimulus_id.partition("/")
    shape, _, texture = (re.sub(r"\d", "", part) for part in name.partition("-"))
    condition = task
    if task == "cue-conflict":
        condition = "agreement" if shape == texture else "conflict"
    return {
        "stimulus_id": stimulus_id,
        "task": task,
        "shape": shape,
        "texture": texture,
        "condition": condition,
        "truth": shape,
        "category": shape,
        "label": name,
    }


def _system(name: str, tables: list[pd.DataFrame], stimuli: StimulusSet) -> SystemData:
    kind = "brain" if name in INSTRUCTIONS else "model"
    tasks = sorted({table.attrs["task"] for table in tables})
    return SystemData(
        name=name,
        kind=kind,
        species="Homo sapiens" if kind == "brain" else name,
        behaviour=tuple(
            _behaviour(name, kind, task, [t for t in tables if t.attrs["task"] == task], stimuli)
            for task in tasks
        ),
        missing={
            "recordings": "only choices were published, no recordings",
            "lesions": "no lesion, silencing or stimulation was part of the study",
        },
    )


def _behaviour(
    name: str, kind: str, task: str, tables: list[pd.DataFrame], stimuli: StimulusSet
) -> xr.Dataset:
    trials = pd.concat(tables, ignore_index=True)
    choice = trials["object_response"].replace(NO_ANSWER, "").to_numpy(dtype=object)
    truth = stimuli.column("truth", trials["stimulus_id"])
    missing = int((choice == "").sum())
    return behaviour(
        {
            "subject": trials["subj"],
            "stimulus_id": trials["stimulus_id"],
            "choice": choice,
            "truth": truth,
            "condition": stimuli.column("condition", trials["stimulus_id"]),
            "session": trials["session"],
            "response_time": trials["rt"],
            # No answer in time is an error, as in the published analyses.
            "correct": np.asarray(choice == truth, dtype=float),
        },
        system=name,
        kind=kind,
        stimulus_set=stimuli.name,
        task=task,
        options=CATEGORIES,
        attrs={
            "modality": "behaviour",
            "choice_by": "recorded",
            "instruction": INSTRUCTIONS.get(name, ""),
            "note": f"{missing} trials without an answer in time count as errors"
            if missing
            else "",
        },
    )
