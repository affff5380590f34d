"""Small brains and networks with planted activity over time, for tests of analyses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neuroai.format import build
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.systems.brain import Recorded


def stimuli_of(**columns: list[str]) -> StimulusSet:
    """Make images of random pixels with these columns, one row a stimulus."""
    n = len(next(iter(columns.values())))
    ids = [f"i{k:03d}" for k in range(n)]
    rng = np.random.default_rng(7)
    images = {key: rng.integers(0, 256, (8, 8), dtype=np.uint8) for key in ids}
    table = pd.DataFrame({"stimulus_id": ids, **columns})
    return stimulus_set(table, name="planted", load=images.__getitem__)


def recorded_brain(
    values: np.ndarray,
    stimuli: StimulusSet,
    *,
    n_repeats: int = 1,
    times: np.ndarray | None = None,
    region: str = "M1",
) -> Recorded:
    """Label (n_repeats * n_stimuli, units[, times]): all stimuli once, then again."""
    values = np.array(values)
    values.setflags(write=False)
    ids = list(stimuli.ids) * n_repeats
    if values.ndim == 3 and times is None:
        times = np.arange(values.shape[2]) / 100
    activity = build.recording(
        values,
        stimulus_id=ids,
        unit_id=[f"{region}/{k}" for k in range(values.shape[1])],
        region=region,
        subject="s1",
        system="planted",
        kind="brain",
        stimulus_set=stimuli.name,
        time=times,
        time_unit="s" if times is not None else "",
        presentation={"repeat": np.repeat(np.arange(n_repeats), len(stimuli.ids))},
    )
    facts = SystemData("planted", "brain", "none", recordings=(activity,))
    return Recorded(data=facts, stimuli=stimuli)
