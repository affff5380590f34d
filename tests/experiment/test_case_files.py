"""Configurations of worked cases: what may stand in them, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuroai.errors import RegistryError, UnknownName, UsageError
from neuroai.experiment.case_asks import check_ask, layer_at
from neuroai.experiment.case_files import case_files, named_datasets, read_case

SMALL = """
name = "small"
title = "A small case"
question = "What is asked?"
version = "1"
citation = "none"
brain = { dataset = "kriegeskorte2008", system = "human" }
network = { dataset = "kriegeskorte2008" }
stimuli = { shared = "same", note = "the 92 images" }

[[questions]]
id = "one"
level = "algorithm"
question = "Which?"
brain = { ask = "rdm" }
network = { not_measurable = "no reason" }
"""


def written(folder: Path, old: str = "", new: str = "") -> Path:
    """Write the small case with one change."""
    path = folder / "small.toml"
    path.write_text(SMALL.replace(old, new, 1) if old else SMALL, encoding="utf-8")
    return path


def test_every_registered_case_names_what_exists() -> None:
    """Questions, options, data sets, metrics: all are looked up without loading anything."""
    assert set(case_files()) == {"faces", "figure-detection", "oddity"}
    for path in case_files().values():
        case = read_case(path)
        assert case.name == path.stem
        assert named_datasets(case)
        assert {q.level for q in case.questions} == {"computation", "algorithm", "implementation"}
        for question in case.questions:
            check_ask(question.id, question.brain)
            check_ask(question.id, question.network)


def test_the_figures_of_mice_are_said_to_be_re_created() -> None:
    """Shared stimuli that were not shown to the mice as they stand are marked in every line."""
    case = read_case("figure-detection")
    assert case.stimuli.shared == "re-created"
    assert case.stimuli.note.startswith("stimuli: re-created")
    assert not any(question.shared for question in case.questions)


def test_trials_of_patients_are_never_called_the_networks() -> None:
    """Only published layers share trials with persons; the given network's lines say others."""
    for question in read_case("oddity").questions:
        same = question.shared == "same"
        assert same == (question.network.get("dataset") == "bonnen2021"), question.id


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('title = "A small case"\n', "", "leaves out title"),
        ("version", "versoin", "Did you mean 'version'"),
        ('level = "algorithm"', 'level = "algorithms"', "Did you mean 'algorithm'"),
        ('shared = "same"', 'shared = "sane"', "Did you mean 'same'"),
        ('{ ask = "rdm" }', '{ aks = "rdm" }', "names nothing to ask.*Did you mean 'ask'"),
        (
            'brain = { ask = "rdm" }',
            'brain = { ask = "rdm" }\ncompare = "rdm-persn"',
            "rdm-pearson",
        ),
        ('"no reason" }', '"no reason", ask = "rdm" }', "asks it something as well"),
        ('id = "one"', 'id = "One of"', "should match pattern"),
    ],
)
def test_mistakes_are_told_with_the_near_miss(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    """Each names the file and what is wrong in it."""
    with pytest.raises(RegistryError, match=f"small.toml: .*{told}"):
        read_case(written(tmp_path, old, new))


def test_names_beyond_the_file_are_told_with_the_near_miss() -> None:
    """Cases, questions and options that do not exist."""
    with pytest.raises(UnknownName, match="Did you mean 'faces'"):
        read_case("face")
    with pytest.raises(UsageError, match="no file"):
        read_case("nowhere.toml")
    with pytest.raises(UnknownName, match="question that 'one' can ask.*Did you mean 'accuracy'"):
        check_ask("one", {"ask": "acuracy"})
    with pytest.raises(UnknownName, match="option of 'accuracy' in 'one'.*Did you mean 'task'"):
        check_ask("one", {"ask": "accuracy", "tsak": "phase"})
    with pytest.raises(UnknownName, match="Did you mean 'intervention'"):
        check_ask("one", {"ask": "measured", "intervenion": "laser"})


def test_a_misspelt_data_set_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    """The nearest registered name is in the message."""
    case = read_case(
        written(tmp_path, 'dataset = "kriegeskorte2008" }', 'dataset = "kriegeskort" }')
    )
    with pytest.raises(UnknownName, match="Did you mean 'kriegeskorte2008'"):
        named_datasets(case)


def test_depths_name_layers_of_any_network() -> None:
    """0 is the first layer and 1 the last; what is no depth is a name."""
    layers = ["a", "b", "c", "d", "e"]
    assert [layer_at(layers, f"depth {d}") for d in ("0", "0.5", "1")] == ["a", "c", "e"]
    assert layer_at(layers, "conv") == "conv"
    with pytest.raises(UsageError, match="from 0 to 1; got 'depth deep'"):
        layer_at(layers, "depth deep")
    with pytest.raises(UsageError, match="depth must lie in"):
        layer_at(layers, "depth 2")
