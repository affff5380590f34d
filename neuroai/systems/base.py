"""What every system can be asked, brain or model alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import xarray as xr

from neuroai.cards import ChoiceTask
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet


@runtime_checkable
class System(Protocol):
    """A brain (recorded) or a model (computed).

    Every method answers NotMeasurable(reason) for what the system cannot give.
    """

    @property
    def name(self) -> str:
        """Name of the system in tables."""

    @property
    def kind(self) -> str:
        """``brain`` or ``model``."""

    @property
    def stimuli(self) -> StimulusSet | None:
        """The stimuli that were shown; None for a model, which meets any."""

    @property
    def subjects(self) -> tuple[str, ...]:
        """Persons, animals, or training seeds."""

    @property
    def regions(self) -> tuple[str, ...]:
        """Regions with recordings; for a model the layers that are read by default."""

    def recordings(
        self, stimuli: StimulusSet | None = None, *, regions: Sequence[str] | None = None
    ) -> Iterator[xr.DataArray] | NotMeasurable:
        """Give activity, one recording a subject and region (attrs ``subject`` and ``region``).

        Regions are names or globs. A brain gives what was recorded without intervention.
        """

    def choices(
        self, task: ChoiceTask, stimuli: StimulusSet | None = None
    ) -> xr.Dataset | NotMeasurable:
        """Give the choices on a task as a behaviour table (without intervention, for a brain)."""

    def published(self, question: str) -> tuple[Answer, ...]:
        """Give answers to a question that were published as they stand."""
