"""Where nothing may be missing, a skipped test is a failed one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
MISSING_DATA = "def test_it(data_root):\n    assert data_root\n"
MISSING_EXTRA = "import pytest\n\ndef test_it():\n    pytest.importorskip('no_such_package')\n"
WHOLE_FILE = "import pytest\npytest.importorskip('no_such_package')\n\ndef test_it():\n    pass\n"
MARKED = (
    "import pytest\n\n@pytest.mark.skipif(True, reason='no browser')\ndef test_it():\n    pass\n"
)
NO_DEVICE = "import pytest\n\ndef test_it():\n    pytest.skip('needs CUDA')\n"
EXPECTED = "import pytest\n\n@pytest.mark.xfail\ndef test_it():\n    assert False\n"


def _closing_line(folder: Path, source: str, *, required: bool) -> str:
    shutil.copy(CONFTEST, folder)
    (folder / "test_one.py").write_text(source)
    hidden = ("NEUROAI_DATA", "NEUROAI_REQUIRE_ALL", "PYTEST_XDIST_WORKER")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    # Plug-ins have no part in this and take most of the time.
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    environment.update({"NEUROAI_REQUIRE_ALL": "1"} if required else {})
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    done = subprocess.run(
        [*command, "--rootdir", folder, folder],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("source", [MISSING_DATA, MISSING_EXTRA, WHOLE_FILE, MARKED])
def test_a_user_may_lack_something_and_the_project_may_not(tmp_path, source):
    """Missing data, an extra (in one test or a whole file) and a browser: skipped, or failed."""
    assert _closing_line(tmp_path, source, required=False).startswith("1 skipped")
    assert _closing_line(tmp_path, source, required=True).startswith(("1 failed", "1 error"))


@pytest.mark.parametrize(("source", "outcome"), [(NO_DEVICE, "1 skipped"), (EXPECTED, "1 xfailed")])
def test_what_no_installation_can_give_may_be_missing(tmp_path, source, outcome):
    """A machine without an accelerator passes, and an expected failure is no skip."""
    assert _closing_line(tmp_path, source, required=True).startswith(outcome)
