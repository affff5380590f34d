"""The manifest and the folder of registered data sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuroai.errors import DataError
from neuroai.sources import manifest


def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: str | None) -> Path:
    """Pretend that the package stands in a folder, beside a pyproject.toml if one is given."""
    module = tmp_path / "neuroai" / "sources" / "manifest.py"
    module.parent.mkdir(parents=True)
    module.touch()
    (tmp_path / "datasets").mkdir()
    if project is not None:
        (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "{project}"\n')
    monkeypatch.setattr(manifest, "__file__", str(module))
    return tmp_path.resolve()


def test_checkout_serves_only_if_it_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder 'datasets' beside the package serves if pyproject.toml names neuroai-compare."""
    root = tree(tmp_path, monkeypatch, "neuroai-compare")
    assert manifest.datasets_folder() == root / "datasets"


@pytest.mark.parametrize("project", ["another", None])
def test_foreign_folders_are_left_alone(
    project: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside another project's pyproject.toml, or none, the installed data sets serve."""
    root = tree(tmp_path, monkeypatch, project)
    assert manifest.datasets_folder() == root / "neuroai" / "_datasets"


def test_a_file_listed_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lines for one file are an error that names it."""
    lines = ["dataset_folder,file,bytes,sha256,url", *["d,a.csv,1,00,http://x"] * 2]
    (tmp_path / "MANIFEST.csv").write_text("\n".join(lines))
    monkeypatch.setattr(manifest, "datasets_folder", lambda: tmp_path)
    with pytest.raises(DataError, match="lists d/a.csv twice"):
        manifest.manifest("d")
