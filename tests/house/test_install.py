"""What is installed: from the wheel and from the checkout, seen from an empty folder."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOOK = """
import importlib.util, json, sys, neuroai
spec = importlib.util.find_spec("datasets")
print(json.dumps({
    "home": neuroai.__file__,
    "datasets": None if spec is None else spec.origin,
    "benchmarks": importlib.util.find_spec("benchmarks") is not None,
    "path": sys.path,
}))
"""
TRY_NAMES = """
from neuroai.sources.catalogue import DATASETS
print(*DATASETS.names())
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from the checkout with the build tools of the test extra."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder that holds the wheel's content and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", folder, wheel], check=True, capture_output=True)
    return folder


def _run(words: list[str], *, folder: Path, installed: Path | None = None, limit: int = 300) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "NEUROAI_DATA")}
    if installed is not None:
        environment["PYTHONPATH"] = str(installed)
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=limit,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_has_two_names_at_its_top(wheel):
    """A wheel holds the package and its dist-info; not `datasets`, not `tests`."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "neuroai",
        f"neuroai_compare-{importlib.metadata.version('neuroai-compare')}.dist-info",
    }


def test_the_wheel_carries_what_the_package_reads(wheel):
    """Data set and benchmark files, templates, types and the licence are in; speed is not."""
    names = set(zipfile.ZipFile(wheel).namelist())
    carried = {
        *(f"neuroai/_datasets/{p.name}" for p in (ROOT / "datasets").glob("*.py")),
        "neuroai/_datasets/MANIFEST.csv",
        *(
            f"neuroai/_benchmarks/{p.relative_to(ROOT / 'benchmarks').as_posix()}"
            for p in (ROOT / "benchmarks").rglob("*.toml")
        ),
        *(
            p.relative_to(ROOT).as_posix()
            for p in (ROOT / "neuroai").rglob("*")
            if p.is_file() and "__pycache__" not in p.parts
        ),
    }
    assert carried - names == set()
    assert "neuroai/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert [name for name in names if "speed" in name or "__pycache__" in name] == []


def test_an_installed_wheel_hides_no_other_package(installed, tmp_path):
    """From an empty folder, `datasets` is Hugging Face's or nothing, and `benchmarks` nothing."""
    seen = json.loads(_run(["-c", LOOK], folder=tmp_path, installed=installed))
    assert Path(seen["home"]).is_relative_to(installed)
    assert seen["datasets"] is None or "site-packages" in seen["datasets"]
    assert not seen["benchmarks"]


def test_an_editable_install_keeps_the_checkout_off_the_path(tmp_path):
    """The package is found in the checkout, but the folders beside it are not."""
    seen = json.loads(_run(["-c", LOOK], folder=tmp_path))
    if not Path(seen["home"]).is_relative_to(ROOT):
        pytest.skip("neuroai is not installed from this checkout")
    assert str(ROOT) not in seen["path"]
    assert seen["datasets"] is None or "site-packages" in seen["datasets"]
    assert not seen["benchmarks"]


def test_an_installed_wheel_knows_the_same_data_sets(installed, tmp_path):
    """The registry of the wheel's own folder has the names of the checkout's."""
    there = _run(["-c", TRY_NAMES], folder=tmp_path, installed=installed)
    assert there == _run(["-c", TRY_NAMES], folder=tmp_path)
    assert "kriegeskorte2008" in there.split()


@pytest.mark.slow
def test_the_installed_wheel_runs_the_demo_from_an_empty_folder(installed, tmp_path):
    """With the network forbidden and no file beyond the wheel, all four files are written."""
    start = (
        "import socket, sys\n"
        "def closed(*_, **__):\n    raise OSError('no network in this test')\n"
        "socket.socket.connect = closed\n"
        "import neuroai.cli\n"
        "sys.exit(neuroai.cli.main(['demo', '--out', 'found', '-q']))"
    )
    _run(["-c", start], folder=tmp_path, installed=installed)
    found = tmp_path / "found"
    written = {path.name: path.stat().st_size for path in found.iterdir() if path.is_file()}
    assert set(written) == {"report.html", "scores.csv", "scores.nc", "provenance.json"}
    assert (found / "data" / "demo.toml").is_file()
    assert min(written.values()) > 0
    assert [path.name for path in tmp_path.iterdir()] == ["found"]
