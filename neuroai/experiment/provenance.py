"""Provenance: what a result was made from, so that another can make it again."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping

import neuroai

PACKAGES = (
    "neuroai-compare",
    "numpy",
    "scipy",
    "xarray",
    "torch",
    "transformers",
    "mne",
    "nilearn",
    "scikit-learn",
    "rsatoolbox",
)
_SECRET = re.compile(r"(token|key|secret|password)=[^&\s]+", re.IGNORECASE)


def provenance(
    *,
    data: Mapping[str, object],
    models: Iterable[Mapping[str, object]],
    options: Mapping[str, object],
    seconds: float,
) -> dict[str, object]:
    """Collect what a result was made from.

    Parameters
    ----------
    data : mapping
        Name, hashes and citation of the data set.
    models : iterable of mapping
        Name, specification and weight hashes of every network.
    options : mapping
        Every option of the run, its seed included.
    seconds : float
        How long it took.

    Returns
    -------
    dict
        JSON-ready. Tokens in the command line are redacted; no environment is recorded.
    """
    return {
        "neuroai": neuroai.__version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "command": redacted(" ".join(sys.argv)),
        "data": dict(data),
        "models": [dict(model) for model in models],
        "options": dict(options),
        "packages": versions(),
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
        },
    }


def versions() -> dict[str, str]:
    """Give the installed version of every package that numbers depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def redacted(text: str) -> str:
    """Hide the values of tokens, keys and passwords, and the folders of the command.

    Examples
    --------
    >>> redacted("/usr/bin/neuroai run --model x?token=abc")
    'neuroai run --model x?token=***'
    """
    words = [os.path.basename(word) if i == 0 else word for i, word in enumerate(text.split(" "))]
    return _SECRET.sub(lambda hit: f"{hit.group(1)}=***", " ".join(words))
