"""What every registered data set must keep; a new file adds its own tests here."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pytest
from syntax import syntax_tree

from neuroai.errors import ResourceError
from neuroai.format.answers import Answer
from neuroai.format.audit import audit
from neuroai.format.holdings import Holdings
from neuroai.format.schema import FORMS
from neuroai.format.stimuli import content_sha256
from neuroai.format.validate import validate
from neuroai.registry import Entry
from neuroai.sources.catalogue import DATASETS, load_dataset
from neuroai.sources.manifest import datasets_folder, manifest

EXACT = 1e-10  # float64 algebra in another order
HALF_A_HUNDREDTH = 0.005  # sizes are stated in MiB to two digits
ENTRIES = pytest.mark.parametrize("entry", DATASETS.entries(), ids=lambda entry: entry.card.name)
SIDES = ("recordings", "behaviour")


@functools.cache
def _load(name: str) -> Holdings | ResourceError:
    try:
        return load_dataset(name)
    except ResourceError as error:
        return error


@pytest.fixture
def holdings(entry: Entry) -> Holdings:
    """Load the data set, or skip with the reason."""
    found = _load(entry.card.name)
    if isinstance(found, ResourceError):
        pytest.skip(str(found))
    return found


def answers(holdings: Holdings) -> list[Answer]:
    """Give everything that was published."""
    return [a for s in holdings.systems for a in s.published] + list(holdings.confounds)


@ENTRIES
def test_card_is_complete(entry: Entry) -> None:
    """The card is named like its file and gives an address, a licence and a citation with year."""
    card = entry.card
    assert Path(entry.path).stem == card.name
    assert urlparse(card.url).scheme == "https"
    assert re.search(r"\b(19|20)\d\d\b", card.citation)
    assert len(card.licence) > 2
    assert not card.doi or re.fullmatch(r"10\.\d{4,9}/\S+", card.doi)
    assert all(len(text) > 10 for text in card.answers.values())


@ENTRIES
def test_manifest_is_complete(entry: Entry) -> None:
    """Every file has an address, a SHA-256 and a size; together they are as the card says."""
    files = manifest(entry.card.folder).values()
    for file in files:
        assert urlparse(file.url).scheme == "https", file
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256), file
        assert file.size > 0, file
    total = sum(file.size for file in files) / 2**20
    assert entry.card.size_mib == pytest.approx(total, abs=HALF_A_HUNDREDTH)


def test_manifest_lists_no_other_folder() -> None:
    """Every folder of the manifest belongs to a registered data set."""
    text = (datasets_folder() / "MANIFEST.csv").read_text(encoding="utf-8")
    listed = {line.split(",")[0] for line in text.splitlines()[1:]}
    assert listed == {entry.card.folder for entry in DATASETS.entries()}


@ENTRIES
def test_file_imports_only_the_shared_layers(entry: Entry) -> None:
    """A data set file imports of neuroai only sources, format and cards."""
    tree = syntax_tree(Path(entry.path))
    found = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    found |= {n.name for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names}
    allowed = ("neuroai.sources", "neuroai.format", "neuroai.cards")
    ours = {name for name in found if name and name.split(".")[0] == "neuroai"}
    assert ours
    assert {name for name in ours if not name.startswith(allowed)} == set()


@ENTRIES
@pytest.mark.parametrize("how", ["variable", "option"])
def test_offline_says_what_to_fetch_and_where(
    entry: Entry, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline and absent: one sentence with the address, the place and the variable."""
    monkeypatch.setenv("NEUROAI_DATA", str(tmp_path / "empty"))
    monkeypatch.setenv("NEUROAI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NEUROAI_OFFLINE", "1" if how == "variable" else "")
    with pytest.raises(ResourceError) as error:
        load_dataset(entry.card.name, offline=how == "option")
    text = str(error.value)
    folder = entry.card.folder
    assert re.search(rf"fetch https://\S+ and put it at {tmp_path}/empty/{folder}/\S", text)
    assert "the environment variable NEUROAI_DATA names the folder" in text
    assert text.count(". ") == 0
    assert not (tmp_path / "cache").exists()


@ENTRIES
def test_sizes_are_as_the_card_says(entry: Entry, holdings: Holdings) -> None:
    """The number of stimuli, and the first system, are those of the card."""
    assert holdings.card == entry.card
    assert len(holdings.stimuli.ids) == entry.card.n_stimuli
    assert holdings.systems[0].name == entry.card.systems[0]
    assert holdings.systems[0].kind == "brain"
    names = [system.name for system in holdings.systems]
    assert len(set(names)) == len(names)


@ENTRIES
def test_forms_are_kept_and_audited(entry: Entry, holdings: Holdings) -> None:
    """Every recording and table keeps its form, names its system, and can be audited."""
    for system in holdings.systems:
        for data in (*system.recordings, *system.behaviour):
            validate(data)
            assert data.attrs["format"] in FORMS
            assert (data.attrs["system"], data.attrs["kind"]) == (system.name, system.kind)
            assert data.attrs["stimulus_set"] == holdings.stimuli.name
        for recording in system.recordings:
            assert audit(recording).n_units == recording.sizes["unit"]


@ENTRIES
def test_tables_masks_and_matrices_keep_their_forms(entry: Entry, holdings: Holdings) -> None:
    """Measures, lesions and connectomes are in the common form, and hold numbers."""
    for system in holdings.systems:
        listed = {"measure": system.measures, "lesions": system.lesions}
        for form, given in {**listed, "connectome": system.connectomes}.items():
            for data in given:
                validate(data)
                assert data.attrs["format"] == form
                assert (data.attrs["system"], data.attrs["kind"]) == (system.name, system.kind)
                values = data["value"].values if form == "measure" else data.values
                assert values.size and np.isfinite(values.astype(float)).any()
        for lesions in system.lesions:
            assert lesions.values.any(axis=0).all(), "a unit that nobody lost is kept"


@ENTRIES
def test_everything_is_about_known_stimuli(entry: Entry, holdings: Holdings) -> None:
    """No recording, table or answer names a stimulus that the set does not hold."""
    known = set(holdings.stimuli.ids)
    for system in holdings.systems:
        for data in (*system.recordings, *system.behaviour):
            if "stimulus_id" in data.variables if hasattr(data, "variables") else data.coords:
                assert set(data["stimulus_id"].values) - {""} <= known, system.name
    for answer in answers(holdings):
        assert set(answer.stimuli) <= known, answer.system
        assert answer.stimulus_set == holdings.stimuli.name


@ENTRIES
def test_published_rdms_are_rdms(entry: Entry, holdings: Holdings) -> None:
    """Published RDMs are symmetric with a zero diagonal, finite, and in order of the ids."""
    for answer in answers(holdings):
        if answer.form == "rdm":
            rdm = answer.data["rdm"].values
            np.testing.assert_allclose(rdm, np.swapaxes(rdm, -1, -2), rtol=0, atol=EXACT)
            assert np.abs(np.diagonal(rdm, axis1=-2, axis2=-1)).max() == 0
            assert np.isfinite(rdm).all(), answer.system
            assert list(answer.stimuli) == sorted(answer.stimuli)
            assert answer.origin == "published"


@ENTRIES
def test_what_is_missing_has_a_reason(entry: Entry, holdings: Holdings) -> None:
    """For recordings, behaviour and lesions a system has either data or a reason, never both."""
    for system in holdings.systems:
        for side in SIDES:
            assert bool(getattr(system, side)) != bool(system.missing.get(side)), system.name
        assert all(len(reason) > 10 for reason in system.missing.values())


@ENTRIES
def test_contrasts_have_two_sides(entry: Entry, holdings: Holdings) -> None:
    """Both sides of every contrast hold at least four stimuli, enough for two halves."""
    for name, contrast in entry.card.contrasts.items():
        values = holdings.stimuli.column(contrast.column)
        positive = np.isin(values, contrast.positive)
        negative = np.isin(values, contrast.negative) if contrast.negative else ~positive
        assert not (positive & negative).any(), name
        assert min(positive.sum(), negative.sum()) >= 4, name


@ENTRIES
def test_tasks_have_their_options(entry: Entry, holdings: Holdings) -> None:
    """Every option of a task is right for some stimulus, and no other answer is right."""
    for task in entry.card.tasks:
        stimuli = holdings.stimuli.where(*task.where) if task.where else holdings.stimuli
        assert set(stimuli.column(task.truth)) == set(task.options), task.name
        tables = [b for s in holdings.systems for b in s.behaviour if b.attrs["task"] == task.name]
        for table in tables:
            assert table.attrs["options"].split("|") == list(task.options)
            assert set(table["choice"].values) <= {*task.options, ""}


@ENTRIES
def test_images_are_what_they_were(entry: Entry, holdings: Holdings) -> None:
    """Loading a stimulus twice gives the content whose hash the table holds."""
    for key in holdings.stimuli.available[:: max(1, len(holdings.stimuli.available) // 5)]:
        assert (
            content_sha256(holdings.stimuli.content(key))
            == holdings.stimuli.table.loc[key, "sha256"]
        )


@ENTRIES
def test_loading_again_gives_the_same(entry: Entry, holdings: Holdings) -> None:
    """A second load gives identical tables and answers."""
    again = load_dataset(entry.card.name)
    assert again.stimuli.table.equals(holdings.stimuli.table)
    for one, other in zip(answers(holdings), answers(again), strict=True):
        assert one.data.identical(other.data)
    for one, other in zip(holdings.systems, again.systems, strict=True):
        assert all(a.identical(b) for a, b in zip(one.behaviour, other.behaviour, strict=True))
