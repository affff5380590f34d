"""Tests of the command line: what it passes on, what it writes, and how it fails."""

from __future__ import annotations

import csv
import errno
import json
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from neuroai import __version__, cli, errors
from neuroai.format.results import NotMeasured, Results
from neuroai.format.scores import SCORE_COLUMNS, Score

COMMANDS = ("demo", "compare", "run", "ls", "info", "fetch", "doctor")
HEAVY = ("torch", "numpy", "xarray", "pandas", "matplotlib", "scipy", "sklearn", "transformers")


def _score(**facts: object) -> Score:
    stated = {
        "level": "algorithm",
        "analysis": "rdm",
        "metric": "rdm-spearman",
        "dataset": "toy",
        "stimulus_set": "toy",
        "brain_region": "IT",
        "model": "net",
        "model_region": "conv1",
        "value": 0.25,
        "ci_low": 0.125,
        "ci_high": 0.375,
        "p": 0.01,
        "n_stimuli": 24,
        "n_brain_subjects": 4,
        "n_model_subjects": 1,
    }
    return Score(**{**stated, **facts})


UNDEFINED = {"status": "undefined", "note": "the RDM is constant", "value": np.nan}


@pytest.fixture
def results() -> Results:
    """Two scores, one of them undefined, and one question that could not be answered."""
    return Results(
        title="net and toy",
        dataset="toy",
        simulated=False,
        scores=(_score(), _score(model="flat", **UNDEFINED)),
        not_measured=(
            NotMeasured("implementation", "localiser", "toy", "only published RDMs are known"),
        ),
        provenance={"seed": 0, "data": {"name": "toy"}},
    )


@pytest.fixture
def conductor(monkeypatch, results):
    """Put stand-ins in place of the conductor; give the list of the calls that they get."""
    calls: list[tuple[tuple, dict]] = []

    def record(*positional: object, **named: object) -> Results:
        calls.append((positional, named))
        return results

    for module, function in (
        ("neuroai.experiment.api", "compare"),
        ("neuroai.experiment.demo", "run_demo"),
        ("neuroai.experiment.benchmarks", "run_benchmarks"),
    ):
        stand_in = types.ModuleType(module)
        setattr(stand_in, function, record)
        monkeypatch.setitem(sys.modules, module, stand_in)
    return calls


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch, tmp_path):
    """Run every command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("start", ["import neuroai", "import neuroai.cli"])
def test_importing_loads_nothing_heavy(start):
    """What makes an import slow is imported only by the command or name that needs it."""
    code = f"import sys\n{start}\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    assert _python(code) == ""


def test_help_loads_nothing_heavy():
    """Printing the help of a command imports no array library."""
    code = (
        "import sys, neuroai.cli\n"
        "assert neuroai.cli.main(['compare', '--help']) == 0\n"
        f"print('LOADED', *[m for m in {HEAVY!r} if m in sys.modules])"
    )
    assert _python(code).splitlines()[-1] == "LOADED"


def test_version(capsys):
    """--version prints the version and nothing else."""
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"neuroai {__version__}\n"


def test_the_package_runs_as_the_command():
    """``python -m neuroai`` where no script was installed on the path."""
    words = [sys.executable, "-m", "neuroai", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("neuroai 0")


def test_help_names_every_command(capsys):
    """The first help page lists the commands and says how to begin."""
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text for name in COMMANDS)
    assert "neuroai demo" in text
    assert "--debug" in text


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "doctor"])
def test_help_of_a_command_teaches_by_example(command, capsys):
    """Every command that takes arguments shows a line that can be copied."""
    assert cli.main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Example" in text
    assert f"  neuroai {command} " in text or f"  neuroai {command}\n" in text


def test_compare_passes_every_option_on(conductor):
    """No option is accepted and ignored."""
    words = (
        "compare toy -m one -m two --layers a* --layers b --regions IT --metric cka "
        "--distance squared-euclidean --lesions none --contrast faces --n-null 7 --seed 3 "
        "--device cuda --stimuli shared --cache --offline -q"
    )
    assert cli.main(words.split()) == 0
    assert conductor == [
        (
            ("toy", ["one", "two"]),
            {
                "layers": ["a*", "b"],
                "regions": ["IT"],
                "metric": "cka",
                "distance": "squared-euclidean",
                "lesions": "none",
                "contrast": "faces",
                "stimuli": "shared",
                "n_null": 7,
                "seed": 3,
                "device": "cuda",
                "cache": True,
                "offline": True,
                "progress": False,
            },
        )
    ]


def test_run_passes_every_option_on(conductor):
    """Benchmarks and models may both be several."""
    words = "run one two -m a -m b --n-null 7 --seed 3 --device cuda --offline"
    assert cli.main(words.split()) == 0
    named = {"n_null": 7, "seed": 3, "device": "cuda", "cache": False}
    named |= {"offline": True, "progress": True}
    assert conductor == [((["one", "two"], ["a", "b"]), named)]


def test_demo_passes_every_option_on(conductor):
    """The demo takes a seed and can be quiet."""
    assert cli.main(["demo", "--seed", "5", "-q"]) == 0
    folder = Path("neuroai-demo").absolute() / "data"
    assert conductor == [((), {"seed": 5, "folder": folder, "progress": False})]


def test_what_is_not_given_is_left_to_the_conductor(conductor):
    """The number of permutations has one default, which is not the command line's."""
    assert cli.main(["compare", "toy", "-m", "one"]) == 0
    assert "n_null" not in conductor[0][1]


@pytest.mark.parametrize(
    ("words", "folder"),
    [
        (["demo"], "neuroai-demo"),
        (["compare", "toy", "-m", "x"], "neuroai-toy"),
        (["compare", "deep/mine.nc", "-m", "x"], "neuroai-mine"),
        (["run", "bench", "-m", "x"], "neuroai-bench"),
        (["run", "a", "b", "-m", "x"], "neuroai-benchmarks"),
        (["demo", "--out", "my/own"], "my/own"),
    ],
)
def test_results_go_where_the_first_line_says(words, folder, conductor, empty_folder, capsys):
    """The first line on stderr names the files and the folder; the last one repeats the page."""
    assert cli.main(words) == 0
    lines = capsys.readouterr().err.strip().splitlines()
    place = empty_folder / folder
    files = "report.html, scores.csv, scores.nc and provenance.json"
    assert lines[0] == f"Will write {files} to {place}"
    assert lines[-1].endswith(str(place / "report.html"))
    assert sorted(path.name for path in place.iterdir()) == sorted(cli.FILES)


def test_the_last_line_holds_the_headline(conductor, capsys):
    """Value, interval and p of the first network stand beside the path of the page."""
    assert cli.main(["demo"]) == 0
    last = capsys.readouterr().err.strip().splitlines()[-1]
    said = "net conv1 with IT: RDM match (Spearman) 0.250, 95 % interval 0.125 to 0.375, p .010"
    assert said in last


def test_a_result_without_a_score_says_so(monkeypatch, conductor, results, capsys):
    """Where nothing is defined the last line says it in words."""
    import dataclasses

    empty = dataclasses.replace(results, scores=(_score(**UNDEFINED),))
    monkeypatch.setattr(sys.modules["neuroai.experiment.demo"], "run_demo", lambda **_: empty)
    assert cli.main(["demo"]) == 0
    assert "No score of a network is defined" in capsys.readouterr().err.splitlines()[-1]


def test_files_hold_the_scores(conductor, empty_folder):
    """Table, netCDF and provenance hold what was found, and what is undefined is empty."""
    from neuroai.format.files import open_form

    assert cli.main(["demo", "--out", "o"]) == 0
    rows = list(csv.DictReader((empty_folder / "o/scores.csv").read_text().splitlines()))
    assert [(row["model"], row["value"], row["status"]) for row in rows] == [
        ("net", "0.25", "ok"),
        ("flat", "", "undefined"),
    ]
    stored = open_form(empty_folder / "o/scores.nc")
    assert stored["value"].values[0] == 0.25
    assert np.isnan(stored["value"].values[1])
    provenance = json.loads((empty_folder / "o/provenance.json").read_text())
    assert provenance == {"seed": 0, "data": {"name": "toy"}}


def test_json_gives_one_object_a_score_and_nothing_else(conductor, capsys):
    """stdout holds JSON lines alone, with null for what does not exist."""
    assert cli.main(["demo", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [tuple(row) for row in rows] == [SCORE_COLUMNS, SCORE_COLUMNS]
    assert [row["value"] for row in rows] == [0.25, None]


def test_the_table_goes_to_stdout_unless_quiet(conductor, capsys):
    """A person sees the table; -q leaves stdout empty."""
    assert cli.main(["demo"]) == 0
    assert "RDM match (Spearman)" in capsys.readouterr().out
    assert cli.main(["demo", "-q"]) == 0
    assert capsys.readouterr().out == ""


RAISED = [
    (errors.UsageError("wrong layer"), 2),
    (errors.DataError("bad data"), 3),
    (errors.MissingExtra("no transformers"), 4),
    (errors.ResourceError("too big"), 5),
    (errors.IntegrityError("wrong hash"), 6),
]


def _fails_with(monkeypatch, error: BaseException) -> None:
    def fail(**_: object) -> Results:
        raise error

    monkeypatch.setattr(sys.modules["neuroai.experiment.demo"], "run_demo", fail)


@pytest.mark.parametrize(("error", "code"), RAISED)
def test_an_explained_error_is_one_line_and_its_exit_code(
    monkeypatch, conductor, capsys, error, code
):
    """The message stands alone, without a traceback, and the code tells the kind."""
    _fails_with(monkeypatch, error)
    assert cli.main(["demo"]) == code
    lines = capsys.readouterr().err.splitlines()
    # Before it: where the results go, and where the files of the simulated brain are kept.
    assert lines[2:] == [f"error: {error}"]


def test_an_unexpected_error_is_one_line_and_the_way_to_more(monkeypatch, conductor, capsys):
    """A fault of the program names its type and how to see where it happened."""
    _fails_with(monkeypatch, ZeroDivisionError("by zero"))
    assert cli.main(["demo"]) == 1
    text = capsys.readouterr().err
    assert "error: ZeroDivisionError: by zero\nRun again with --debug" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("words", [["demo", "--debug"], ["--debug", "demo"]])
def test_debug_shows_the_traceback(monkeypatch, conductor, capsys, words):
    """--debug is understood before and after the command, and adds the traceback."""
    _fails_with(monkeypatch, ZeroDivisionError("by zero"))
    assert cli.main(words) == 1
    text = capsys.readouterr().err
    assert "Traceback" in text
    assert "Run again" not in text


def test_running_out_of_memory_or_disk_is_a_matter_of_resources(monkeypatch, conductor, capsys):
    """Both end with exit code 5 and a remedy."""
    _fails_with(monkeypatch, MemoryError("alloc"))
    assert cli.main(["demo"]) == 5
    assert "--layers" in capsys.readouterr().err
    _fails_with(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    assert cli.main(["demo"]) == 5
    assert "--out" in capsys.readouterr().err


def test_an_interrupt_ends_with_130(monkeypatch, conductor):
    """Ctrl-C is not an error of the program."""
    _fails_with(monkeypatch, KeyboardInterrupt())
    assert cli.main(["demo"]) == 130


@pytest.mark.parametrize(
    "words",
    [
        ["compare"],
        ["compare", "toy"],
        ["demo", "--sed", "1"],
        ["demo", "--seed", "one"],
        ["compare", "toy", "-m", "x", "--n-null", "0"],
        ["nonsense"],
    ],
)
def test_wrong_words_end_with_2_before_any_work(words, conductor, empty_folder):
    """Whatever cannot be understood is a usage error; nothing is run and nothing is written."""
    assert cli.main(words) == 2
    assert conductor == []
    assert list(empty_folder.iterdir()) == []


def test_an_impossible_folder_is_refused_before_any_work(conductor, empty_folder, capsys):
    """A file in the folder's place is found before the work and not after it."""
    (empty_folder / "taken").write_text("")
    assert cli.main(["demo", "--out", "taken/here"]) == 2
    assert conductor == []
    assert "cannot be a folder for results" in capsys.readouterr().err


def test_a_warning_is_one_line_without_a_place_in_the_code(monkeypatch, conductor, results, capsys):
    """A plug-in that fails is told as a sentence, not as a line of a file."""
    import warnings

    def warn(**_: object) -> Results:
        warnings.simplefilter("always")
        warnings.warn("a plug-in was left out", RuntimeWarning, stacklevel=1)
        return results

    monkeypatch.setattr(sys.modules["neuroai.experiment.demo"], "run_demo", warn)
    assert cli.main(["demo"]) == 0
    assert "\nwarning: a plug-in was left out\n" in capsys.readouterr().err
