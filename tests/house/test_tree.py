"""The house in order: sizes, words, docstrings, imports of data set files."""

from __future__ import annotations

import ast
import doctest
import re
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from syntax import syntax_tree

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60
TEXTS = {".py", ".md", ".rst", ".toml", ".txt", ".csv", ".html", ".j2", ".css", ".sh", ""}
# Spelt in parts, so that this file does not hold what it looks for.
UNFINISHED = re.compile("|".join(["TO" + "DO", "FIX" + "ME", r"raise Not" + "ImplementedError"]))
PRIVATE = re.compile(
    "|".join(
        [r"(?<![\w.])/wor" + "k/", "/tm" + "p/", "/hom" + r"e/\w", "/ro" + "ot/", "local" + "host:"]
    )
)
DATASET_IMPORTS = ("neuroai.sources", "neuroai.format", "neuroai.cards")


def _tracked(*suffixes: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [
            p
            for p in ROOT.rglob("*")
            if not any(q.startswith(".") for q in p.relative_to(ROOT).parts)
        ]
    return sorted(p for p in paths if p.is_file() and p.suffix in suffixes)


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(syntax_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    docstring = ast.get_docstring(node) or ""
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring.count("\n")


def _where(path: Path, line: int = 0) -> str:
    return f"{path.relative_to(ROOT)}" + (f":{line}" if line else "")


def test_files_are_short():
    """No file of code has more than 400 lines."""
    lengths = {_where(p): p.read_text(encoding="utf-8").count("\n") for p in _tracked(".py")}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES} == {}


def test_functions_are_short():
    """No function has more than 60 lines, its docstring left out."""
    long = {
        f"{_where(path, node.lineno)} {node.name}": _length(node)
        for path in _tracked(".py")
        for node in _functions(path)
        if _length(node) > MOST_LINES_OF_A_FUNCTION
    }
    assert long == {}


@pytest.mark.parametrize(("what", "pattern"), [("unfinished", UNFINISHED), ("private", PRIVATE)])
def test_no_unfinished_work_and_no_private_path(what, pattern):
    """Nothing in the tree is left for later, or names a folder of one machine."""
    found = [
        f"{_where(path, number)}: {line.strip()[:90]}"
        for path in _tracked(*TEXTS)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == [], what


def test_no_exception_is_swallowed():
    """No handler consists of `pass`."""
    found = [
        _where(path, node.lineno)
        for path in _tracked(".py")
        for node in ast.walk(syntax_tree(path))
        if isinstance(node, ast.ExceptHandler) and all(isinstance(s, ast.Pass) for s in node.body)
    ]
    assert found == []


def test_every_public_name_of_the_package_is_documented():
    """Modules, and public functions and classes at their top, have a docstring."""
    bare = []
    for path in (ROOT / "neuroai").rglob("*.py"):
        tree = syntax_tree(path)
        nodes = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        public = [n for n in nodes if not n.name.startswith("_")]
        bare += [_where(path, n.lineno) for n in public if not ast.get_docstring(n)]
        bare += [] if ast.get_docstring(tree) else [_where(path)]
    assert bare == []


def test_every_test_says_what_it_shows():
    """Every test has a docstring."""
    bare = [
        f"{_where(path, node.lineno)} {node.name}"
        for path in _tracked(".py")
        if path.name.startswith("test_")
        for node in _functions(path)
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert bare == []


def test_no_function_takes_anything():
    """No public function of the package hides its options in **kwargs."""
    found = [
        f"{_where(path, node.lineno)} {node.name}"
        for path in (ROOT / "neuroai").rglob("*.py")
        for node in syntax_tree(path).body
        if isinstance(node, ast.FunctionDef)
        if node.args.kwarg is not None and not node.name.startswith("_")
    ]
    assert found == []


def _dataset_files() -> list[Path]:
    return sorted((ROOT / "datasets").glob("*.py"))


@pytest.mark.parametrize("folder", ["datasets", "benchmarks"])
def test_folders_read_by_path_are_no_packages(folder):
    """Neither folder can be imported by its name."""
    assert list((ROOT / folder).rglob("__init__.py")) == []
    assert (ROOT / folder).is_dir()


def test_data_set_files_import_only_what_they_may():
    """Of neuroai, a data set's file knows the sources, the form and the cards."""
    for path in _dataset_files():
        imported = [
            module
            for node in ast.walk(syntax_tree(path))
            for module in _imports(node)
            if module.split(".")[0] == "neuroai"
        ]
        assert imported, path
        assert [m for m in imported if not m.startswith(DATASET_IMPORTS)] == [], path


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_examples_of_data_set_files_hold():
    """The doctests of datasets/ are run here, since pytest must not import that folder."""
    from neuroai.registry import module_from

    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for path in _dataset_files():
        module = module_from(path, name=f"neuroai._datasets.{path.stem}")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert doctest.testmod(module, optionflags=flags).failed == 0, path


def test_tests_mirror_the_package():
    """A folder of tests is a folder of the package, or one of those that cut across it."""
    across = {"contracts", "calibration", "faults", "house", "datasets", "helpers"}
    package = {p.name for p in (ROOT / "neuroai").iterdir() if p.is_dir()}
    tests = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and p.name[0] not in "._"}
    assert tests - across <= package
    assert {p.name for p in (ROOT / "tests").rglob("__init__.py")} == set()
