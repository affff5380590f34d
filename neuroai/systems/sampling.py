"""Networks that choose by sampling from their outputs, several times a stimulus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neuroai.cards import ChoiceTask
from neuroai.errors import UsageError
from neuroai.format import build
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System
from neuroai.systems.decisions import entropy_bits, option_probabilities, refuse_beyond
from neuroai.systems.model import Model

CHOICE_BY = "sampling"


@dataclass(frozen=True)
class Sampled:
    """A network whose choices are drawn from its softmax; all else is the network's.

    Attributes
    ----------
    model : Model
        The network, lesioned or not.
    n_samples : int
        Draws for every stimulus and seed of the network.
    seed : int
        Seed of the draws.
    """

    model: Model
    n_samples: int
    seed: int = 0

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.model.name

    @property
    def kind(self) -> str:
        """Always ``model``."""
        return self.model.kind

    @property
    def candidate_kind(self) -> str:
        """As the network's."""
        return self.model.candidate_kind

    @property
    def stimuli(self) -> StimulusSet | None:
        """None: a network meets any stimuli."""
        return None

    @property
    def subjects(self) -> tuple[str, ...]:
        """Seeds of the network."""
        return self.model.subjects

    @property
    def regions(self) -> tuple[str, ...]:
        """Layers of the network."""
        return self.model.regions

    def recordings(
        self, stimuli: StimulusSet | None = None, *, regions: Sequence[str] | None = None
    ) -> Iterator[xr.DataArray] | NotMeasurable:
        """Give the network's activity, which sampling does not change."""
        return self.model.recordings(stimuli, regions=regions)

    def published(self, question: str) -> tuple[Answer, ...]:
        """Give nothing, as the network does."""
        return self.model.published(question)

    def choices(
        self, task: ChoiceTask, stimuli: StimulusSet | None = None
    ) -> xr.Dataset | NotMeasurable:
        """Draw choices: the column ``repeat`` counts the draws of a stimulus."""
        if stimuli is None or not stimuli.available:
            # The network says why it cannot answer.
            return self.model.choices(task, stimuli)
        deciding = self.model._deciding(task, stimuli)
        if isinstance(deciding, NotMeasurable):
            return deciding
        shown, classes = deciding
        outputs = {name: self.model.outputs(shown, subject=name) for name in self.subjects}
        refuse_beyond(outputs, classes, system=self.name)
        return sample(
            {name: option_probabilities(values, classes) for name, values in outputs.items()},
            task=task,
            stimuli=shown,
            n_samples=self.n_samples,
            seed=self.seed,
            attrs=self.model._attrs(),
            system=self.name,
        )


def by_sampling(system: System, *, n_samples: int = 20, seed: int = 0) -> Sampled:
    """Let a network choose by drawing from its softmax over the options of a task.

    A network that takes the most probable option has no binomial noise, so that its psychometric
    function and its signatures cannot be compared with those of an observer who has; drawn choices
    can. Answers say ``choice_by="sampling"``.

    Parameters
    ----------
    system : System
        A network that computes its outputs.
    n_samples : int
        Draws for every stimulus, at least 1.
    seed : int
        Seed of the draws; the same seed draws the same choices, whatever the order of stimuli.

    Returns
    -------
    Sampled
        A system as any other.

    Raises
    ------
    UsageError
        The system computes no outputs, or there is less than one draw.

    References
    ----------
    Luce 1959, Individual Choice Behavior.

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> by_sampling(toy_brain())
    Traceback (most recent call last):
        ...
    neuroai.errors.UsageError: Only a network that computes outputs can be sampled; 'toy' is ...
    """
    if not isinstance(system, Model):
        what = "a recorded system" if system.kind == "brain" else type(system).__name__
        raise UsageError(
            f"Only a network that computes outputs can be sampled; '{system.name}' is {what}. "
            "Its own trials are asked as they are."
        )
    if n_samples < 1:
        raise UsageError(f"n_samples must be at least 1; got {n_samples}.")
    return Sampled(system, n_samples, seed)


def sample(
    probabilities: dict[str, np.ndarray],
    *,
    task: ChoiceTask,
    stimuli: StimulusSet,
    n_samples: int,
    seed: int,
    attrs: dict[str, Any],
    system: str,
) -> xr.Dataset:
    """Draw choices from probabilities (n_stimuli, n_options) of every subject.

    Probabilities are made to add up to 1 over the options. Returns a behaviour table with one row a
    subject, stimulus and draw.
    """
    options = np.asarray(task.options, dtype=object)
    parts: dict[str, list[np.ndarray]] = {k: [] for k in ("choice", "probability", "entropy")}
    for place, chance in enumerate(probabilities.values()):
        share = chance / chance.sum(axis=1, keepdims=True)
        rng = np.random.default_rng([seed, place])
        edges = share.cumsum(axis=1)[:, None, :-1]
        draws = rng.random((len(share), n_samples))
        codes = (draws[..., None] >= edges).sum(axis=-1)
        parts["choice"].append(options[codes].ravel())
        parts["probability"].append(np.take_along_axis(share, codes, axis=1).ravel())
        parts["entropy"].append(np.repeat(entropy_bits(share), n_samples))
    n = len(probabilities)
    ids = np.repeat(np.array(stimuli.ids, dtype=object), n_samples)
    columns: dict[str, Any] = {
        "subject": np.repeat(np.array(list(probabilities), dtype=object), len(ids)),
        "stimulus_id": np.tile(ids, n),
        "truth": np.tile(np.repeat(stimuli.column(task.truth), n_samples), n),
        "repeat": np.tile(np.arange(n_samples, dtype=float), n * len(stimuli.ids)),
        **{name: np.concatenate(values) for name, values in parts.items()},
    }
    if "condition" in stimuli.table.columns:
        columns["condition"] = np.tile(np.repeat(stimuli.column("condition"), n_samples), n)
    note = f"{n_samples} choices drawn for every stimulus, seed {seed}"
    return build.behaviour(
        columns,
        system=system,
        kind="model",
        stimulus_set=stimuli.name,
        task=task.name,
        options=task.options,
        attrs={**attrs, "choice_by": CHOICE_BY, "note": note},
    )
