"""Who connects to whom: worm, cat, macaque and human, as matrices labelled by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import DatasetCard
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.sources.connectome import edge_matrix, named_matrix, read_matrix
from neuroai.sources.download import fetch_listed
from neuroai.sources.matlab import read_matlab
from neuroai.sources.tables import read_table

CARD = DatasetCard(
    name="connectomes",
    title="Connectomes of worm, cat, macaque and human",
    folder="connectomes",
    url="https://github.com/brainlife/BCT",
    licence=(
        "worm: GPL-3.0 (one file without a licence); cat and macaque: MIT; human: BSD-3-Clause, "
        "with the terms of the Human Connectome Project"
    ),
    citation=(
        "White et al. (1986); Witvliet et al. (2021), Nature 596:257; Cook et al. (2019), Nature "
        "571:63; Felleman & Van Essen (1991); Young (1993); Honey et al. (2007); Scannell et al. "
        "(1999); Lariviere et al. (2021), Nature Methods 18:698"
    ),
    doi="10.1038/s41592-021-01186-4",
    modality=("connectome",),
    systems=("human", "macaque", "cat", "worm"),
    n_stimuli=0,
    size_mib=1.75,
    answers={
        "computation": "nothing: wiring alone makes no choices",
        "algorithm": "nothing: wiring alone gives no responses",
        "implementation": "which node connects to which, and how strongly",
    },
)

MACAQUE = ("fve30", "fve32", "macaque47", "macaque71")
WORMS = {
    "white_1986_whole": "adult and L4 (White 1986)",
    "witvliet_2020_7": "adult 7 (Witvliet 2021)",
    "witvliet_2020_8": "adult 8 (Witvliet 2021)",
}
HUMAN = {
    "struc": ("structural", "strength of tracts (log of streamlines), mean over persons"),
    "func": ("functional", "correlation of resting fMRI (Fisher z), mean over persons"),
}
ATLASES = {"ctx": "DK-68", "with_sctx": "DK-68 and subcortex", "ctx_schaefer_100": "Schaefer-100"}


def load(*, offline: bool = False) -> Holdings:
    """Load every matrix; nodes are matched by name, never by place."""
    files = fetch_listed(CARD.folder, offline=offline)
    systems = (
        _system("human", "Homo sapiens", _human(files)),
        _system("macaque", "Macaca mulatta", tuple(_bct(files, name) for name in MACAQUE)),
        _system("cat", "Felis catus", (_bct(files, "cat", matrix="CIJctx"),)),
        _system("worm", "Caenorhabditis elegans", _worm(files)),
    )
    table = pd.DataFrame({"stimulus_id": np.array([], dtype=object)})
    return Holdings(card=CARD, stimuli=stimulus_set(table, name=CARD.name), systems=systems)


def _system(name: str, species: str, matrices: tuple[xr.DataArray, ...]) -> SystemData:
    return SystemData(
        name=name,
        kind="brain",
        species=species,
        connectomes=matrices,
        missing={
            "recordings": "only the wiring was published here, no recordings",
            "behaviour": "only the wiring was published here, no behaviour",
            "lesions": "only the wiring was published here, no lesions",
        },
    )


def _bct(files: Mapping[str, Path], name: str, matrix: str = "CIJ") -> xr.DataArray:
    content = read_matlab(files[f"bct/{name}.mat"])
    return named_matrix(
        content[matrix],
        names=[str(label).strip() for label in content["Names"]],
        system="cat" if name == "cat" else "macaque",
        directed=True,
        weight_meaning="1 to 3: density of the projection" if name == "cat" else "1: a projection",
        note=name,
    )


def _human(files: Mapping[str, Path]) -> tuple[xr.DataArray, ...]:
    return tuple(
        read_matrix(
            files[f"hcp_enigma/{kind}Matrix_{atlas}.csv"],
            labels=files[f"hcp_enigma/{kind}Labels_{atlas}.csv"],
            system="human",
            directed=False,
            weight_meaning=meaning,
            note=f"{word}, {title}",
        )
        for kind, (word, meaning) in HUMAN.items()
        for atlas, title in ATLASES.items()
    )


def _worm(files: Mapping[str, Path]) -> tuple[xr.DataArray, ...]:
    found = []
    for name, title in WORMS.items():
        table = read_table(files[f"celegans/aconnectome_{name}.csv"], separator="\t")
        for kind in ("chemical", "electrical"):
            rows = table.text("type") == kind
            found.append(
                edge_matrix(
                    table.text("pre")[rows],
                    table.text("post")[rows],
                    table.numbers("synapses")[rows],
                    nodes=sorted({*table.text("pre"), *table.text("post")}),
                    system="worm",
                    directed=kind == "chemical",
                    weight_meaning=f"number of {kind} synapses",
                    note=f"{kind}, {title}",
                )
            )
    return tuple(found)
