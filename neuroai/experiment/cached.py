"""A network whose activity is read from the cache where it was computed before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import xarray as xr

from neuroai.experiment.cache import ActivationCache
from neuroai.experiment.wrapped import Wrapped
from neuroai.format.answers import NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System
from neuroai.systems.model import Model


@dataclass(frozen=True, eq=False)
class Cached(Wrapped):
    """A network that answers as before, and keeps its activity on disk between runs.

    Choices and lesions are computed by the network itself.

    Attributes
    ----------
    system : Model
        The network.
    cache : ActivationCache
        Where activity is kept.
    """

    cache: ActivationCache = field(default_factory=ActivationCache)

    def recordings(
        self, stimuli: StimulusSet | None = None, *, regions: Sequence[str] | None = None
    ) -> Iterator[xr.DataArray] | NotMeasurable:
        """Give activity bit for bit as the network does, from the cache where it is there."""
        if stimuli is None or not stimuli.available:
            return self.system.recordings(stimuli, regions=regions)
        shown = stimuli.restrict(stimuli.available)
        held = self.cache.activations(
            self.system, shown, layers=regions, progress=self.system.progress
        )
        return held.recordings(shown, regions=regions)


def cached(system: System, cache: ActivationCache | None = None) -> System:
    """Keep a network's activity on disk between runs; what is no network stays as it is.

    Parameters
    ----------
    system : System
        Activations on disk and recordings need no cache and are given back.
    cache : ActivationCache, optional
        The user's own by default.
    """
    if not isinstance(system, Model):
        return system
    return Cached(system, ActivationCache() if cache is None else cache)
