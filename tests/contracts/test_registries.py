"""Contract of the registries: what a file must state, and what one bad file may not do."""

from __future__ import annotations

import importlib.metadata
import itertools
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest

from neuroai.cards import LesionCard
from neuroai.errors import RegistryError, UnknownName
from neuroai.registry import Registry

GOOD = """
from neuroai.cards import LesionCard
CARD = LesionCard(name="{name}", title="Zero", null_strength=0.0, full_strength=1.0,
                  reversible=True, citation="none")
def apply(activity, *, strength=1.0):
    return activity
"""
CARD_ONLY = GOOD.split("def apply")[0]
_numbers = itertools.count()


@dataclass(frozen=True)
class Point:
    """A stand-in for an installed entry point: a name, a module and how it loads."""

    name: str
    value: str
    path: Path

    def load(self):
        """Load the module from its file, as an entry point would import it."""
        from neuroai.registry import module_from

        return module_from(self.path, name=self.value)


@pytest.fixture
def make(tmp_path):
    """Give a function that makes a registry of files with the given sources."""
    prefix = f"registry_under_test_{next(_numbers)}"

    def build(**sources: str) -> Registry:
        for stem, source in sources.items():
            (tmp_path / f"{stem}.py").write_text(source)
        return Registry(
            kind="lesion",
            card_type=LesionCard,
            group=f"{prefix}.group",
            folder=tmp_path,
            prefix=prefix,
            function="apply",
            by_path=True,
        )

    yield build
    for name in [name for name in sys.modules if name.startswith(prefix)]:
        del sys.modules[name]


@pytest.fixture
def plug_in(monkeypatch, tmp_path):
    """Give a function that offers sources as entry points of every group."""

    def offer(**sources: str) -> None:
        folder = tmp_path / "plugins"
        folder.mkdir()
        points = []
        for name, source in sources.items():
            path = folder / f"{name}.py"
            path.write_text(source)
            points.append(Point(name=name, value=f"plug_in_under_test.{name}", path=path))
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: tuple(points))

    return offer


def test_a_file_registers_itself(make):
    """A file with a card and a function is found, with its path; private files are not."""
    registry = make(zero=GOOD.format(name="zero"), _shared="x = 1")
    assert registry.names() == ("zero",)
    assert registry.get("zero").path.endswith("zero.py")
    assert registry.get("zero").function(3) == 3


def test_entries_come_in_order_of_their_names(make):
    """The order is that of the cards' names, whatever the files are called."""
    registry = make(a=GOOD.format(name="zz"), b=GOOD.format(name="aa"))
    assert [entry.card.name for entry in registry.entries()] == ["aa", "zz"]


def test_two_files_of_one_name_are_refused_and_both_named(make):
    """A duplicate names both files, so that neither has to be searched for."""
    registry = make(first=GOOD.format(name="same"), second=GOOD.format(name="same"))
    with pytest.raises(RegistryError, match="register the lesion 'same'") as caught:
        registry.names()
    assert "first.py" in str(caught.value)
    assert "second.py" in str(caught.value)


@pytest.mark.parametrize("hidden", ["**options", "*rest"])
def test_hidden_parameters_are_refused(make, hidden):
    """A function that takes anything hides its options and accepts misspelt ones."""
    source = CARD_ONLY.format(name="zero") + f"\ndef apply(activity, {hidden}):\n    return 1\n"
    with pytest.raises(RegistryError, match="hides parameters in") as caught:
        make(zero=source).names()
    assert hidden in str(caught.value)
    assert "zero.py" in str(caught.value)


@pytest.mark.parametrize("fact", ["title", "citation"])
def test_a_missing_fact_is_refused_and_named(make, fact):
    """An empty fact names the card and the fact."""
    stated = {"title": "Zero", "citation": "none"}[fact]
    source = GOOD.format(name="zero").replace(f'{fact}="{stated}"', f'{fact}=""')
    with pytest.raises(RegistryError, match=f"LesionCard 'zero' leaves out: {fact}"):
        make(zero=source).names()


def test_a_file_without_a_card_is_refused(make):
    """The message names the file, the card it must state and what it found."""
    with pytest.raises(RegistryError, match=r"must state CARD = LesionCard\(...\); got NoneType"):
        make(zero="def apply(activity):\n    return activity\n").names()


def test_a_card_of_another_kind_is_refused(make):
    """A card of the wrong class is as bad as none."""
    source = "from neuroai.cards import Contrast\nCARD = Contrast('a', ('b',))\n"
    with pytest.raises(RegistryError, match="got Contrast"):
        make(zero=source).names()


def test_a_file_without_its_function_is_refused(make):
    """The message names the function that is missing."""
    with pytest.raises(RegistryError, match="must define the function 'apply'"):
        make(zero=CARD_ONLY.format(name="zero")).names()


def test_an_unknown_name_gets_the_near_miss_and_the_way_to_add_one(make):
    """The message offers the nearest name and says where a file would go."""
    registry = make(zero=GOOD.format(name="zero"))
    with pytest.raises(UnknownName, match="No lesion is called 'zerro'") as caught:
        registry.get("zerro")
    assert "Did you mean 'zero'?" in str(caught.value)
    assert "To add one, put a file in" in str(caught.value)


def test_a_plug_in_stands_beside_the_files(make, plug_in):
    """An installed package's module is listed like a file of the folder."""
    plug_in(cooling=GOOD.format(name="cooling"))
    assert make(zero=GOOD.format(name="zero")).names() == ("cooling", "zero")


def test_a_plug_in_may_not_take_a_registered_name(make, plug_in):
    """A plug-in that repeats a name is refused, naming both files."""
    plug_in(other=GOOD.format(name="zero"))
    with pytest.raises(RegistryError, match="Two files register") as caught:
        make(zero=GOOD.format(name="zero")).names()
    assert "other.py" in str(caught.value)


BAD = {
    "syntax": "def (",
    "missing_import": "import a_package_that_is_not_there",
    "raises": "raise RuntimeError('at import')",
    "divides": "x = 1 / 0",
    "no_card": "def apply(activity):\n    return activity\n",
    "wrong_card": "CARD = 3\ndef apply(activity):\n    return activity\n",
    "no_function": CARD_ONLY.format(name="no_function"),
    "hides": CARD_ONLY.format(name="hides") + "\ndef apply(activity, **rest):\n    return 1\n",
    "missing_fact": GOOD.format(name="missing_fact").replace('"Zero"', '""'),
    "not_callable": CARD_ONLY.format(name="not_callable") + "\napply = 3\n",
}


def test_ten_failing_plug_ins_are_reported_and_never_fatal(make, plug_in):
    """Whatever a plug-in does at import, it is named with its error and the rest is listed."""
    plug_in(**BAD, good=GOOD.format(name="good"))
    registry = make(zero=GOOD.format(name="zero"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert registry.names() == ("good", "zero")
    told = [str(w.message) for w in caught if issubclass(w.category, RuntimeWarning)]
    assert len(told) == len(BAD) == 10
    for name in BAD:
        assert any(f"The lesion plug-in '{name}'" in text and "left out" in text for text in told)
