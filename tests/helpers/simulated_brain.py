"""A brain in memory whose regions mix layers of a network, with a planted module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.experiment.demo_brain import (
    CARD,
    DIGITS,
    N_PLANTED,
    N_REPEATS,
    PLANTED_EFFECT,
    SUBJECTS,
    TASK,
    choice_columns,
    layer_patterns,
)
from neuroai.experiment.demo_signals import mixed
from neuroai.format.build import behaviour, recording
from neuroai.format.holdings import Holdings, SystemData
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System

N_UNITS = 100
NOISE = 1.5


@dataclass(frozen=True)
class Plan:
    """What is planted.

    Attributes
    ----------
    region_layers : tuple of (str, str)
        The layer of the generating network that each region mixes; the last one holds the module
        and feeds the choices.
    seed : int
        Seed of mixtures, noise and choices.
    """

    region_layers: tuple[tuple[str, str], ...]
    seed: int = 0


def simulate_brain(generator: System, stimuli: StimulusSet, *, plan: Plan) -> Holdings:
    """Simulate recordings, choices and silencing of four subjects.

    Every region is a random mixture of one layer of the generating network, plus independent noise
    at every showing. The first units of the last region are a planted module:
    they carry the contrast. Choices are the generating network's evidence plus noise; silencing
    the module takes away the part of the evidence that runs along the contrast.

    Parameters
    ----------
    generator : System
        The network whose layers the regions mix; its last region is the evidence.
    stimuli : StimulusSet
        What is shown.
    plan : Plan
        What is planted.

    Returns
    -------
    Holdings
        With the planted truth.
    """
    layers = dict(plan.region_layers)
    patterns = {
        region: layer_patterns(generator, layer, stimuli) for region, layer in layers.items()
    }
    evidence = layer_patterns(generator, generator.regions[-1], stimuli)
    looped = stimuli.column("loop") == "1"
    truth = stimuli.column("digit")
    recordings = tuple(
        _subject(name, patterns, looped, stimuli, seed=[plan.seed, index])
        for index, name in enumerate(SUBJECTS)
    )
    columns, planted = choice_columns(evidence, looped, truth, stimuli.ids, seed=plan.seed)
    table = behaviour(
        columns,
        system="simulated brain",
        kind="brain",
        stimulus_set=stimuli.name,
        task=TASK.name,
        options=DIGITS,
        attrs={"simulated": 1},
    )
    data = SystemData(
        name="simulated brain",
        kind="brain",
        species="simulation",
        recordings=recordings,
        behaviour=(table,),
    )
    last = plan.region_layers[-1][0]
    return Holdings(
        card=CARD,
        stimuli=stimuli,
        systems=(data,),
        truth={
            "layers": layers,
            "module": [f"{last}/{i}" for i in range(N_PLANTED)],
            "accuracy": planted,
        },
    )


def _subject(
    name: str,
    patterns: dict[str, np.ndarray],
    looped: np.ndarray,
    stimuli: StimulusSet,
    *,
    seed: Sequence[int],
) -> xr.DataArray:
    """Record one subject: every region's units, every stimulus shown four times."""
    rng = np.random.default_rng(list(seed))
    blocks, regions = [], []
    for region, layer in patterns.items():
        signal = mixed(layer, N_UNITS, rng)
        if region == list(patterns)[-1]:
            signal[:, :N_PLANTED] += PLANTED_EFFECT * np.where(looped, 0.5, -0.5)[:, None]
        blocks.append(signal)
        regions += [region] * N_UNITS
    signal = np.concatenate(blocks, axis=1)
    shown = np.tile(signal, (N_REPEATS, 1))
    values = shown + NOISE * rng.standard_normal(shown.shape)
    ids = list(stimuli.ids)
    return recording(
        values,
        stimulus_id=ids * N_REPEATS,
        unit_id=[f"{region}/{i}" for region in patterns for i in range(N_UNITS)],
        region=regions,
        system="simulated brain",
        kind="brain",
        stimulus_set=stimuli.name,
        subject=name,
        modality="simulated",
        physical_unit="SD",
        presentation={"repeat": np.repeat(np.arange(N_REPEATS), len(ids))},
        attrs={"simulated": 1},
    )
