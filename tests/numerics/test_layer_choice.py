"""Layer choice against the same steps written out with loops and copies."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.comparators import METHODS, compare_rdms
from neuroai.numerics.layer_choice import choose_and_score, split_halves_scores
from neuroai.numerics.rdm_vectors import to_square, to_vector
from neuroai.numerics.resample import bootstrap_counts, stimulus_permutations

# Sums of some hundred products in float64, in another order.
SAME = 1e-8


def problem(seed, levels=None, n_stimuli=12):
    """Return data of 3 subjects, 4 layers of 2 seeds, 3 splits and a generator."""
    rng = np.random.default_rng(seed)
    n_pairs = n_stimuli * (n_stimuli - 1) // 2
    shared = rng.random(n_pairs)
    data = shared + rng.random((3, n_pairs))
    models = np.linspace(0, 1, 4)[:, None, None] * shared + rng.random((4, 2, n_pairs))
    if levels:
        data, models = np.floor(data * levels) / levels, np.floor(models * levels)
    halves = np.array([rng.permutation(n_stimuli) < n_stimuli // 2 for _ in range(3)])
    for array in (data, models, halves):
        array.setflags(write=False)
    return data, models, halves, rng


def mean_score(data, models, stimuli, method, counts):
    """Return the score of every layer on some stimuli, from copies of them and of subjects."""
    drawn = np.concatenate([np.repeat(s, counts[s]) for s in stimuli])
    copies = to_vector(np.where(drawn[:, None] == drawn, np.nan, 0.0))
    subjects = to_vector(to_square(data)[:, drawn][:, :, drawn]) + copies
    layers = to_vector(to_square(models)[:, :, drawn][:, :, :, drawn]) + copies
    return np.array([compare_rdms(subjects, seeds, method=method).mean() for seeds in layers])


def written_out(data, models, halves, method, counts):
    """Return the value and the chosen layers, step by step; undefined layers are passed over."""
    values, chosen = [], []
    for half in halves:
        sides = [np.flatnonzero(half), np.flatnonzero(~half)]
        on_a, on_b = (mean_score(data, models, side, method, counts) for side in sides)
        best_a, best_b = (np.flatnonzero(s > np.nanmax(s) - 1e-10)[0] for s in (on_a, on_b))
        chosen.append([best_a, best_b])
        values += [on_b[best_a], on_a[best_b]]
    return np.mean(values), np.array(chosen)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("levels", [None, 5])
def test_value_and_choice(method, levels):
    """Choosing on one half and scoring on the other gives what the steps written out give."""
    data, models, halves, _ = problem(0, levels)
    result = choose_and_score(data, models, halves=halves, method=method)
    value, chosen = written_out(data, models, halves, method, np.ones(12, dtype=int))
    assert result.value == pytest.approx(value, abs=SAME)
    np.testing.assert_array_equal(result.chosen, chosen)
    assert result.samples is None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("levels", [None, 5])
def test_every_bootstrap_sample_repeats_the_choice(method, levels):
    """Each sample is the value of copied stimuli and subjects, its layers chosen anew."""
    data, models, halves, rng = problem(1, levels, n_stimuli=16)
    stimuli, subjects = bootstrap_counts(4, 16, rng=rng), bootstrap_counts(4, 3, rng=rng)
    result = choose_and_score(
        data,
        models,
        halves=halves,
        method=method,
        stimulus_counts=stimuli,
        subject_counts=subjects,
    )
    for sample, drawn, counts in zip(result.samples, subjects, stimuli, strict=True):
        copies = np.repeat(data, drawn, axis=0)
        assert sample == pytest.approx(
            written_out(copies, models, halves, method, counts)[0], abs=SAME
        )


@pytest.mark.parametrize("method", METHODS)
def test_bootstrap_over_subjects_alone(method):
    """With the stimuli fixed each sample is the value of the copied subjects."""
    data, models, halves, rng = problem(2)
    subjects = bootstrap_counts(4, 3, rng=rng)
    result = choose_and_score(data, models, halves=halves, method=method, subject_counts=subjects)
    for sample, drawn in zip(result.samples, subjects, strict=True):
        copies = np.repeat(data, drawn, axis=0)
        wanted = choose_and_score(copies, models, halves=halves, method=method).value
        assert sample == pytest.approx(wanted, abs=SAME)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("levels", [None, 5])
def test_every_permutation_repeats_the_choice(method, levels):
    """Each null value is the value of models relabelled over all stimuli."""
    data, models, halves, rng = problem(3, levels)
    orders = stimulus_permutations(5, 12, rng=rng)
    result = choose_and_score(data, models, halves=halves, method=method, permutations=orders)
    square = to_square(models)
    for sample, order in zip(result.samples, orders, strict=True):
        moved = to_vector(square[:, :, order][:, :, :, order])
        wanted = choose_and_score(data, moved, halves=halves, method=method).value
        assert sample == pytest.approx(wanted, abs=SAME)


def test_equal_layers_give_the_first():
    """Of layers whose scores differ by rounding alone the first is chosen."""
    data, models, halves, _ = problem(9)
    twice = np.concatenate([models[:, :1], models[:, :1] * 3.1])
    result = choose_and_score(data, twice, halves=halves, method="pearson")
    assert (result.chosen < 4).all()


def test_choice_on_other_stimuli_has_no_optimism():
    """Among layers that know nothing, the chosen one scores 0 on average, the best one does not."""
    rng = np.random.default_rng(4)
    values, best = [], []
    for _ in range(300):
        data, models = rng.random((1, 190)), rng.random((10, 1, 190))
        half = (rng.permutation(20) < 10)[None]
        values.append(choose_and_score(data, models, halves=half, method="spearman").value)
        best.append(compare_rdms(data, models[:, 0], method="spearman").max())
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(300)
    assert np.mean(best) > 10 * np.std(best) / np.sqrt(300)


@pytest.mark.parametrize("method", ["pearson", "spearman", "rho-a", "tau-a"])
def test_an_undefined_layer_is_not_chosen(method):
    """A constant layer is passed over; if all are constant the value is NaN and none is chosen."""
    data, models, halves, rng = problem(5)
    some = models.copy()
    some[0, 1] = 0.1
    orders = stimulus_permutations(3, 12, rng=rng)
    result = choose_and_score(data, some, halves=halves, method=method, permutations=orders)
    assert np.isfinite(result.value) and (result.chosen > 0).all()
    assert result.n_undefined == 0
    none = np.full_like(models, 0.1)
    result = choose_and_score(data, none, halves=halves, method=method, permutations=orders)
    assert np.isnan(result.value) and (result.chosen == -1).all()
    assert result.n_undefined == 3


def test_a_sample_without_enough_stimuli_is_counted():
    """A half with two distinct stimuli leaves the sample undefined."""
    data, models, halves, _ = problem(6)
    counts = np.ones((2, 12), dtype=int)
    counts[1, np.flatnonzero(halves[0])[:4]] = 0
    result = choose_and_score(
        data, models, halves=halves[:1], method="pearson", stimulus_counts=counts
    )
    np.testing.assert_array_equal(np.isnan(result.samples), [False, True])
    assert result.n_undefined == 1


def test_grid_has_a_score_for_every_layer_and_half():
    """The grid holds both halves of every split."""
    data, models, halves, _ = problem(7)
    grid = split_halves_scores(data, models, halves=halves, method="rho-a")
    assert grid.shape == (3, 2, 4)
    side = np.flatnonzero(~halves[2])
    wanted = mean_score(data, models, side, "rho-a", np.ones(12, dtype=int))
    np.testing.assert_allclose(grid[2, 1], wanted, rtol=0, atol=SAME)


def test_wrong_calls_say_what_to_do():
    """Shapes, halves and counts beside permutations each have their message."""
    data, models, halves, rng = problem(8)
    options = {"halves": halves, "method": "cosine"}
    with pytest.raises(UsageError, match="n_layers, n_seeds, n_pairs.*axis of length 1"):
        choose_and_score(data, models[:, 0], **options)
    with pytest.raises(UsageError, match=r"halves must be bool of shape \(n_splits, 12\)"):
        choose_and_score(data, models, halves=halves.astype(int), method="cosine")
    with pytest.raises(UsageError, match="at least 3 stimuli; the smallest holds 2"):
        choose_and_score(data, models, halves=(np.arange(12) < 2)[None], method="cosine")
    with pytest.raises(UsageError, match="not both"):
        choose_and_score(
            data,
            models,
            permutations=stimulus_permutations(2, 12, rng=rng),
            subject_counts=np.ones((2, 3), dtype=int),
            **options,
        )
    broken = data.copy()
    broken[0, 0] = np.nan
    with pytest.raises(DataError, match="1 of 198 entries of data are undefined"):
        choose_and_score(broken, models, **options)
