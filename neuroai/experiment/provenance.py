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
# NAME=value, --name value, user:password@host, and tokens by their look.
_NAMED = re.compile(r"(token|key|secret|password)=[^&\s]+", re.IGNORECASE)
_OPTION = re.compile(r"(--[\w-]*(?:token|key|secret|password))\s+\S+", re.IGNORECASE)
_LOGIN = re.compile(r"://[^/@\s]+@")
_TOKEN = re.compile(r"\b(hf|ghp|github_pat|glpat|sk)[_-]\w{16,}")


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
    hidden = _NAMED.sub(r"\1=***", " ".join(words))
    return _TOKEN.sub("***", _LOGIN.sub("://***@", _OPTION.sub(r"\1 ***", hidden)))
