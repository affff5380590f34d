"""What ``neuroai doctor`` prints: what is installed here, and what is known to go wrong."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

DISTRIBUTION = "neuroai-compare"
DEVELOPERS = ("test", "docs")
IMPORT_NAMES = {"scikit-learn": "sklearn", "pillow": "PIL"}
GIB = 2**30
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)[^;]*(?:;.*extra == ['\"](?P<extra>[\w-]+)['\"])?")


def examine() -> tuple[list[str], bool]:
    """Look at this installation.

    Returns
    -------
    lines : list of str
        What to print.
    complete : bool
        Whether every package of the base install is here.
    """
    needed = requirements()
    base = {name: version(name) for name in needed.get("", ())}
    lines = [
        f"neuroai {version(DISTRIBUTION)}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}",
        "",
        *_device_lines(),
        *_room_lines(),
        "",
        "Base install",
        *(f"  {name} {found or 'IS MISSING'}" for name, found in base.items()),
        "",
        "Extras",
        *_extra_lines({k: v for k, v in needed.items() if k not in ("", *DEVELOPERS)}),
    ]
    conflicts = known_conflicts()
    if conflicts:
        lines += ["", "Conflicts", *(f"  {line}" for line in conflicts)]
    return lines, all(base.values())


def requirements() -> dict[str, list[str]]:
    """Give the packages that the installed neuroai names, by extra ('' is the base)."""
    needed: dict[str, list[str]] = {}
    for line in importlib.metadata.requires(DISTRIBUTION) or ():
        match = _REQUIREMENT.match(line)
        if match and match["name"] != "editables":
            needed.setdefault(match["extra"] or "", []).append(match["name"])
    return needed


def version(name: str) -> str:
    """Give the installed version of a distribution, '' if there is none.

    Examples
    --------
    >>> version("no-such-distribution")
    ''
    """
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def known_conflicts() -> list[str]:
    """Name what is known to break: each with what to do."""
    found = []
    trouble = import_trouble("torchvision") if version("torchvision") else ""
    if trouble:
        found.append(
            f"torchvision does not import ({trouble}). It was built for another torch: "
            "uninstall it, or install the build made for this torch. neuroai runs without it."
        )
    spec = importlib.util.find_spec("datasets")
    if spec is not None and spec.origin is None:
        places = ", ".join(spec.submodule_search_locations or ())
        found.append(
            f"A folder called 'datasets' is on the path ({places}): transformers takes it for "
            "Hugging Face's package. Start Python in another folder."
        )
    return found


def import_trouble(module: str) -> str:
    """Import a module and say in one line why it fails, '' if it does not.

    Examples
    --------
    >>> import_trouble("json"), import_trouble("no_such_module")
    ('', "No module named 'no_such_module'")
    """
    try:
        importlib.import_module(module)
    except Exception as error:  # a broken binary package may fail in any way
        return (str(error).strip() or type(error).__name__).splitlines()[0]
    return ""


def _device_lines() -> list[str]:
    trouble = import_trouble("torch")
    if trouble:
        return [f"torch does not import: {trouble}"]
    import torch

    devices = ["cpu"]
    devices += [
        f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())
    ]
    devices += ["mps"] if torch.backends.mps.is_available() else []
    set_here = [f"{name}={os.environ[name]}" for name in THREAD_VARIABLES if name in os.environ]
    return [
        f"Devices: {', '.join(devices)}",
        f"Threads: torch uses {torch.get_num_threads()} of {os.cpu_count()} cores"
        + (f" ({', '.join(set_here)})" if set_here else ""),
    ]


def _room_lines() -> list[str]:
    from neuroai.sources.download import DATA_VARIABLE, cache_folder, data_folder

    cache, data = cache_folder(), data_folder()
    there = next(p for p in (cache, *cache.parents) if p.exists())
    return [
        f"Memory: {_memory()}",
        f"Cache: {cache} ({shutil.disk_usage(there).free / GIB:.0f} GiB free on its disk)",
        f"Data: {data or 'not set'} ({DATA_VARIABLE})",
        f"Here: {shutil.disk_usage(Path.cwd()).free / GIB:.0f} GiB free",
    ]


def _memory() -> str:
    try:
        pages, free = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return "unknown on this system"
    page = os.sysconf("SC_PAGE_SIZE") / GIB
    return f"{free * page:.0f} of {pages * page:.0f} GiB free"


def _extra_lines(extras: Mapping[str, list[str]]) -> list[str]:
    lines = []
    for extra, names in extras.items():
        for name in names:
            lines.append(f"  [{extra}] {name} {_state(name, extra)}")
    return lines


def _state(name: str, extra: str) -> str:
    installed = version(name)
    if not installed:
        return f'not installed: pip install "{DISTRIBUTION}[{extra}]"'
    trouble = import_trouble(IMPORT_NAMES.get(name, name.replace("-", "_")))
    return f"{installed} does not import: {trouble}" if trouble else installed
