"""Tests of the commands that tell: ls, info, fetch and doctor."""

from __future__ import annotations

import pytest

from neuroai import cli


@pytest.mark.parametrize("kind", ["datasets", "models", "analyses", "metrics", "lesions"])
def test_ls_lists_what_is_registered(kind, capsys):
    """Every registered name of a kind stands in its list, under one line of headings."""
    from neuroai import _cli_catalogue

    assert cli.main(["ls", kind]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [entry.card.name for entry in _cli_catalogue.entries_of(kind)]
    assert names
    assert lines[0].startswith("name ")
    assert [line.split()[0] for line in lines[1:]] == names


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ls", "metrcs"], "Did you mean 'metrics'?"),
        (["ls", "layers"], "neuroai ls layers MODEL"),
        (["ls", "metrics", "hf:x"], "neuroai ls layers MODEL"),
        (["info", "kriegeskorte208"], "Did you mean 'kriegeskorte2008'"),
        (["fetch", "kriegeskorte208"], "Did you mean 'kriegeskorte2008'?"),
    ],
)
def test_a_misspelt_name_gets_the_near_miss(words, said, capsys):
    """Wrong names end with 2 and the name that was probably meant."""
    assert cli.main(words) == 2
    assert said in capsys.readouterr().err


def test_ls_layers_gives_names_in_order_and_marks_the_default(capsys):
    """Every name can be given to --layers, and those read without it are marked."""
    from neuroai.systems.load import load_model

    assert cli.main(["ls", "layers", "builtin:small_convnet"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    model = load_model("builtin:small_convnet")
    named = [name for name, _ in model.module().named_modules()]
    listed = [row[0] for row in rows]
    assert listed == [name for name in named if name in listed]
    assert tuple(row[0] for row in rows if row[-1] == "yes") == model.regions


def test_info_says_which_options_are_needed(capsys):
    """Without a default an option is needed; of many values the number and the ends."""
    assert cli.main(["info", "encoding"]) == 0
    out = capsys.readouterr().out
    assert "options: features (needed), stimuli=None" in out
    assert "penalties=20 values from 0.001 to 1e+06" in out and "delays=(0.0,)" in out


def test_info_prints_every_fact_of_a_card(capsys):
    """A dataset's card is printed with its licence, contrasts, levels and file."""
    from neuroai.sources.catalogue import DATASETS

    card = DATASETS.get("kriegeskorte2008").card
    assert cli.main(["info", "kriegeskorte2008"]) == 0
    text = capsys.readouterr().out
    for fact in (card.title, card.licence, card.citation, *card.contrasts, *card.answers.values()):
        assert fact in text
    assert "kriegeskorte2008.py" in text


def test_fetch_checks_files_that_are_here(data_root, capsys):
    """With the files in place nothing is downloaded, and their number is said."""
    assert cli.main(["fetch", "kriegeskorte2008"]) == 0
    assert "files are here and their hashes agree" in capsys.readouterr().err


def test_doctor_names_the_base_install_and_the_extras(capsys):
    """Every package that the installed neuroai names is told, with its version or the remedy."""
    from neuroai import _cli_doctor

    assert cli.main(["doctor"]) == 0
    text = capsys.readouterr().out
    needed = _cli_doctor.requirements()
    assert {"torch", "numpy", "xarray"} <= set(needed[""])
    for name in needed[""]:
        assert f"  {name} {_cli_doctor.version(name)}" in text
    assert "[hf] transformers" in text
    assert "Devices: cpu" in text


def test_doctor_ends_with_4_when_a_base_package_is_missing(monkeypatch, capsys):
    """An incomplete install is named and not passed over."""
    from neuroai import _cli_doctor

    monkeypatch.setattr(_cli_doctor, "requirements", lambda: {"": ["no-such-distribution"]})
    assert cli.main(["doctor"]) == 4
    assert "no-such-distribution IS MISSING" in capsys.readouterr().out


def test_doctor_names_a_folder_that_hides_hugging_face(monkeypatch, tmp_path):
    """A folder called datasets on the path is told with its place and what to do."""
    from neuroai import _cli_doctor

    (tmp_path / "datasets").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert any(str(tmp_path) in line for line in _cli_doctor.known_conflicts())


def test_doctor_names_a_torchvision_that_does_not_import(monkeypatch):
    """A build for another torch is told with the reason and the remedy."""
    from neuroai import _cli_doctor

    monkeypatch.setattr(_cli_doctor, "version", lambda name: "0.0")
    monkeypatch.setattr(_cli_doctor, "import_trouble", lambda module: "operator nms is missing")
    # The repository's own folder of data sets may be on the path as well.
    [line] = [told for told in _cli_doctor.known_conflicts() if "torchvision" in told]
    assert "torchvision does not import (operator nms is missing)" in line
