"""Every registered analysis answers a brain and a network, or says in words why it cannot."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neuroai.analyses import catalogue
from neuroai.analyses.catalogue import COMPUTATION, LEVELS, all_analyses, analysis
from neuroai.cards import ChoiceTask, Contrast
from neuroai.errors import RegistryError, UnknownName
from neuroai.format.answers import Answer, NotMeasurable, rdm_answer
from neuroai.format.build import behaviour, recording
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.registry import Entry
from neuroai.systems.base import System

N_STIMULI = 24
OPTIONS = ("cat", "dog", "oven")
ENTRIES = [pytest.param(entry, id=entry.card.name) for entry in all_analyses()]


@dataclass(frozen=True)
class Fake:
    """A system whose activity and choices are given; missing ones are not measurable."""

    name: str
    kind: str
    stimuli: StimulusSet | None
    subjects: tuple[str, ...]
    regions: tuple[str, ...]
    activity: tuple[xr.DataArray, ...] = ()
    table: xr.Dataset | None = None

    def recordings(
        self, stimuli: StimulusSet | None = None, *, regions: Sequence[str] | None = None
    ) -> Iterator[xr.DataArray] | NotMeasurable:
        """Give the activity of the regions for the stimuli."""
        if not self.activity or (self.kind == "model" and stimuli is None):
            return NotMeasurable("nothing was recorded")
        ids = self.activity[0].stimulus_id.values if stimuli is None else stimuli.ids
        wanted = self.regions if regions is None else regions
        return (
            part.isel(presentation=np.isin(part.stimulus_id.values.astype(str), ids))
            for part in self.activity
            if part.attrs["region"] in wanted
        )

    def choices(
        self, task: ChoiceTask, stimuli: StimulusSet | None = None
    ) -> xr.Dataset | NotMeasurable:
        """Give the trials on the stimuli."""
        if self.table is None:
            return NotMeasurable("no choices were recorded")
        if stimuli is None:
            return self.table
        return self.table.isel(
            trial=np.isin(self.table.stimulus_id.values.astype(str), stimuli.ids)
        )

    def published(self, question: str) -> tuple[Answer, ...]:
        """Nothing was published."""
        return ()


def _images() -> StimulusSet:
    rows = [
        {
            "stimulus_id": f"i{i:02d}",
            "category": OPTIONS[i % 3],
            "shape": OPTIONS[i % 3],
            "texture": OPTIONS[(i + i // 3) % 3],
            "animate": str(int(i % 3 < 2)),
            "condition": "hard" if i % 2 else "easy",
        }
        for i in range(N_STIMULI)
    ]
    return stimulus_set(pd.DataFrame(rows), name="images")


def _activity(images: StimulusSet, *, kind: str, subject: str, region: str, repeats: int):
    rng = np.random.default_rng([len(region), repeats, *map(ord, subject + region)])
    codes = np.tile(np.arange(N_STIMULI) % 3, repeats)
    values = rng.normal(size=(len(codes), 15))
    values[:, :3] += 2 * np.eye(3)[codes]
    return recording(
        values,
        stimulus_id=images.ids * repeats,
        unit_id=[f"{region}/{i}" for i in range(15)],
        region=region,
        system=kind,
        kind=kind,
        stimulus_set="images",
        subject=subject,
        attrs={"region": region},
    )


def _system(kind: str, *, recorded: bool = True, behaved: bool = True) -> Fake:
    """Make a brain of three persons and two regions with repeats, or a network of two seeds."""
    images, brain = _images(), kind == "brain"
    subjects = ("p1", "p2", "p3") if brain else ("seed0", "seed1")
    regions = ("V1", "IT") if brain else ("layer1", "layer2")
    rng = np.random.default_rng(len(subjects))
    ids = np.tile(images.ids, len(subjects))
    guess = np.array(OPTIONS, dtype=object)[rng.integers(3, size=len(ids))]
    choice = np.where(rng.random(len(ids)) < 0.5, images.column("category", ids), guess)
    columns = {"subject": np.repeat(subjects, N_STIMULI), "stimulus_id": ids, "choice": choice}
    table = behaviour(columns, system=kind, kind=kind, stimulus_set="images", task="naming")
    activity = tuple(
        _activity(images, kind=kind, subject=subject, region=region, repeats=2 if brain else 1)
        for subject in subjects
        for region in regions
    )
    return Fake(
        name=kind,
        kind=kind,
        stimuli=images if brain else None,
        subjects=subjects,
        regions=regions,
        activity=activity if recorded else (),
        table=table if behaved else None,
    )


def _question(hit: tuple[int, ...]) -> Mapping[str, float]:
    return {"accuracy": 1.0 - 0.02 * len(hit)}


# What an analysis may ask for without a default, by the name that options have everywhere.
OPTIONS_OF = {
    "against": rdm_answer(
        1.0 - np.eye(N_STIMULI)[None, None],
        subjects=["m"],
        regions=["truth"],
        stimuli=_images().ids,
        parameters={},
        system="truth",
        kind="model",
        stimulus_set="images",
    ),
    "label": "category",
    "context": "condition",
    "features": "category",
    "task": ChoiceTask(name="naming", options=OPTIONS, truth="category", readout=True),
    "contrast": Contrast(column="animate", positive=("1",), negative=("0",)),
    "region": "IT",
    "predictors": ("animate",),
    "targets": (0, 1, 2),
    "elements": tuple(range(15)),
}


def _ask(entry: Entry, system: System) -> object:
    """Put the question, with everything that it must be told."""
    parameters = list(inspect.signature(entry.function).parameters.values())
    options = {}
    for parameter in parameters[1:]:
        assert parameter.kind is parameter.KEYWORD_ONLY, f"{parameter.name} must follow *"
        if parameter.name == "stimuli":
            options["stimuli"] = _images()
        elif parameter.default is parameter.empty:
            assert parameter.name in OPTIONS_OF, f"say here what {parameter.name} may be"
            options[parameter.name] = OPTIONS_OF[parameter.name]
    # An analysis that probes causes is handed a question about the system in place of it.
    first = _question if parameters[0].name == "question" else system
    return entry.function(first, **options)


def _asks_a_system(entry: Entry) -> bool:
    return next(iter(inspect.signature(entry.function).parameters)) != "question"


def _numbers(answer: object) -> list[np.ndarray]:
    if isinstance(answer, Answer):
        found = [variable.values for variable in answer.data.data_vars.values()]
        found += [part.values for part in answer.responses]
    elif isinstance(answer, Mapping):
        found = [value for measures in answer.values() for value in measures.values()]
    else:
        pytest.fail(f"an analysis gives an Answer or NotMeasurable; got {type(answer).__name__}")
    numbers = [np.asarray(values) for values in found]
    return [values for values in numbers if values.dtype.kind in "fiu"]


@pytest.mark.parametrize("kind", ["brain", "model"])
@pytest.mark.parametrize("entry", ENTRIES)
def test_answers_with_finite_numbers(entry, kind):
    """Where everything was measured the answer has finite values, or a reason in words."""
    answer = _ask(entry, _system(kind))
    if isinstance(answer, NotMeasurable):
        assert len(answer.reason.split()) > 3
        return
    numbers = _numbers(answer)
    assert numbers and all(np.isfinite(values).any() for values in numbers)
    if isinstance(answer, Answer):
        assert answer.form == entry.card.form and answer.question == entry.card.name
        assert (answer.system, answer.kind) == (kind, kind)
        undefined = sum(np.isnan(values).sum() for values in numbers if values.dtype.kind == "f")
        assert undefined == 0 or answer.undefined


@pytest.mark.parametrize("kind", ["brain", "model"])
@pytest.mark.parametrize("entry", [p for p in ENTRIES if _asks_a_system(p.values[0])])
def test_what_was_not_measured_is_said_in_words(entry, kind):
    """A system without activity and choices gives a reason, never a number or an exception."""
    answer = _ask(entry, _system(kind, recorded=False, behaved=False))
    assert isinstance(answer, NotMeasurable) and len(answer.reason.split()) > 2


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_answer_does_not_change_the_system(entry):
    """Asking twice gives the same answer."""
    system = _system("brain")
    first, again = _ask(entry, system), _ask(entry, system)
    if isinstance(first, NotMeasurable):
        assert first == again
        return
    for one, other in zip(_numbers(first), _numbers(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_levels_are_the_folders():
    """Every analysis is registered at the level whose folder it lies in."""
    for entry in all_analyses():
        folder = Path(entry.path).parent
        if folder.parent == LEVELS[entry.card.level].folder.parent:
            assert folder.name == entry.card.level
    assert {entry.card.level for entry in all_analyses()} == set(LEVELS)


def test_a_misspelt_analysis_gets_the_near_miss():
    """An unknown name lists what comes nearest, over all levels."""
    assert analysis("rdm").card.level == "algorithm"
    with pytest.raises(UnknownName, match="called 'acuracy'. Did you mean 'accuracy'"):
        analysis("acuracy")


def test_a_card_of_another_level_is_refused(monkeypatch):
    """A file in the wrong folder is named with its folder and its card's level."""
    swapped = {"computation": LEVELS["algorithm"]}
    monkeypatch.setattr(catalogue, "LEVELS", swapped)
    with pytest.raises(RegistryError, match="states level 'algorithm' but lies in the folder of"):
        all_analyses()


def test_a_name_in_two_levels_is_refused(monkeypatch):
    """Two files of one name are refused, and both are named."""
    monkeypatch.setattr(catalogue, "_plugins", lambda level: [analysis_before])
    analysis_before = next(entry.values[0] for entry in ENTRIES)
    monkeypatch.setattr(catalogue, "LEVELS", {analysis_before.card.level: COMPUTATION})
    with pytest.raises(RegistryError, match=f"Two files register.*'{analysis_before.card.name}'"):
        all_analyses()
