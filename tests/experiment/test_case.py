"""A worked case is a configuration: another concept is asked without any code."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from neuroai.cli import main
from neuroai.errors import UnknownName, UsageError
from neuroai.experiment.case import run_case
from neuroai.experiment.case_files import read_case
from neuroai.format.cases import CaseResults
from neuroai.reports.case_page import render_case, write_case

NETWORK = "builtin:small_convnet"
QUICK = {"n_bootstrap": 60, "n_null": 19}
# A concept of its own, on data sets that are there: nothing but this text is new.
ANIMACY = """
name = "animacy"
title = "Animacy: human cortex, monkey cortex and a network"
question = "Is what lives told from what does not?"
version = "1"
citation = "Kriegeskorte et al. 2008, doi:10.1016/j.neuron.2008.10.043"
brain = { dataset = "kriegeskorte2008", system = "human" }
network = { dataset = "kriegeskorte2008" }
stimuli = { shared = "same", note = "the 92 images" }

[[tasks]]
name = "natural"
dataset = "kriegeskorte2008"
options = ["natural inanimate", "artificial inanimate"]
truth = "category"

[[contrasts]]
name = "objects"
dataset = "kriegeskorte2008"
column = "category"
positive = ["natural inanimate"]
negative = ["artificial inanimate"]

[[questions]]
id = "choice"
level = "computation"
question = "How often is it told?"
brain = { not_measurable = "no choices were published" }
network = { ask = "accuracy", task = "animacy", readout_region = "depth 1", neutral = 0.5 }

[[questions]]
id = "geometry"
level = "algorithm"
question = "Are the images laid out alike?"
compare = "rdm-spearman"
brain = { ask = "rdm" }
network = { ask = "rdm", regions = ["depth 0.5"] }

[[questions]]
id = "monkeys"
level = "algorithm"
question = "And as in monkeys?"
compare = "rdm-spearman"
brain = { ask = "rdm", system = "monkey" }
network = { ask = "rdm", regions = ["depth 0.5"] }

[[questions]]
id = "lesion"
level = "implementation"
question = "What is lost with the elements that prefer it?"
shared = "no"
[questions.brain]
ask = "perturbation"
dataset = "afraz2015"
measure = "difference"
select = { method = "optogenetic silencing", site = "face", condition = "contra" }
[questions.network]
ask = "lesion"
task = "animacy"
contrast = "animate"
region = "conv2"
fraction = 0.2
dose = 0.5

[[questions]]
id = "objects"
level = "implementation"
question = "And of objects?"
brain = { ask = "localiser", contrast = "animate" }
[questions.network]
ask = "lesion"
task = "natural"
contrast = "objects"
region = "conv2"
fraction = 0.2
"""


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fourth configuration, written where a user would keep it."""
    path = tmp_path_factory.mktemp("case") / "animacy.toml"
    path.write_text(ANIMACY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(configuration: Path, data_root: Path) -> CaseResults:
    """The fourth case, run once."""
    assert data_root.is_dir()
    return run_case(configuration, NETWORK, **QUICK)


def test_every_question_is_a_line_with_two_cells(found: CaseResults) -> None:
    """In the order of the file, at its level, each cell with its data set and status."""
    asked = [q.id for q in read_case("figure-detection").questions]
    assert [line.id for line in found.lines] != asked
    assert [line.id for line in found.lines] == [
        "choice", "geometry", "monkeys", "lesion", "objects"
    ]  # fmt: skip
    for line in found.lines:
        assert line.shared == ("no" if line.id == "lesion" else "same")
        assert line.verdict
        for cell, side in zip(line.cells, ("brain", "network"), strict=True):
            assert cell.side == side
            assert cell.dataset
            assert (cell.status == "ok") == math.isfinite(cell.value)


def test_not_measurable_is_a_cell_like_any_other(found: CaseResults) -> None:
    """With its reason: said by the configuration, or by the system that was asked."""
    lines = {line.id: line for line in found.lines}
    assert lines["choice"].brain.note == "no choices were published"
    assert lines["objects"].brain.status == "not_measurable"
    assert "only RDMs were published" in lines["objects"].brain.note
    assert lines["choice"].verdict.startswith("network only")


def test_numbers_are_those_of_the_analyses(found: CaseResults) -> None:
    """The published d' of silencing face cortex, and a noise ceiling of four persons."""
    lines = {line.id: line for line in found.lines}
    silenced = lines["lesion"].brain
    assert silenced.value == pytest.approx(2.022 - 2.223, abs=1e-3)
    assert (silenced.n, silenced.unit, silenced.origin) == (14, "sessions", "measured")
    assert silenced.p == pytest.approx(7e-5, rel=0.02)
    assert silenced.ci_low < silenced.value < silenced.ci_high < 0
    assert lines["geometry"].brain.n == 4
    # One pooled RDM of two monkeys has no ceiling, and the cell says so.
    assert lines["monkeys"].brain.status == "not_measurable"


def test_a_lesion_stands_beside_its_random_lesions(found: CaseResults) -> None:
    """p is a share of 101 lesions; the cell says what was lesioned and how it was chosen."""
    cell = next(line for line in found.lines if line.id == "lesion").network
    assert cell.p * 101 == pytest.approx(round(cell.p * 101))
    assert cell.origin == "simulated"
    assert "chosen on one half of the stimuli, tested on the other" in cell.note
    [curve] = found.dose_curves["lesion"]
    assert curve.controls.shape == (3, 100)
    at = list(curve.doses).index(0.5)
    assert curve.targeted[at] - curve.baseline == pytest.approx(cell.value)


def test_the_folder_holds_page_table_scores_and_provenance(
    found: CaseResults, tmp_path: Path
) -> None:
    """One row a question and side; the configuration stands in the provenance."""
    paths = write_case(found, tmp_path)
    table = pd.read_csv(paths["table.csv"])
    assert len(table) == 2 * len(found.lines)
    assert set(table["stimuli_shared"]) == {"same", "no"}
    assert len(pd.read_csv(paths["scores.csv"])) == len(table)
    provenance = json.loads(paths["provenance.json"].read_text(encoding="utf-8"))
    assert provenance["options"]["case"]["name"] == "animacy"
    assert set(provenance["data"]) == {"kriegeskorte2008", "afraz2015"}
    page = paths["report.html"].read_text(encoding="utf-8")
    assert page == render_case(found)
    assert "not measurable: no choices were published" in page
    assert "<script" not in page


def test_wrong_names_are_told(configuration: Path, data_root: Path) -> None:
    """A misspelt task names the nearest; a depth beyond the network is refused."""
    assert data_root.is_dir()
    file = read_case(configuration)
    for old, new, told in (
        ("animacy", "animacie", "Did you mean 'animacy'"),
        ("depth 1", "depth 9", "depth must lie in"),
    ):
        question = file.questions[0]
        facts = {k: (new if v == old else v) for k, v in question.network.items()}
        wrong = file.model_copy(
            update={"questions": [question.model_copy(update={"network": facts})]}
        )
        with pytest.raises((UnknownName, UsageError), match=told):
            run_case(wrong, NETWORK, **QUICK)


def test_the_command_lists_cases_and_refuses_what_is_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """``ls cases`` names the three; an unknown one lists the nearest and exits with usage."""
    assert main(["ls", "cases"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("faces", "figure-detection", "oddity"))
    code = main(["case", "odity", "-m", NETWORK, "--out", str(tmp_path / "out")])
    assert code == 2
    assert "Did you mean 'oddity'" in capsys.readouterr().err
