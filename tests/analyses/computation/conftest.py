"""Systems of known answers for the questions of the computational level."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neuroai.cards import ChoiceTask
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.build import behaviour, recording
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.systems.brain import Recorded

TASK = ChoiceTask(name="naming", options=("cat", "dog", "oven"), truth="category", readout=True)


@dataclass(frozen=True)
class Network:
    """A model whose activity and choices are given."""

    activity: tuple[xr.DataArray, ...] = ()
    table: xr.Dataset | None = None
    subjects: tuple[str, ...] = ("seed0",)
    regions: tuple[str, ...] = ("layer1", "layer2")
    name: str = "network"
    kind: str = "model"
    stimuli: StimulusSet | None = None

    def recordings(
        self, stimuli: StimulusSet | None = None, *, regions: Sequence[str] | None = None
    ) -> Iterator[xr.DataArray] | NotMeasurable:
        """Give the activity of the regions."""
        if stimuli is None or not self.activity:
            return NotMeasurable("no stimuli to show")
        wanted = self.regions if regions is None else regions
        return (
            part.isel(presentation=np.isin(part.stimulus_id.values.astype(str), stimuli.ids))
            for part in self.activity
            if part.attrs["region"] in wanted
        )

    def choices(
        self, task: ChoiceTask, stimuli: StimulusSet | None = None
    ) -> xr.Dataset | NotMeasurable:
        """Give the table of choices."""
        if self.table is None:
            return NotMeasurable(f"'{self.name}' has no outputs for the options of '{task.name}'")
        return self.table

    def published(self, question: str) -> tuple[Answer, ...]:
        """A network publishes nothing."""
        return ()


@pytest.fixture
def images() -> StimulusSet:
    """Thirty images of three categories; every third has the texture of another category."""
    rows = []
    for i in range(30):
        own, other = TASK.options[i % 3], TASK.options[(i + 1) % 3]
        rows.append(
            {
                "stimulus_id": f"i{i:02d}",
                "category": own,
                "shape": own,
                "texture": other if i % 2 else own,
                "condition": "hard" if i % 2 else "easy",
            }
        )
    return stimulus_set(pd.DataFrame(rows), name="images")


@pytest.fixture
def brain_of(images) -> Callable[..., Recorded]:
    """Make a brain from columns of a behaviour table."""

    def make(stimuli: StimulusSet = images, **columns: object) -> Recorded:
        table = behaviour(
            columns, system="human", kind="brain", stimulus_set=stimuli.name, task="naming"
        )
        data = SystemData("human", "brain", "Homo sapiens", behaviour=(table,))
        return Recorded(data=data, stimuli=stimuli)

    return make


@pytest.fixture
def people(images, brain_of) -> Recorded:
    """Three persons, right on about 70 % of the images; the first missed one trial."""
    rng = np.random.default_rng(11)
    subject = np.repeat(["p1", "p2", "p3"], 30)
    ids = np.tile(images.ids, 3)
    truth = images.column("category", ids)
    wrong = np.array(TASK.options, dtype=object)[rng.integers(3, size=90)]
    choice = np.where(rng.random(90) < 0.6, truth, wrong)
    choice[4] = ""
    return brain_of(subject=subject, stimulus_id=ids, choice=choice)


@pytest.fixture
def network(images) -> Network:
    """A network of two seeds without outputs whose second layer knows the category."""
    rng = np.random.default_rng(12)
    codes = np.arange(30) % 3
    parts = []
    for seed in ("seed0", "seed1"):
        for region, signal in (("layer1", 0.0), ("layer2", 6.0)):
            values = rng.normal(size=(30, 20))
            values[:, :3] += signal * np.eye(3)[codes]
            parts.append(
                recording(
                    values,
                    stimulus_id=images.ids,
                    unit_id=[f"{region}/{i}" for i in range(20)],
                    region=region,
                    system="network",
                    kind="model",
                    stimulus_set="images",
                    subject=seed,
                    attrs={"region": region},
                )
            )
    return Network(activity=tuple(parts), subjects=("seed0", "seed1"), stimuli=images)


@pytest.fixture
def small_images() -> StimulusSet:
    """Thirty small images with the digits 0 to 2, which built-in networks name."""
    rng = np.random.default_rng(5)
    pixels = {f"i{i:02d}": rng.integers(0, 256, (8, 8), dtype=np.uint8) for i in range(30)}
    rows = {"stimulus_id": list(pixels), "category": [str(i % 3) for i in range(30)]}
    return stimulus_set(pd.DataFrame(rows), name="images", load=pixels.__getitem__)
