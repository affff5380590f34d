"""Public helpers for tests: tolerances by name, and systems whose answers are known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import Contrast
from neuroai.format.build import behaviour, recording
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.systems.brain import Recorded

EXACT = 1e-10
"""Float64 algebra in another order."""
SINGLE = 1e-4
"""Float32 algebra."""
EQUAL = 1e-8
"""Float64 against an independent implementation."""
STANDARD_ERRORS = 4
"""Half width, in standard errors, of every bound on a simulation."""


def readonly(values: object, *, dtype: type | str | None = None) -> np.ndarray:
    """Make an array that an innocent function cannot write into.

    Examples
    --------
    >>> readonly([1, 2]).flags.writeable
    False
    """
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


def toy_stimuli(n_stimuli: int = 3) -> StimulusSet:
    """Make stimuli ``a, b, c, ...``: small grey images of known content.

    Examples
    --------
    >>> toy_stimuli(2).ids
    ('a', 'b')
    """
    ids = [chr(ord("a") + i) for i in range(n_stimuli)]
    images = {key: np.full((8, 8), i, dtype=np.uint8) for i, key in enumerate(ids)}
    return stimulus_set(pd.DataFrame({"stimulus_id": ids}), name="toy", load=images.__getitem__)


def chooser(
    columns: Mapping[str, object],
    *,
    task: str = "task",
    table: Mapping[str, object] | None = None,
    kind: str = "brain",
) -> Recorded:
    """Make a person of given trials, for questions about behaviour.

    `columns` are those of a behaviour table; subject ``p`` and the stimulus ``s0, s1, ...`` of each
    trial are filled in where they are left out. `table` adds columns to the stimuli, in the order
    of the sorted ids.

    Examples
    --------
    >>> chooser({"choice": ["left", "right"], "truth": ["left", "left"]}).stimuli.ids
    ('s0', 's1')
    """
    n = len(next(iter(columns.values())))
    digits = len(str(n - 1))
    filled = {
        "subject": ["p"] * n,
        "stimulus_id": [f"s{i:0{digits}d}" for i in range(n)],
        **columns,
    }
    who = {"system": "toy", "kind": kind, "stimulus_set": "toy", "task": task}
    rows = pd.DataFrame(
        {"stimulus_id": sorted(set(map(str, filled["stimulus_id"]))), **(table or {})}
    )
    trials = behaviour(filled, **who)
    return Recorded(
        data=SystemData("toy", kind, "none", behaviour=(trials,)),
        stimuli=stimulus_set(rows, name="toy"),
    )


def toy_brain() -> Recorded:
    """Make one subject with two units in V1 and the patterns (0, 0), (1, 1), (2, 0).

    Examples
    --------
    >>> toy_brain().subjects, toy_brain().regions
    (('s1',), ('V1',))
    """
    activity = recording(
        [[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]],
        stimulus_id=["a", "b", "c"],
        unit_id=["u0", "u1"],
        region="V1",
        system="toy",
        kind="brain",
        stimulus_set="toy",
        subject="s1",
    )
    data = SystemData(name="toy", kind="brain", species="none", recordings=(activity,))
    return Recorded(data=data, stimuli=toy_stimuli())


def random_recording(
    *,
    n_stimuli: int = 12,
    n_units: int = 20,
    n_repeats: int = 1,
    subject: str = "s1",
    region: str = "R1",
    seed: int = 0,
) -> xr.DataArray:
    """Make a recording of independent Gaussian noise (no signal at all).

    Examples
    --------
    >>> random_recording(n_repeats=2).sizes["presentation"]
    24
    """
    rng = np.random.default_rng(seed)
    ids = [f"stim{i:03d}" for i in range(n_stimuli)] * n_repeats
    return recording(
        rng.standard_normal((len(ids), n_units)),
        stimulus_id=ids,
        unit_id=[f"{region}/{i}" for i in range(n_units)],
        region=region,
        system="noise",
        kind="brain",
        stimulus_set="noise",
        subject=subject,
        presentation={"repeat": np.repeat(np.arange(n_repeats), n_stimuli)},
    )


def contrast_brain(
    *,
    n_stimuli: int = 40,
    n_units: int = 40,
    n_planted: int = 10,
    effect: float = 3.0,
    seed: int = 0,
) -> tuple[Recorded, Contrast]:
    """Make a brain whose first units prefer faces by `effect` standard deviations.

    Examples
    --------
    >>> brain, contrast = contrast_brain()
    >>> contrast.column, brain.regions
    ('face', ('IT',))
    """
    rng = np.random.default_rng(seed)
    ids = [f"stim{i:03d}" for i in range(n_stimuli)]
    face = np.arange(n_stimuli) % 2
    values = rng.standard_normal((n_stimuli, n_units))
    values[:, :n_planted] += effect * face[:, None]
    activity = recording(
        values,
        stimulus_id=ids,
        unit_id=[f"IT/{i}" for i in range(n_units)],
        region="IT",
        system="planted",
        kind="brain",
        stimulus_set="planted",
        subject="s1",
    )
    table = pd.DataFrame({"stimulus_id": ids, "face": face.astype(str)})
    data = SystemData(name="planted", kind="brain", species="none", recordings=(activity,))
    brain = Recorded(data=data, stimuli=stimulus_set(table, name="planted"))
    return brain, Contrast(column="face", positive=("1",), negative=("0",))
