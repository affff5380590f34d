"""Sphinx: the pages by hand, and the reference from the registries."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import registry_pages  # noqa: E402

import neuroai  # noqa: E402

project = "neuroai"
author = "neuroai developers"
release = neuroai.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax", "numpydoc"]
exclude_patterns = ["_build"]
autosummary_generate = True
numpydoc_show_class_members = False
html_theme = "pydata_sphinx_theme"
html_title = "neuroai"

registry_pages.write(HERE / "reference" / "generated")
