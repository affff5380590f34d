"""Everything that a comparison leaves in a folder: the page, the tables and provenance."""

from __future__ import annotations

import json
import os
from pathlib import Path

from neuroai.format.files import save
from neuroai.format.results import Results, results_dataset
from neuroai.reports.page import write_page
from neuroai.reports.table import replace_file, write_scores_csv


def write_outputs(results: Results, folder: str | os.PathLike[str]) -> dict[str, Path]:
    """Write report.html, scores.csv, scores.nc and provenance.json, each replaced whole.

    Parameters
    ----------
    results : Results
        What a comparison found.
    folder : path
        Where to write; made where it does not exist.

    Returns
    -------
    dict
        From the file's name to its path.

    Raises
    ------
    DataError
        The page is larger than 5 MB even without its tables.

    Examples
    --------
    >>> import tempfile
    >>> nothing = Results(title="none", dataset="none", simulated=False, scores=())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sorted(write_outputs(nothing, folder))
    ['provenance.json', 'report.html', 'scores.csv', 'scores.nc']
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = ("report.html", "scores.csv", "scores.nc", "provenance.json")
    paths = {name: folder / name for name in names}
    write_scores_csv(results.scores, paths["scores.csv"])
    save(results_dataset(results), paths["scores.nc"])
    text = json.dumps(dict(results.provenance), indent=2, sort_keys=True, default=str)
    replace_file(paths["provenance.json"], text + "\n")
    write_page(results, paths["report.html"])
    return paths
