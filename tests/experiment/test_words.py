"""The methods paragraphs name the numbers that were used."""

from __future__ import annotations

import dataclasses

from neuroai.experiment.options import Options
from neuroai.experiment.words import methods, stimulus_labels


def test_the_methods_name_what_was_done(simulation):
    """Distance, metric, samples, permutations, controls and seed stand in the text."""
    options = Options(
        metric="rdm-pearson", distance="squared-euclidean", n_bootstrap=321, n_null=123,
        n_controls=111, seed=17,
    )  # fmt: skip
    text = " ".join(methods(options, simulation.card))
    for word in ("rdm-pearson", "squared-euclidean", "321", "123", "111", "0.1, 0.3, 1", "5%"):
        assert word in text, word
    assert "Seed of every draw: 17." in text


def test_simulated_data_are_said_to_be(simulation):
    """A simulation is called one; real data are cited instead."""
    assert methods(Options(), simulation.card)[0].startswith("The brain is simulated")
    real = dataclasses.replace(simulation.card, simulated=False)
    assert methods(Options(), real)[0].startswith(f"Data: {real.citation}.")


def test_stimuli_are_sorted_by_their_category(simulation):
    """Labels come from the category, and from the ids where there is none."""
    labels = stimulus_labels(simulation.stimuli)
    assert set(labels) == set(simulation.stimuli.ids)
    assert set(labels.values()) == {f"digit {d}" for d in range(10)}
    table = simulation.stimuli.table.drop(columns="category")
    bare = stimulus_labels(dataclasses.replace(simulation.stimuli, table=table))
    assert all(key == label for key, label in bare.items())
