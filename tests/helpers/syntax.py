"""The syntax trees of files, for the tests that read code."""

from __future__ import annotations

import ast
import gc
from functools import cache
from pathlib import Path


@cache
def syntax_tree(path: Path) -> ast.Module:
    """Parse one file with the collector off.

    What is collected during a parse may print a traceback, which parses too; CPython 3.11 counts
    the depth of both in one place and refuses the outer one (SystemError).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    finally:
        if was_on:
            gc.enable()
