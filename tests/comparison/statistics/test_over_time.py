"""RDMs over time beside layers: planted times are found, unlike times are refused."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.analyses.algorithm.rdm_over_time import rdm_over_time
from neuroai.comparison.ceilings import rdm_ceiling
from neuroai.comparison.statistics.over_time import LABELS, SIGNS, compare_over_time
from neuroai.errors import AlignmentError, UsageError
from neuroai.format.answers import rdm_answer
from neuroai.format.build import recording
from neuroai.format.holdings import SystemData
from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.distances import squared_euclidean
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.systems.brain import Recorded
from neuroai.testing import EXACT, readonly, toy_stimuli

N_STIMULI, N_UNITS, N_TIMES = 10, 12, 8
EARLY, LATE, NEITHER = slice(1, 3), slice(5, 8), [0, 3, 4]
HIDDEN = np.random.default_rng(11).standard_normal((2, N_STIMULI, N_UNITS))
IDS = list(toy_stimuli(N_STIMULI).ids)


def _answer(n_subjects=6, *, signal=2.0, unit="s", start=0.0, step=0.1, kind="brain"):
    """Plant the geometry of one layer early and that of another late."""
    parts = []
    for s in range(n_subjects):
        rng = np.random.default_rng(s)
        values = rng.standard_normal((N_STIMULI, N_UNITS, N_TIMES))
        for hidden, when in zip(HIDDEN, (EARLY, LATE), strict=True):
            turned = hidden @ np.linalg.qr(rng.standard_normal((N_UNITS, N_UNITS)))[0]
            values[:, :, when] += signal * turned[:, :, None]
        parts.append(
            recording(
                readonly(values), stimulus_id=IDS, unit_id=[f"u{i}" for i in range(N_UNITS)],
                region="EEG", system="made", kind=kind, stimulus_set="toy", subject=f"p{s}",
                time=start + step * np.arange(N_TIMES), time_unit=unit,
            )
        )  # fmt: skip
    data = SystemData(name="made", kind=kind, species="none", recordings=tuple(parts))
    brain = Recorded(data=data, stimuli=toy_stimuli(N_STIMULI))
    return rdm_over_time(brain, distance="squared-euclidean")


def _layers(n_seeds=1):
    rng = np.random.default_rng(5)
    values = np.array([
        [squared_euclidean(h + 0.1 * rng.standard_normal(h.shape)) for h in HIDDEN]
        for _ in range(n_seeds)
    ])  # fmt: skip
    return rdm_answer(
        values, subjects=[f"seed{k}" for k in range(n_seeds)], regions=["early", "late"],
        stimuli=IDS, parameters={"distance": "squared-euclidean"}, system="net", kind="model",
        stimulus_set="toy",
    )  # fmt: skip


def test_values_and_ceilings_are_those_of_each_time():
    """Mean over seeds of the comparator, subject by subject, and the ceiling of that time."""
    brain, net = _answer(3), _layers(2)
    found = compare_over_time(brain, net, comparator="pearson", n_permutations=19)
    vectors = to_vector(brain.data["rdm"].transpose("subject", "region", "time", ...).values)
    models = to_vector(net.data["rdm"].values)
    for t in range(N_TIMES):
        expected = np.mean([compare_rdms(vectors[:, 0, t], m, method="pearson") for m in models], 0)
        np.testing.assert_allclose(found["value"].values[:, 0, t], expected, atol=EXACT)
        low, high = rdm_ceiling(vectors[:, 0, t], method="pearson", pooling="comparator")
        assert found["ceiling_low"].values[0, t] == pytest.approx(low, abs=EXACT)
        assert found["ceiling_high"].values[0, t] == pytest.approx(high, abs=EXACT)
    assert found.attrs["time_unit"] == "s" and found.attrs["n_model_subjects"] == 2


@pytest.mark.parametrize(("n_subjects", "comparator", "null"), [
    (8, "spearman", SIGNS), (8, "cosine", LABELS), (1, "spearman", LABELS), (1, "tau-a", LABELS),
])  # fmt: skip
def test_each_layer_is_found_at_its_time_and_not_before_or_between(n_subjects, comparator, null):
    """Planted early and late: corrected p values single these out, in a group and one subject."""
    found = compare_over_time(
        _answer(n_subjects), _layers(), comparator=comparator, n_permutations=199
    )
    assert found.attrs["null"] == null
    p = found["p_max"].sel(region="EEG")
    for layer, own in (("early", EARLY), ("late", LATE)):
        assert (p.sel(model_region=layer).values[own] < 0.05).all()
        assert (p.sel(model_region=layer).values[NEITHER] > 0.05).all()
    assert (found["q"].values <= 1).all()
    if null == SIGNS:
        cluster = found["p_cluster"].sel(region="EEG", model_region="late").values
        assert (cluster[LATE] < 0.05).all() and (cluster[NEITHER] > 0.05).all()


def test_a_network_over_time_is_compared_time_by_time():
    """With the same unit and times, each time meets its own; the brain itself scores 1."""
    brain = _answer(1)
    found = compare_over_time(brain, brain, n_permutations=9)
    np.testing.assert_allclose(found["value"].values, 1.0, atol=EXACT)


def test_steps_are_no_seconds_unless_a_map_says_so():
    """Unlike units are refused; with a map the mapped times alone are compared."""
    brain, net = _answer(1), _answer(1, unit="step", step=1.0, kind="model")
    with pytest.raises(UsageError, match="Times are in 's' and in 'step', which are unlike"):
        compare_over_time(brain, net)
    found = compare_over_time(brain, net, time_map={0.2: 2.0, 0.6: 6.0}, n_permutations=9)
    np.testing.assert_allclose(found["time"].values, [0.2, 0.6])
    np.testing.assert_allclose(found["value"].values, 1.0, atol=EXACT)
    with pytest.raises(AlignmentError, match="The candidate has no times 99"):
        compare_over_time(brain, net, time_map={0.2: 99.0})


def test_undefined_times_are_counted_and_the_others_stand():
    """A time without any response has no value and no p value, and is counted."""
    brain = _answer(6)
    brain.data["rdm"].values[..., 4, :, :] = 0.0
    found = compare_over_time(brain, _layers(), n_permutations=99)
    assert found.attrs["n_undefined"] == 6 * 2
    assert np.isnan(found["p_max"].values[:, 4]).all()
    assert np.isfinite(np.delete(found["p_max"].values, 4, axis=1)).all()


def test_wrong_calls_say_what_to_do():
    """Answers of other questions, other stimuli, misspelt options."""
    brain, net = _answer(1), _layers()
    with pytest.raises(UsageError, match="brain must be an answer of rdm_over_time; got 'rdm'"):
        compare_over_time(net, net)
    with pytest.raises(AlignmentError, match="1 only in brain 'made': j"):
        compare_over_time(brain, net.restrict(stimuli=IDS[:-1]))
    shared = compare_over_time(
        brain, net.restrict(stimuli=IDS[:-1]), stimuli="shared", n_permutations=9
    )
    assert shared.attrs["n_dropped_stimuli"] == 1 and shared.attrs["n_stimuli"] == N_STIMULI - 1
    with pytest.raises(UsageError, match="Did you mean 'spearman'"):
        compare_over_time(brain, net, comparator="spearmann")
