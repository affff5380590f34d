"""What every test shares: threads, real data, random arrays, and skips that must not happen.

With ``NEUROAI_REQUIRE_ALL`` set, a test that skips because a browser, an extra or real data is
missing fails instead: on such a machine everything is meant to be there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path

_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
# Set before anything imports NumPy or torch, which read it once.
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // _WORKERS)))
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np  # noqa: E402
import pytest  # noqa: E402

REQUIRE_ALL = "NEUROAI_REQUIRE_ALL"
DATA = "NEUROAI_DATA"
MODELS = "NEUROAI_MODELS"
# No installation can give a machine an accelerator.
MAY_SKIP = ("cuda", "mps")


def _must_not_skip(reason: str) -> bool:
    return bool(os.environ.get(REQUIRE_ALL)) and not any(w in reason.lower() for w in MAY_SKIP)


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if _must_not_skip(str(reason)):
        report.outcome = "failed"
        report.longrepr = f"{reason}\n{REQUIRE_ALL} is set, so this may not be skipped."


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one where nothing may be missing."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped file into a failed one where nothing may be missing."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the checkout."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def require() -> Callable[[bool, str], None]:
    """Give a function that skips the test, with a reason, unless a condition holds."""

    def unless(condition: object, reason: str) -> None:
        if not condition:
            pytest.skip(reason)

    return unless


@pytest.fixture(scope="session")
def data_root(require: Callable[[object, str], None]) -> Path:
    """The folder of real data sets, $NEUROAI_DATA; tests that need it are skipped without."""
    value = os.environ.get(DATA, "")
    require(value and Path(value).is_dir(), f"real data are not here; set {DATA} to their folder")
    return Path(value).resolve()


@pytest.fixture(scope="session")
def models_root(require: Callable[[object, str], None]) -> Path:
    """The folder of trained networks: $NEUROAI_MODELS, else `models` beside the real data."""
    value = os.environ.get(MODELS, "")
    beside = Path(os.environ.get(DATA, "") or ".").resolve().parent / "models"
    root = Path(value).resolve() if value else beside
    require(root.is_dir(), f"trained networks are not here; set {MODELS} to their folder")
    return root


@pytest.fixture
def random_array() -> Callable[..., np.ndarray]:
    """Give a function that draws a read-only standard normal array of a shape, by seed."""

    def draw(*shape: int, seed: int = 0) -> np.ndarray:
        values = np.random.default_rng(seed).standard_normal(shape)
        values.setflags(write=False)
        return values

    return draw
