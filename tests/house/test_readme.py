"""README's commands are those that are run, and its example uses names that exist."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RUN = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def _command(name: str) -> str:
    pattern = rf"^<!-- command: {name} -->\n```bash\n(?P<command>.+?)\n```$"
    found = re.findall(pattern, README, flags=re.MULTILINE | re.DOTALL)
    assert len(found) == 1, name
    return found[0]


@pytest.mark.parametrize(("name", "end"), [("demo", "neuroai demo"), ("tests", "pytest")])
def test_each_command_is_one_line_from_nothing_to_the_end(name, end):
    """One line makes the environment, installs the tested versions and runs."""
    command = _command(name)
    assert "\n" not in command
    assert command.startswith("python3 -m venv")
    assert "-c constraints.txt" in command
    assert re.search(rf"\.venv/bin/{end}\b", command)


def test_ci_reads_its_commands_from_the_readme():
    """What .ci/run takes out of README.md is, to the letter, what the reader sees."""
    functions = RUN[RUN.index("readme_command()") : RUN.index("as_root()")]
    for name in ("demo", "tests"):
        assert f"readme_command {name}" in RUN
        done = subprocess.run(
            ["bash", "-c", f"{functions}\nreadme_command {name}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.rstrip("\n") == _command(name)


def test_ci_can_be_run_and_forbids_skips():
    """The script is executable, stops at the first failure and lets nothing be skipped."""
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "set -euo pipefail" in RUN
    assert "NEUROAI_REQUIRE_ALL=1" in RUN
    assert "lint-imports" in RUN
    assert subprocess.run(["bash", "-n", ROOT / ".ci" / "run"]).returncode == 0


def test_constraints_hold_versions_alone():
    """Every line pins one version: no address, no folder, no local build tag."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    assert "torch==2.13.0" in pins


def test_constraints_cover_what_the_install_and_the_tests_need():
    """Every package that pyproject.toml names for a tested install has a tested version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *extras["hf"], *extras["test"], *extras["docs"]]
    names = {re.split(r"[<>=!~ ]", line)[0].lower().replace("_", "-") for line in needed}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    assert names - pinned == set()


def test_names_of_the_python_example_exist():
    """Every `nai.` name in README.md is a public name."""
    import neuroai

    used = set(re.findall(r"\bnai\.(\w+)", README))
    assert used
    assert used <= set(neuroai.__all__)


def test_files_that_the_readme_points_to_exist():
    """No link leads nowhere."""
    named = re.findall(r"`(docs/[\w/.]+)`|\]\((?!https?:)([\w/.-]+)\)", README)
    paths = [a or b for a, b in named]
    assert paths
    assert [p for p in paths if not (ROOT / p).is_file()] == []
