"""The files of a comparison."""

from __future__ import annotations

import json

from neuroai.format.files import open_form
from neuroai.format.results import Results
from neuroai.reports.write import write_outputs


def test_outputs_are_complete(results: Results, tmp_path) -> None:
    """Page, tables and provenance lie in a folder that is made where it lacks."""
    paths = write_outputs(results, tmp_path / "new" / "folder")
    assert sorted(paths) == ["provenance.json", "report.html", "scores.csv", "scores.nc"]
    assert {path.parent for path in paths.values()} == {tmp_path / "new" / "folder"}
    assert sorted(p.name for p in paths["report.html"].parent.iterdir()) == sorted(paths)
    assert open_form(paths["scores.nc"]).sizes["score"] == len(results.scores)
    assert json.loads(paths["provenance.json"].read_text())["seed"] == 0
