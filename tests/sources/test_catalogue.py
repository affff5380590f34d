"""Data sets by name, by file and in the common form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from neuroai.errors import FormatError, RegistryError, UnknownName, UsageError
from neuroai.format import build
from neuroai.format.answers import rdm_answer
from neuroai.format.files import save
from neuroai.sources.catalogue import DATASETS, from_form, load_dataset

WHO = {"system": "mouse", "kind": "brain", "stimulus_set": "gratings"}

OWN = """
import pandas as pd
from neuroai.cards import DatasetCard
from neuroai.format.holdings import Holdings
from neuroai.format.stimuli import stimulus_set

CARD = DatasetCard(
    name="mine", title="my own", folder="mine", url="none", licence="none", citation="me",
    doi="", modality=("spikes",), systems=("mouse",), n_stimuli=1, size_mib=0.1,
    answers={"computation": "no", "algorithm": "no", "implementation": "no"},
)

def load(SIGNATURE):
    stimuli = stimulus_set(pd.DataFrame({"stimulus_id": ["a"]}), name=str(EXPRESSION))
    return Holdings(card=CARD, stimuli=stimuli, systems=())
"""


def own(tmp_path: Path, *, signature: str = "", expression: str = "'s'", cut: str = "") -> Path:
    """Write a data set file, with a text of it cut out."""
    text = OWN.replace("SIGNATURE", signature).replace("EXPRESSION", expression)
    path = tmp_path / "mine.py"
    path.write_text(text.replace(cut, "") if cut else text)
    return path


def recording() -> xr.DataArray:
    """Make a recording with a repeated stimulus, a constant column and a varying one."""
    return build.recording(
        np.arange(6.0).reshape(3, 2), stimulus_id=["b", "a", "b"], unit_id=["u", "v"],
        region=["V1", "LM"], subject="m1", modality="spikes",
        presentation={"condition": ["y", "x", "y"], "run": ["1", "1", "2"], "hue": ["1", "1", "2"]},
        **WHO,
    )  # fmt: skip


def test_registered_names_are_known() -> None:
    """The data sets of the checkout are registered, each under its file's name."""
    assert {"kriegeskorte2008", "geirhos2019"} <= set(DATASETS.names())


def test_misspelt_name_gets_the_near_miss() -> None:
    """An unknown name is answered by the nearest and by how to add one."""
    with pytest.raises(UnknownName, match="Did you mean 'kriegeskorte2008'"):
        load_dataset("kriegeskorte2080")


@pytest.mark.parametrize("suffix", [".py", ".nc", ".zarr"])
def test_absent_file_is_said(suffix: str, tmp_path: Path) -> None:
    """A path that does not exist is named."""
    with pytest.raises(UsageError, match=rf"There is no file .*absent\{suffix}"):
        load_dataset(tmp_path / f"absent{suffix}")


def test_own_file_is_loaded(tmp_path: Path) -> None:
    """A user's data set file needs only CARD and load()."""
    assert load_dataset(own(tmp_path)).card.name == "mine"


def test_own_file_hears_of_the_network(tmp_path: Path) -> None:
    """A load() that takes `offline` is told."""
    path = own(tmp_path, signature="*, offline=False", expression="offline")
    assert load_dataset(path, offline=True).stimuli.name == "True"


@pytest.mark.parametrize(
    ("cut", "message"),
    [('citation="me",', "citation"), ("def load", "define the function 'load'")],
)
def test_own_file_must_be_complete(cut: str, message: str, tmp_path: Path) -> None:
    """A missing fact or function is named."""
    path = own(tmp_path, cut=cut)
    if cut == "def load":
        path.write_text(OWN.partition("def load")[0])
    with pytest.raises((RegistryError, TypeError), match=message):
        load_dataset(path)


def test_own_file_must_return_holdings(tmp_path: Path) -> None:
    """A load() that returns something else is told what it should."""
    path = own(tmp_path, cut="return Holdings(card=CARD, stimuli=stimuli, systems=())")
    with pytest.raises(FormatError, match="must return Holdings; it returned NoneType"):
        load_dataset(path)


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_a_recording_on_disk_is_a_brain(suffix: str, tmp_path: Path) -> None:
    """A recording becomes one system; its stimuli are gathered with what is constant of them."""
    holdings = load_dataset(save(recording(), tmp_path / f"mice{suffix}"))
    (system,) = holdings.systems
    assert (holdings.card.name, system.name, system.kind) == ("mice", "mouse", "brain")
    xr.testing.assert_identical(system.recordings[0], recording())
    assert holdings.stimuli.ids == ("a", "b")
    assert holdings.stimuli.name == "gratings"
    assert holdings.stimuli.column("condition").tolist() == ["x", "y"]
    assert "hue" not in holdings.stimuli.table.columns
    assert holdings.stimuli.available == ()
    assert set(system.missing) == {"behaviour", "lesions"}
    assert holdings.card.modality == ("spikes",)


def test_behaviour_on_disk_is_a_system(tmp_path: Path) -> None:
    """A behaviour table becomes one system; trials without a stimulus name none."""
    table = build.behaviour(
        {
            "subject": ["p", "p"],
            "stimulus_id": ["a", "b"],
            "choice": ["x", ""],
            "truth": ["x", "y"],
        },
        **WHO,
    )
    holdings = load_dataset(save(table, tmp_path / "b.nc"))
    xr.testing.assert_identical(holdings.systems[0].behaviour[0], table)
    assert holdings.stimuli.column("truth").tolist() == ["x", "y"]
    assert set(holdings.systems[0].missing) == {"recordings", "lesions"}


def test_triplets_name_their_options() -> None:
    """Where trials show several stimuli, the options are the stimuli."""
    table = build.behaviour(
        {"subject": ["p"], "option_stimulus_id": [["a", "c", ""]], "choice": ["a"]}, **WHO
    )
    assert from_form(table, name="triplets").stimuli.ids == ("a", "c")


def test_an_answer_on_disk_is_published(tmp_path: Path) -> None:
    """An answer becomes a published one of its system."""
    answer = rdm_answer(
        np.zeros((1, 1, 2, 2)), subjects=["m"], regions=["V1"], stimuli=["a", "b"],
        parameters={"distance": "correlation"}, **WHO,
    )  # fmt: skip
    holdings = load_dataset(save(answer, tmp_path / "a.nc"))
    assert holdings.systems[0].published[0].regions == ("V1",)
    assert holdings.stimuli.ids == ("a", "b")
    assert set(holdings.systems[0].missing) == {"recordings", "behaviour", "lesions"}


def test_forms_without_stimuli_make_no_data_set(tmp_path: Path) -> None:
    """A connectome alone cannot be asked anything."""
    wiring = build.connectome(
        np.eye(2), unit_id=["u", "v"], system="worm", kind="brain", directed=False,
        weight_meaning="synapses",
    )  # fmt: skip
    with pytest.raises(FormatError, match="holds a connectome; a data set is made of a recording"):
        load_dataset(save(wiring, tmp_path / "c.nc"))
