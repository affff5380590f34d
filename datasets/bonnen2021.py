"""Oddity judgements with and without a medial temporal lobe, beside monkeys' IT, V4 and VGG16."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import DatasetCard
from neuroai.format.build import measure
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.sources.download import fetch_listed
from neuroai.sources.manifest import manifest
from neuroai.sources.restricted_pickle import read_pinned_pickle
from neuroai.sources.sheets import read_sheets
from neuroai.sources.tables import TextTable, read_table

CARD = DatasetCard(
    name="bonnen2021",
    title="Visual oddity: intact and lesioned humans, monkey IT and V4, layers of VGG16",
    folder="bonnen_mtl_lesion",
    url="https://github.com/neuroailab/mtl_perception",
    licence="none stated: for research, not to be passed on",
    citation=(
        "Bonnen, Yamins & Wagner (2021), Neuron 109:2755-2766; patients: Stark & Squire (2000), "
        "Lee et al. (2005, 2006), Barense et al. (2007)"
    ),
    doi="10.1016/j.neuron.2021.06.018",
    modality=("behaviour", "electrophysiology (linear readout)"),
    systems=("human", "monkey", "vgg16"),
    n_stimuli=224,
    size_mib=0.72,
    answers={
        "computation": "accuracy on each of 179 oddity trials, and of patients in three studies",
        "algorithm": "accuracy of readouts of IT, V4 and layers on the same trials",
        "implementation": "accuracy with lesions of hippocampus or the medial temporal lobe",
    },
)

TRIALS = "high-throughput/human_performance.csv"
NOVEL = "in_silico/training/novel/multiple_models_novel_stimuli.csv"
STUDIES = "retrospective/"
SHEETS = f"{STUDIES}experiments/"
LAYERS = ("pool3", "pool4", "pool5", "fc6", "fc7", "fc8")
NO_LESION = "none"

# Groups of each workbook: its code, who they are, and what they lack.
LEE_2005 = {
    1.0: ("patients", "hippocampal damage"),
    2.0: ("patients", "medial temporal lobe damage"),
    3.0: ("young controls", NO_LESION),
    4.0: ("older controls", NO_LESION),
}
LEE_2006 = {
    "SD": ("patients", "semantic dementia"),
    "AD": ("patients", "Alzheimer's disease"),
    "SDCON": ("controls of semantic dementia", NO_LESION),
    "ADCON": ("controls of Alzheimer's disease", NO_LESION),
}
# The codes of this workbook are explained in the paper only.
STARK_2000 = {
    1.0: ("controls of hippocampal patients", NO_LESION),
    2.0: ("patients", "medial temporal lobe damage"),
    3.0: ("controls of medial temporal patients", NO_LESION),
    4.0: ("patients", "hippocampal damage"),
}

# Experiments whose stimuli both persons and the network met, by their two names. Where views or
# snow levels were averaged before publication, the two sides are not the same and stay apart.
SHARED = {
    ("Lee 2005", "faces"): "Lee 2005: faces",
    ("Lee 2005", "novel objects"): "Lee 2005: novel objects",
    ("Lee 2005", "familiar objects"): "Lee 2005: familiar objects",
    ("Stark 2000", "faces"): "Stark 2000: faces",
    ("lee_2005", "experiment_one / Faces"): "Lee 2005: faces",
    ("lee_2005", "experiment_one / Novel objects"): "Lee 2005: novel objects",
    ("lee_2005", "experiment_one / Familiar objects"): "Lee 2005: familiar objects",
    ("stark_2000", "FACES"): "Stark 2000: faces",
}


def load(*, offline: bool = False) -> Holdings:
    """Load the trials, the patients of three studies and the published accuracies of layers."""
    files = fetch_listed(CARD.folder, offline=offline)
    trials, novel = read_table(files[TRIALS]), read_table(files[NOVEL])
    missing = {
        "recordings": "only accuracies of readouts were published, no recordings",
        "behaviour": "only mean accuracies were published, no choices",
    }
    human = SystemData(
        name="human",
        kind="brain",
        species="Homo sapiens",
        missing={**missing, "lesions": "where the patients' lesions lie was published in words"},
        measures=(_intact(trials), _patients(files)),
    )
    monkey = SystemData(
        name="monkey",
        kind="brain",
        species="Macaca mulatta",
        missing={**missing, "lesions": "no lesion was part of the monkeys' study"},
        measures=(
            _regions(trials, ("it", "v4"), "monkey", "brain", str.upper),
            _novel(novel, network=False),
        ),
    )
    vgg16 = SystemData(
        name="vgg16",
        kind="model",
        species="VGG16",
        missing={**missing, "lesions": "no unit of the network was lesioned"},
        measures=(
            _regions(trials, LAYERS, "vgg16", "model", str),
            _novel(novel, network=True),
            _layers(files),
        ),
    )
    return Holdings(card=CARD, stimuli=_stimuli(novel), systems=(human, monkey, vgg16))


def _ids(table: TextTable) -> np.ndarray:
    pairs = zip(table.text("typical_name"), table.text("oddity_name"), strict=True)
    return np.array([f"{typical} x3, {oddity}" for typical, oddity in pairs], dtype=object)


def _stimuli(novel: TextTable) -> StimulusSet:
    rows = pd.DataFrame(
        {
            "stimulus_id": _ids(novel),
            "typical": novel.text("typical_name"),
            "oddity": novel.text("oddity_name"),
            "category": novel.text("category"),
        },
        dtype=object,
    ).drop_duplicates()
    return stimulus_set(rows.assign(label=rows["stimulus_id"]), name=CARD.name)


def _measure(columns: Mapping[str, Any], system: str, kind: str, **attrs: str) -> xr.Dataset:
    """Add what is the same in every row; how many trials stand behind a mean is not stated."""
    size = len(columns["value"])
    fixed = {"n": np.nan, "subject": "group", "provenance": "derived"}
    filled = {name: np.full(size, value, dtype=object) for name, value in fixed.items()}
    built = measure({**filled, **columns}, system=system, kind=kind, stimulus_set=CARD.name)
    return built.assign_attrs(modality="behaviour", **attrs)


def _intact(trials: TextTable) -> xr.Dataset:
    ids, seconds = _ids(trials), trials.numbers("rt") / 1e3
    return _measure(
        {
            "value": np.concatenate([trials.numbers("human"), seconds]),
            "stimulus_id": np.tile(ids, 2),
            "quantity": np.repeat(np.array(["accuracy", "response time (s)"], object), len(ids)),
            "intervention": [NO_LESION] * 2 * len(ids),
        },
        system="human",
        kind="brain",
        task="oddity",
    )


def _regions(
    trials: TextTable, names: Sequence[str], system: str, kind: str, label: Any
) -> xr.Dataset:
    ids = _ids(trials)
    labels = np.array([label(name) for name in names], dtype=object)
    return _measure(
        {
            "value": np.concatenate([trials.numbers(name) for name in names]),
            "stimulus_id": np.tile(ids, len(names)),
            "quantity": ["accuracy"] * len(ids) * len(names),
            "region": np.repeat(labels, len(ids)),
        },
        system=system,
        kind=kind,
        task="oddity",
        origin="published",
        note="pool3, pool4 and pool5 hold the same numbers in the published file"
        if "pool3" in names
        else "",
    )


def _novel(novel: TextTable, *, network: bool) -> xr.Dataset:
    """Give the repeated readouts of either the network or the monkeys' areas."""
    names = novel.text("model")
    kept = np.flatnonzero((names == "vgg16") == network)
    columns = {
        "value": novel.numbers("accuracy")[kept],
        "stimulus_id": _ids(novel)[kept],
        "quantity": np.array(["accuracy"] * len(kept), dtype=object),
        "repeat": novel.numbers("trial_id")[kept],
    }
    if network:
        columns |= {"training": novel.text("training_data")[kept]}
        columns |= {"condition": novel.text("image_type")[kept]}
    else:
        columns |= {"region": np.array([name.upper() for name in names[kept]], dtype=object)}
    system, kind = ("vgg16", "model") if network else ("monkey", "brain")
    return _measure(columns, system, kind, task="oddity", origin="published")


def _patients(files: Mapping[str, Path]) -> xr.Dataset:
    rows = [*_lee_2005(files), *_lee_2006(files), *_stark_2000(files)]
    names = ("study", "condition", "person", "group", "intervention", "value")
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    columns["subject"] = [f"{row[0]}/{row[2]}" for row in rows]
    columns["quantity"] = ["accuracy"] * len(rows)
    columns["provenance"] = ["raw"] * len(rows)
    columns["experiment"] = _experiments(columns)
    del columns["person"]
    return _measure(columns, "human", "brain", task="oddity")


def _experiments(columns: Mapping[str, Any]) -> list[str]:
    """Name what was shown: shared names where both sides met it, else study and condition."""
    pairs = zip(columns["study"], columns["condition"], strict=True)
    return [SHARED.get(pair, ": ".join(pair)) for pair in pairs]


def _rows(cells: Mapping[str, Any], name: str, columns: Mapping[str, str]) -> Iterator[tuple]:
    """Go through the persons of a sheet; means and headings have no number in every column."""
    last = max(int("".join(filter(str.isdigit, cell))) for cell in cells)
    for row in range(1, last + 1):
        values = {label: cells.get(f"{letter}{row}") for letter, label in columns.items()}
        person = cells.get(f"{name}{row}")
        if person is not None and all(isinstance(v, float) for v in values.values()):
            yield row, str(person), values


def _lee_2005(files: Mapping[str, Path]) -> Iterator[tuple]:
    parts = (
        ("Lee_2005_Hippocampus_Expt1", "Sheet1", "B",
         {"C": "novel objects", "E": "familiar objects", "G": "faces"}),
        ("Lee_2005_Hippocampus_Expt2", "Overall", "C",
         {"D": "scenes, same view", "E": "scenes, different views",
          "F": "faces, same view", "G": "faces, different views"}),
    )  # fmt: skip
    for book, page, group, columns in parts:
        cells = read_sheets(files[f"{SHEETS}lee_2005/{book}.xlsx"])[page]
        for row, person, values in _rows(cells, "A", columns):
            if f"{group}{row}" in cells:
                who = LEE_2005[float(cells[f"{group}{row}"])]
                for condition, value in values.items():
                    yield "Lee 2005", condition, person.upper(), *who, value


def _lee_2006(files: Mapping[str, Path]) -> Iterator[tuple]:
    columns = {
        "F": "faces, same view", "G": "faces, different views",
        "H": "scenes, same view", "I": "scenes, different views",
    }  # fmt: skip
    cells = read_sheets(files[f"{SHEETS}lee_2006/Lee_2006_JNeurosci.xlsx"])["Sheet1"]
    for _, person, values in _rows(cells, "A", columns):
        code = person.rstrip("0123456789")
        if code in LEE_2006 and code != person:
            for condition, value in values.items():
                yield "Lee 2006", condition, person, *LEE_2006[code], value


def _stark_2000(files: Mapping[str, Path]) -> Iterator[tuple]:
    columns = {
        "C": "color", "D": "size", "E": "poly", "F": "snow3", "G": "snow4", "H": "faces",
        "I": "snow5",
    }  # fmt: skip
    cells = read_sheets(files[f"{SHEETS}stark_2000/collapse_runs_1.xlsx"])["collapse_runs_1"]
    for row, person, values in _rows(cells, "A", columns):
        for condition, value in values.items():
            who = STARK_2000[float(cells[f"B{row}"])]
            yield "Stark 2000", condition, person.upper(), *who, value / 100


def _layers(files: Mapping[str, Path]) -> xr.Dataset:
    rows = [*_pickled(files), *_listed(files)]
    names = ("study", "condition", "region", "value")
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    columns["quantity"] = ["accuracy"] * len(rows)
    columns["experiment"] = _experiments(columns)
    return _measure(columns, "vgg16", "model", task="oddity", origin="published")


def _pickled(files: Mapping[str, Path]) -> Iterator[tuple[str, str, str, float]]:
    for path, file in sorted(files.items()):
        if path.endswith(".pickle"):
            content = read_pinned_pickle(file, sha256=manifest(CARD.folder)[path].sha256)
            yield from _leaves(path.split("/")[1], content)


def _leaves(study: str, content: Any, *names: str) -> Iterator[tuple[str, str, str, float]]:
    """Walk nested dicts down to numbers; where no layer is named it is the whole network."""
    if isinstance(content, dict):
        for name, inner in content.items():
            yield from _leaves(study, inner, *names, str(name))
        return
    layered = len(names) > 1
    condition = " / ".join(names[:-1] if layered else names)
    yield study, condition, names[-1] if layered else "", float(content)


def _listed(files: Mapping[str, Path]) -> Iterator[tuple[str, str, str, float]]:
    for path, file in sorted(files.items()):
        if path.startswith(STUDIES) and path.endswith(".csv"):
            table, study = read_table(file), path.split("/")[1]
            prefix = "nondiagnostic " if "nondiagnostic" in path else ""
            layered = "layer" in table.columns
            condition = table.text("experiment" if layered else "condition")
            layer = table.text("layer") if layered else np.full(table.n_rows, "", dtype=object)
            for name, where, value in zip(condition, layer, table.numbers("accuracy"), strict=True):
                yield study, prefix + name, where, value
