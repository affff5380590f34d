"""Silencing and stimulating monkey face cortex: four studies, as published aggregates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import DatasetCard
from neuroai.format.build import measure
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.sources.download import fetch_listed
from neuroai.sources.matlab import read_matlab
from neuroai.sources.sheets import read_sheets
from neuroai.sources.tables import MISSING, read_table

CARD = DatasetCard(
    name="afraz2015",
    title="Causal perturbation of monkey inferior temporal cortex: light, muscimol, current",
    folder="it_causal_perturbation",
    url="https://github.com/hanme/brain-score",
    licence="MIT (the repository that distributes the files)",
    citation=(
        "Afraz, Kiani & Esteky (2006), Nature 442:692; Afraz, Boyden & DiCarlo (2015), PNAS "
        "112:6730; Moeller et al. (2017), Nature Neuroscience 20:743; Rajalingham & DiCarlo "
        "(2019), Neuron 102:493"
    ),
    doi="10.1073/pnas.1423328112",
    modality=("behaviour",),
    systems=("monkey",),
    n_stimuli=0,
    size_mib=0.08,
    answers={
        "computation": "sensitivity and accuracy with and without perturbation",
        "algorithm": "nothing: no recordings were published",
        "implementation": "what silencing or stimulating face cortex does to behaviour",
    },
)

SESSIONS = "afraz2015/afraz2015_data.mat"
KINDS = {"opto": "optogenetic silencing", "musc": "muscimol", "musc2": "muscimol (second series)"}
COUNTS = "moeller2017/SummaryMat.xlsx"
# Digitised scatter plots: file, what is on the ordinate, and on the abscissa.
SCATTERS = {
    "afraz2006/100-150ms.csv": ("psychometric_shift", "face_selectivity"),
    "afraz2015/fig3C.csv": ("delta_accuracy", "face_detection_index_dprime"),
    "afraz2015/fig3D.csv": ("delta_accuracy", "face_detection_index_dprime"),
    "afraz2015/fig2C.csv": ("number_of_sites", "percent_spikes_deleted"),
    "rajalingham2019/fig6A.csv": ("inactivation_deficit_similarity", "anatomical_distance_mm"),
}
# The last bin of figure 2C is open: its place is not known.
UNKNOWN = (*MISSING, "250+")
# Digitised bars: file, and the column that names the perturbation.
BARS = {
    "afraz2015/fig3A.csv": "condition",
    "afraz2015/fig5.csv": "condition",
    "afraz2015/figS2a.csv": "condition",
    "afraz2015/figS2c.csv": "condition",
    "rajalingham2019/fig3B.csv": "inactivation",
}


def load(*, offline: bool = False) -> Holdings:
    """Load sensitivity by session, counts of hits and misses, and digitised figures."""
    files = fetch_listed(CARD.folder, offline=offline)
    monkey = SystemData(
        name="monkey",
        kind="brain",
        species="Macaca mulatta",
        measures=(
            _sessions(files[SESSIONS]),
            _counts(files[COUNTS]),
            *(_scatter(path, files) for path in SCATTERS),
            *(_bars(path, files) for path in BARS),
        ),
        missing={
            "recordings": "no recordings were published with these files",
            "behaviour": "only sensitivities, counts and figures were published, no trials",
            "lesions": "which units were reached is not known; effects are measure tables",
        },
    )
    table = pd.DataFrame({"stimulus_id": np.array([], dtype=object)})
    return Holdings(card=CARD, stimuli=stimulus_set(table, name=CARD.name), systems=(monkey,))


def _measure(columns: Mapping[str, Any], note: str) -> xr.Dataset:
    built = measure(columns, system="monkey", kind="brain", stimulus_set=CARD.name)
    return built.assign_attrs(modality="behaviour", note=note)


def _sessions(file: Path) -> xr.Dataset:
    """Give d' of every session without and with the perturbation, paired by session."""
    summary = read_matlab(file)["summary"]
    values = {False: summary["D0"].item(), True: summary["D1"].item()}
    rows = []
    for column, name in enumerate(summary["desc"].item()):
        kind, site, field = str(name).split("_")
        for session in np.flatnonzero(np.isfinite(values[False][:, column])):
            for perturbed, table in values.items():
                intervention = KINDS[kind] if perturbed else "none"
                rows.append(
                    (table[session, column], f"{name}-{session:02d}", KINDS[kind], intervention,
                     site, field)
                )  # fmt: skip
    names = ("value", "session", "method", "intervention", "site", "condition")
    columns: dict[str, Any] = {n: [row[i] for row in rows] for i, n in enumerate(names)}
    size = len(rows)
    columns |= {"n": np.full(size, np.nan), "subject": ["2 monkeys pooled"] * size}
    columns |= {"quantity": ["d'"] * size, "provenance": ["derived"] * size}
    return _measure(columns, "Afraz 2015: d' by session, site face or nonface, field of vision")


def _counts(file: Path) -> xr.Dataset:
    """Give the share of right answers with the number of trials, from hits and misses."""
    (cells,) = read_sheets(file).values()
    letters = {("same", False): "AB", ("different", False): "CD"}
    letters |= {("same", True): "EF", ("different", True): "GH"}
    rows = []
    for row in sorted({int(cell[1:]) for cell in cells if cell[0] == "A" and cell != "A1"}):
        about = (str(cells[f"I{row}"]), str(cells[f"J{row}"]), str(cells[f"M{row}"]))
        for (trial, stimulated), (hit, miss) in letters.items():
            hits, misses = float(cells[f"{hit}{row}"]), float(cells[f"{miss}{row}"])
            current = "microstimulation 300 uA" if stimulated else "none"
            rows.append(
                (hits / (hits + misses), hits + misses, trial, current, *about,
                 f"monkey {int(float(cells[f'L{row}']))}")
            )  # fmt: skip
    names = (
        "value",
        "n",
        "condition",
        "intervention",
        "stimulus_class",
        "site",
        "object",
        "subject",
    )
    columns: dict[str, Any] = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    columns |= {"quantity": ["accuracy"] * len(rows), "provenance": ["derived"] * len(rows)}
    return _measure(columns, "Moeller 2017: same or different, accuracy from hits and misses")


def _scatter(path: str, files: Mapping[str, Path]) -> xr.Dataset:
    table, (ordinate, abscissa) = read_table(files[path]), SCATTERS[path]
    size = table.n_rows
    columns = {
        "value": table.numbers(ordinate),
        abscissa: table.numbers(abscissa, missing=UNKNOWN),
        "n": np.full(size, np.nan),
        "subject": table.text("monkey") if "monkey" in table.columns else ["group"] * size,
        "quantity": [ordinate] * size,
        "provenance": ["digitised"] * size,
    }
    return _measure(columns, path.removesuffix(".csv"))


def _bars(path: str, files: Mapping[str, Path]) -> xr.Dataset:
    table = read_table(files[path])
    size = table.n_rows
    monkeys = table.text("monkey") if "monkey" in table.columns else ["group"] * size
    fields = table.text("visual_field") if "visual_field" in table.columns else [""] * size
    columns = {
        "value": table.numbers("value"),
        "condition": table.text(BARS[path]),
        "visual_field": fields,
        "quantity": table.text("aggregation"),
        "subject": monkeys,
        "n": np.full(size, np.nan),
        "provenance": ["digitised"] * size,
    }
    return _measure(columns, path.removesuffix(".csv"))
