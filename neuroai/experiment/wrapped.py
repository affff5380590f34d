"""What systems that stand in for another pass on unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr

from neuroai.cards import ChoiceTask
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System


@dataclass(frozen=True, eq=False)
class Wrapped:
    """A system that answers everything as another does.

    Attributes
    ----------
    system : System
        Who answers.
    """

    system: System

    def __getattr__(self, name: str) -> Any:
        # Reached only for what is not defined here, such as lesion_bench and output_map.
        if name.startswith("_") or name == "system":
            raise AttributeError(name)
        return getattr(self.system, name)

    def recordings(
        self, stimuli: StimulusSet | None = None, *, regions: Sequence[str] | None = None
    ) -> Iterator[xr.DataArray] | NotMeasurable:
        """Give activity as the system does."""
        return self.system.recordings(stimuli, regions=regions)

    def choices(
        self, task: ChoiceTask, stimuli: StimulusSet | None = None
    ) -> xr.Dataset | NotMeasurable:
        """Give choices as the system does."""
        return self.system.choices(task, stimuli)

    def published(self, question: str) -> tuple[Answer, ...]:
        """Give what the system published: nothing, as a rule, for a network."""
        return self.system.published(question)

    @property
    def name(self) -> str:
        """Name of the system."""
        return self.system.name

    @property
    def kind(self) -> str:
        """Kind of the system."""
        return self.system.kind

    @property
    def stimuli(self) -> StimulusSet | None:
        """Stimuli of the system."""
        return self.system.stimuli

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subjects of the system: persons, animals or seeds."""
        return self.system.subjects

    @property
    def regions(self) -> tuple[str, ...]:
        """Regions, or layers that are read by default."""
        return self.system.regions
