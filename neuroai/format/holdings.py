"""Holdings: what a data set hands over, before it is a system that can be asked."""

from __future__ import annotations

from dataclasses import dataclass, field

import xarray as xr

from neuroai.cards import ChoiceTask, Contrast, DatasetCard
from neuroai.format.answers import Answer
from neuroai.format.stimuli import StimulusSet


@dataclass(frozen=True)
class SystemData:
    """Everything that was recorded of, or published about, one system.

    Attributes
    ----------
    name : str
        Such as ``human`` or ``monkey``, or a published network's name.
    kind : str
        ``brain`` or ``model`` (a network whose answers were published).
    species : str
        Such as ``Homo sapiens``; the architecture for a network.
    recordings : tuple of xarray.DataArray
        One a subject (or a subject and modality); regions are labels of units.
    behaviour : tuple of xarray.Dataset
        Behaviour tables, one a task (attr ``task``).
    published : tuple of Answer
        Answers that were published as they stand.
    missing : mapping
        For what was not measured, the reason: keys are ``recordings``, ``behaviour``, ``lesions``.
    measures : tuple of xarray.Dataset
        Tables of published aggregates.
    lesions : tuple of xarray.DataArray
        Lesion masks of patients.
    connectomes : tuple of xarray.DataArray
        Matrices of weights from node to node.
    """

    name: str
    kind: str
    species: str
    recordings: tuple[xr.DataArray, ...] = ()
    behaviour: tuple[xr.Dataset, ...] = ()
    published: tuple[Answer, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    measures: tuple[xr.Dataset, ...] = ()
    lesions: tuple[xr.DataArray, ...] = ()
    connectomes: tuple[xr.DataArray, ...] = ()


@dataclass(frozen=True)
class Holdings:
    """A loaded data set: its card, stimuli and systems.

    Attributes
    ----------
    systems : tuple of SystemData
        The first brain is the one that is compared by default; further brains (another species)
        are compared too and serve as references; ``kind="model"`` are published networks.
    confounds : tuple of Answer
        RDMs of simple explanations (category, luminance) of the same stimuli.
    truth : mapping
        For simulated data only: what was planted, by name.
    """

    card: DatasetCard
    stimuli: StimulusSet
    systems: tuple[SystemData, ...]
    confounds: tuple[Answer, ...] = ()
    truth: dict[str, object] = field(default_factory=dict)

    @property
    def contrasts(self) -> dict[str, Contrast]:
        """The contrasts of the card."""
        return dict(self.card.contrasts)

    @property
    def tasks(self) -> tuple[ChoiceTask, ...]:
        """The choice tasks of the card."""
        return self.card.tasks
