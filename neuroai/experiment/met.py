"""Which stimuli of a set a system met, or can meet."""

from __future__ import annotations

from neuroai.format.answers import NotMeasurable
from neuroai.format.schema import STIMULUS_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System


def met_stimuli(system: System, stimuli: StimulusSet) -> StimulusSet:
    """Keep the stimuli at hand for a network, and those that were recorded for a brain.

    A brain without recordings keeps them all: its choices name what they were made on.

    Examples
    --------
    >>> from neuroai.testing import toy_brain, toy_stimuli
    >>> met_stimuli(toy_brain(), toy_stimuli(5)).ids
    ('a', 'b', 'c')
    """
    if system.kind != "brain":
        return stimuli.restrict(stimuli.available) if stimuli.available else stimuli
    recordings = system.recordings(stimuli)
    if isinstance(recordings, NotMeasurable):
        return stimuli
    met = {str(key) for recording in recordings for key in recording[STIMULUS_ID].values}
    return stimuli.restrict(sorted(met & set(stimuli.ids)))
