"""Psychophysical kernels as a question: a person's template, and a network's, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.computation.psychophysical_kernel import psychophysical_kernel
from neuroai.cards import ChoiceTask
from neuroai.errors import DataError
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.load import load_model
from neuroai.systems.sampling import by_sampling
from neuroai.testing import chooser

TASK = ChoiceTask(name="task", options=("no", "yes"), truth="truth")
DIGITS = ChoiceTask(name="digits", options=("0", "1"), truth="category")


def test_named_columns_show_what_a_person_goes_by():
    """Of two noises the one that sways the choice has a kernel, the other none."""
    rng = np.random.default_rng(0)
    used, ignored, truth = rng.normal(size=400), rng.normal(size=400), rng.integers(2, size=400)
    choice = (used + 2 * truth - 1 + rng.normal(size=400)) > 0
    names = np.array(["no", "yes"])
    person = chooser({
        "truth": names[truth], "choice": names[choice.astype(int)], "used": used,
        "ignored": ignored,
    })  # fmt: skip
    answer = psychophysical_kernel(person, task=TASK, columns=["used", "ignored"])
    kernel = answer.data.isel(subject=0, region=0)
    assert kernel.value.sel(feature="used") > 0.5 and kernel.p.sel(feature="used") < 0.01
    assert kernel.p.sel(feature="ignored") > 0.05
    assert kernel.n.item() == 400 and answer.parameters["second"] == "yes"


def test_a_networks_kernel_is_in_pixels():
    """Asked of noise images, a network has a kernel of their shape, from its own choices."""
    rng = np.random.default_rng(1)
    pixels = {f"i{i:03d}": rng.integers(0, 256, (8, 8), dtype=np.uint8) for i in range(200)}
    rows = {"stimulus_id": list(pixels), "category": [str(i % 2) for i in range(200)]}
    images = stimulus_set(pd.DataFrame(rows), name="noise", load=pixels.__getitem__)
    network = by_sampling(load_model("builtin:small_convnet?seeds=0"), n_samples=3)
    answer = psychophysical_kernel(network, task=DIGITS, stimuli=images, n_permutations=19)
    assert answer.parameters["shape"] == (8, 8) and answer.data.sizes["feature"] == 64
    assert answer.data.feature.values[9] == "1/1"
    assert answer.parameters["choice_by"] == "sampling"
    table = network.choices(DIGITS, images)
    chosen = table["choice"].values == "1"
    content = np.stack([pixels[key] for key in table["stimulus_id"].values]).astype(float)
    expected, weights = 0.0, 0.0
    for category in ("0", "1"):
        rows = table["truth"].values == category
        one, none = content[rows & chosen], content[rows & ~chosen]
        weight = len(one) * len(none) / rows.sum()
        expected = expected + weight * (one.mean(axis=0) - none.mean(axis=0))
        weights += weight
    np.testing.assert_allclose(
        answer.data.value.values[0, 0].reshape(8, 8), expected / weights, atol=1e-9
    )


def test_what_has_no_kernel_says_why():
    """Stimuli that are not at hand, columns that are not there, and shapes that differ."""
    person = chooser({"truth": ["no", "yes"] * 2, "choice": ["no", "no", "yes", "yes"]})
    assert "name columns with their noise" in psychophysical_kernel(person, task=TASK).reason
    gone = psychophysical_kernel(person, task=TASK, columns=["noise"])
    assert gone.reason == "neither the trials of the task 'task' nor its stimuli state a noise"
    sizes = {"a": np.zeros((2, 2)), "b": np.zeros((3, 3))}
    images = stimulus_set(
        pd.DataFrame({"stimulus_id": ["a", "b"]}), name="toy", load=sizes.__getitem__
    )
    other = chooser({"stimulus_id": ["a", "b"], "truth": ["no", "yes"], "choice": ["no", "no"]})
    with pytest.raises(DataError, match="stimuli of one shape"):
        psychophysical_kernel(other, task=TASK, stimuli=images)
