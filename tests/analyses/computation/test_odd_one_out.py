"""Odd one out from judgements."""

from __future__ import annotations

import dataclasses

import numpy as np

from neuroai.analyses.computation.odd_one_out import odd_one_out
from neuroai.analyses.computation.similarity import similarity
from neuroai.comparison.metrics.odd_one_out_agreement import odd_one_out_agreement
from neuroai.format.answers import NotMeasurable


def test_the_odd_one_is_outside_the_most_similar_pair(network, images):
    """Every choice is the item of its triplet that the two nearest leave out."""
    answer = odd_one_out(network, stimuli=images, limit=200)
    rdm = similarity(network, stimuli=images).data.rdm.sel(subject="seed1", region="behaviour")
    data = answer.data.sel(subject="seed1", region="behaviour")
    assert answer.form == "choices" and data.sizes["stimulus"] == 200
    assert answer.stimuli == tuple(sorted(answer.stimuli))
    for name in answer.stimuli[::20]:
        ids = name.split("|")
        assert ids == sorted(ids) == data.members.sel(stimulus=name).values.tolist()
        within = [rdm.sel(stimulus=key, stimulus_to=ids).values.sum() for key in ids]
        # Of three items the one with the largest summed distance lies outside the nearest pair.
        here = data.sel(stimulus=name)
        assert here.choice.item() == ids[int(np.argmax(within))]
        assert ids[int(here.code.item())] == here.choice.item()


def test_equal_systems_agree_and_seeds_of_one_code_agree_above_chance(network, images):
    """A system agrees with itself on everything; two seeds that know the categories above 1/3."""
    codes = odd_one_out(network, stimuli=images).data.code.values[:, 0]
    agreement = odd_one_out_agreement(codes, codes)
    np.testing.assert_array_equal(np.diag(agreement), 1)
    assert agreement[0, 1] > 0.6


def test_the_same_stimuli_give_the_same_triplets(network, images):
    """Order of the units' or stimuli's rows does not change which triplets are asked."""
    order = np.random.default_rng(0).permutation(30)
    parts = tuple(part.isel(presentation=order) for part in network.activity)
    shuffled = dataclasses.replace(network, activity=parts)
    answer = odd_one_out(network, stimuli=images, limit=50)
    again = odd_one_out(shuffled, stimuli=images, limit=50)
    assert answer.stimuli == again.stimuli
    np.testing.assert_array_equal(answer.data.choice.values, again.data.choice.values)


def test_ties_are_counted(network, images):
    """Three equal patterns have no odd one: '' and NaN, and a count."""
    part = network.activity[0].copy()
    part[:3] = part[0]
    one = dataclasses.replace(network, activity=(part,), regions=("layer1",), subjects=("seed0",))
    answer = odd_one_out(one, stimuli=images.restrict(["i00", "i01", "i02"]))
    assert answer.data.choice.values.tolist() == [[[""]]]
    assert np.isnan(answer.data.code.values).all()
    assert answer.undefined["triplets without an odd one"] == 1


def test_two_stimuli_are_too_few(network, images, people):
    """Fewer than three stimuli, or no judgements, are not measurable."""
    two = odd_one_out(network, stimuli=images.restrict(["i00", "i01"]))
    assert two == NotMeasurable("'network' judged 2 stimuli; a triplet needs three")
    assert isinstance(odd_one_out(people), NotMeasurable)
