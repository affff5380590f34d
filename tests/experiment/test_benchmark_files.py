"""Files of benchmarks: read, checked, listed and refused in words."""

from __future__ import annotations

import copy
import subprocess
import sys
import warnings
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuroai.cards import BenchmarkCard
from neuroai.errors import RegistryError
from neuroai.experiment import benchmark_files
from neuroai.experiment.benchmark_files import (
    BenchmarkFile,
    benchmark_entries,
    benchmarks_folder,
    read_benchmark,
)
from neuroai.experiment.benchmarks import version_of

NAME = "toy-it-rdm"
FACTS = {
    "name": NAME,
    "level": "algorithm",
    "question": "Is the geometry that of human IT?",
    "dataset": "kriegeskorte2008",
    "system": "human",
    "regions": ["IT"],
    "analysis": "rdm",
    "metric": "rdm-spearman",
    "chance": 0.0,
    "citation": "nobody",
    "version": "1",
    "parameters": {"distance": "correlation"},
}


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.encode("unicode_escape").decode().replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
    return repr(value)


def _write(folder: Path, facts: dict, *, name: str = NAME, level: str = "algorithm") -> Path:
    path = folder / level / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{k} = {_toml(v)}\n" for k, v in facts.items()), encoding="utf-8")
    return path


def test_a_file_becomes_a_card(tmp_path):
    """Every fact of the file stands on the card, lists as tuples."""
    card = read_benchmark(_write(tmp_path, FACTS))
    assert card == BenchmarkCard(**{**FACTS, "regions": ("IT",)})
    assert version_of(card) == "toy-it-rdm@1"
    (entry,) = benchmark_entries(tmp_path)
    assert entry.card == card and entry.function is None and entry.path.endswith(f"{NAME}.toml")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"qestion": "x"}, "no fact 'qestion'. Did you mean 'question'"),
        ({"code": "print()"}, "no fact 'code'"),
        ({"dataset": "kriegeskorte208"}, "Did you mean 'kriegeskorte2008'"),
        ({"system": "humn"}, "No system of 'kriegeskorte2008' is called 'humn'. Did you mean"),
        ({"references": ["monky"]}, "Did you mean 'monkey'"),
        ({"analysis": "rmd"}, "No analysis is called 'rmd'. Did you mean 'rdm'"),
        ({"analysis": "localiser"}, "No analysis that a benchmark can ask"),
        ({"metric": "rdm-spearmn"}, "Did you mean 'rdm-spearman'"),
        ({"metric": "error-consistency"}, "compares 'choices', and the analysis 'rdm'"),
        ({"analysis": "similarity"}, "belongs to the level 'computation', not 'algorithm'"),
        ({"parameters": {"distanse": "correlation"}}, "Did you mean 'distance'"),
        ({"parameters": {"distance": "corelation"}}, "Did you mean 'correlation'"),
        ({"question": ""}, "question: "),
        ({"chance": "0"}, "chance: Input should be a valid number; got '0'"),
        ({"regions": "IT"}, "regions: "),
        ({"version": 1}, "version: "),
        ({"name": "other"}, "its place is algorithm/other.toml"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path, change, said):
    """The message names the file, the fact and the nearest name."""
    path = _write(tmp_path, {**FACTS, **change})
    with pytest.raises(RegistryError) as caught:
        benchmark_entries(tmp_path)
    assert said in str(caught.value) and str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    "fact", [key for key, field in BenchmarkFile.model_fields.items() if field.is_required()]
)
def test_a_missing_fact_is_refused(tmp_path, fact):
    """Every fact must be stated; the one left out is named."""
    facts = {key: value for key, value in FACTS.items() if key != fact}
    with pytest.raises(RegistryError, match=f"leaves out {fact}; every fact must be stated"):
        read_benchmark(_write(tmp_path, facts))


def test_parameters_that_an_analysis_needs(tmp_path):
    """Choices need a task and lesions a contrast and a dose that is run; each is looked up."""
    choices = {
        **FACTS, "level": "computation", "dataset": "geirhos2019", "analysis": "choices",
        "metric": "error-consistency",
    }  # fmt: skip
    lesion = {**FACTS, "level": "implementation", "analysis": "dose_curve"}
    for facts, parameters, said in (
        (choices, {}, "leaves out task"),
        (choices, {"task": "edge"}, "Did you mean 'edges'"),
        (lesion, {}, "leaves out contrast"),
        (lesion, {"contrast": "face"}, "Did you mean 'faces'"),
        (lesion, {"contrast": "faces", "dose": 0.5}, "dose must be one of 0.1, 0.3, 1.0"),
    ):
        path = _write(tmp_path, {**facts, "parameters": parameters}, level=str(facts["level"]))
        with pytest.raises(RegistryError, match=said):
            read_benchmark(path)


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b"name = 'a'\nname = 'b'\n"])
def test_what_is_no_toml_is_said(tmp_path, content):
    """A file that cannot be parsed is named with the reason."""
    path = tmp_path / "algorithm" / "bad.toml"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(RegistryError, match="bad.toml is not a TOML file in UTF-8"):
        benchmark_entries(tmp_path)


ANYTHING = st.one_of(
    st.text(max_size=12),
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.lists(st.text(max_size=6), max_size=3),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 9), max_size=2),
)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_fifty_mutated_files_give_clear_errors(tmp_path, data):
    """A file changed at random is read, or refused in words that name it; nothing else happens."""
    facts = copy.deepcopy(FACTS)
    for _ in range(data.draw(st.integers(1, 3))):
        key = data.draw(st.sampled_from([*FACTS, "references", "extra", "regoins"]))
        if data.draw(st.booleans()) and key in facts:
            del facts[key]
        else:
            facts[key] = data.draw(ANYTHING)
    path = _write(tmp_path, facts)
    try:
        card = read_benchmark(path)
    except RegistryError as error:
        assert str(error).startswith(str(path)) and len(str(error)) > len(str(path)) + 10
        assert error.exit_code == 2
    else:
        assert card.name == NAME


class _Points:
    """Stands in for entry points: values from name to the object that is loaded."""

    def __init__(self, **values: object) -> None:
        self.values = values

    def __call__(self, *, group: str) -> list[EntryPoint]:
        assert group == "neuroai.benchmarks"
        return [EntryPoint(name, f"pkg.{name}", group) for name in self.values]


@pytest.fixture
def plug_in(monkeypatch):
    """Give a function that registers modules as plug-ins."""

    def register(**values: object) -> None:
        points = _Points(**values)
        monkeypatch.setattr(benchmark_files.importlib.metadata, "entry_points", points)
        monkeypatch.setattr(EntryPoint, "load", lambda self: points.values[self.name])

    return register


class _Module:
    def __init__(self, folder: object) -> None:
        self.FOLDER = folder


def test_plug_ins_are_read_and_failing_ones_reported(tmp_path, plug_in):
    """A module's FOLDER is read like ours; one without, or with a bad file, is left out aloud."""
    ours, theirs, bad = tmp_path / "ours", tmp_path / "theirs", tmp_path / "bad"
    _write(ours, FACTS)
    _write(theirs, {**FACTS, "name": "third"}, name="third")
    _write(bad, {**FACTS, "metric": "none"})
    plug_in(good=_Module(theirs), nothing=object(), lost=_Module(tmp_path / "no"), bad=_Module(bad))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        names = [entry.card.name for entry in benchmark_entries(ours)]
    assert names == ["third", NAME]
    told = [str(w.message) for w in caught]
    assert len(told) == 3
    for name in ("nothing", "lost", "bad"):
        assert any(f"benchmark plug-in '{name}'" in text and "left out" in text for text in told)


def test_duplicates_are_refused_and_both_files_named(tmp_path, plug_in):
    """One name in two files is an error that names both."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    first, second = _write(ours, FACTS), _write(theirs, FACTS)
    plug_in(other=_Module(theirs))
    with pytest.raises(RegistryError) as caught:
        benchmark_entries(ours)
    assert str(first) in str(caught.value) and str(second) in str(caught.value)


def test_the_folder_goes_with_that_of_the_data_sets(monkeypatch, tmp_path):
    """The checkout's folder or the installed one, as for data sets."""
    for data, wanted in (("datasets", "benchmarks"), ("_datasets", "_benchmarks")):
        monkeypatch.setattr(benchmark_files, "datasets_folder", lambda data=data: tmp_path / data)
        assert benchmarks_folder() == tmp_path / wanted


def test_reading_cards_needs_no_torch():
    """Listing benchmarks stays quick: torch is not imported."""
    code = (
        "import sys; from neuroai.experiment.benchmark_files import benchmark_entries; "
        "benchmark_entries(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
