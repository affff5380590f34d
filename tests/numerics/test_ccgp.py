"""Cross-condition generalisation and parallelism on planted geometries and their null."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler

from neuroai.errors import DataError, UsageError
from neuroai.numerics.ccgp import cross_condition, parallelism, turned_clouds
from neuroai.testing import EXACT, STANDARD_ERRORS, readonly

N_EACH, N_UNITS = 20, 12
# Of 40 rows in a context two may fall on the other side.
FEW = 0.06


def design(n_contexts=2):
    """Label two classes in some contexts."""
    labels = np.repeat(["a", "b"], n_contexts * N_EACH)
    contexts = np.tile(np.repeat([f"c{i}" for i in range(n_contexts)], N_EACH), 2)
    return labels.tolist(), contexts.tolist()


def clouds(kind, *, seed=0, n_contexts=2, effect=4.0):
    """Draw conditions whose class directions are parallel, random, or opposed."""
    rng = np.random.default_rng(seed)
    labels, contexts = design(n_contexts)
    names = sorted(set(contexts))
    class_step = rng.standard_normal(N_UNITS)
    rows = rng.standard_normal((len(labels), N_UNITS))
    for place, name in enumerate(names):
        here = np.array(contexts) == name
        move = rng.standard_normal(N_UNITS)
        # Contexts move across the class direction, or a threshold learnt in one would miss.
        rows[here] += effect * (move - move @ class_step / (class_step @ class_step) * class_step)
        step = {"parallel": class_step, "random": rng.standard_normal(N_UNITS)}.get(
            kind, class_step * (-1) ** place
        )
        rows[here & (np.array(labels) == "b")] += effect * step
    return readonly(rows), labels, contexts


def test_a_parallel_code_generalises_and_an_opposed_one_does_not():
    """In two contexts the score is 1, or chance where the step is reversed; cosines tell them."""
    for kind, score, sign in (("parallel", 1.0, 1), ("opposed", 0.5, -1)):
        rows, labels, contexts = clouds(kind)
        found = cross_condition(rows, labels, contexts)
        # Reversed, one class stays on its side of the border and the other crosses it.
        assert found.score == pytest.approx(score, abs=FEW) and len(found.pairing_scores) == 2
        assert found.n_rows == N_EACH and found.chance == 0.5
        angle, lost = parallelism(rows, labels, contexts)
        assert lost == 0 and sign * angle > 0.95


def test_a_square_has_three_quarters_over_all_pairings():
    """Held out crosswise, both conditions of a perfect square lie on the learnt border."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    noise = np.random.default_rng(0).standard_normal((4, 300, 2)) * 0.01
    rows = readonly((corners[:, None] + noise).reshape(-1, 2))
    labels, contexts = np.repeat(list("abab"), 300), np.repeat(list("ccdd"), 300)
    found = cross_condition(rows, labels.tolist(), contexts.tolist(), pairings="all")
    assert sorted(found.pairing_scores.round(1).tolist()) == [0.5, 0.5, 1.0, 1.0]
    assert cross_condition(rows, labels.tolist(), contexts.tolist()).score == 1


def test_every_pairing_is_learnt_without_it_and_tested_on_it():
    """scikit-learn on standardised training rows, pairing by pairing."""
    rows, labels, contexts = clouds("random", n_contexts=3, effect=0.7)
    names, places = np.array(labels), np.array(contexts)
    wanted = []
    for first in sorted(set(contexts)):
        for second in sorted(set(contexts)):
            held = (names == "a") & (places == first) | (names == "b") & (places == second)
            scale = StandardScaler().fit(rows[~held])
            peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3)
            peer.fit(scale.transform(rows[~held]), names[~held])
            right = peer.predict(scale.transform(rows[held])) == names[held]
            wanted.append(np.mean([right[names[held] == one].mean() for one in "ab"]))
    found = cross_condition(rows, labels, contexts, shrinkage=0.3, pairings="all")
    np.testing.assert_allclose(found.pairing_scores, wanted, atol=EXACT)
    assert found.score == pytest.approx(np.mean(wanted), abs=EXACT)


def test_parallelism_is_the_mean_cosine_of_differences_of_means():
    """Three contexts have three pairs of directions."""
    rows, labels, contexts = clouds("random", n_contexts=3)
    names, places = np.array(labels), np.array(contexts)
    steps = [
        rows[(names == "b") & (places == c)].mean(0) - rows[(names == "a") & (places == c)].mean(0)
        for c in sorted(set(contexts))
    ]
    units = [step / np.linalg.norm(step) for step in steps]
    wanted = np.mean([units[0] @ units[1], units[0] @ units[2], units[1] @ units[2]])
    assert parallelism(rows, labels, contexts)[0] == pytest.approx(wanted, abs=EXACT)


def test_turning_keeps_every_cloud_and_no_arrangement():
    """Distances from the grand mean and within clouds stay; the cosine is 0 on average."""
    rows, labels, contexts = clouds("parallel")
    rng = np.random.default_rng(0)
    turned = turned_clouds(rows, labels, contexts, rng=rng)
    centre = rows.mean(0)
    cells = np.array([a + b for a, b in zip(labels, contexts, strict=True)])
    for cell in sorted(set(cells)):
        own, other = rows[cells == cell] - centre, turned[cells == cell] - centre
        np.testing.assert_allclose(own @ own.T, other @ other.T, atol=EXACT * 1e3)
    angles = [
        parallelism(turned_clouds(rows, labels, contexts, rng=rng), labels, contexts)[0]
        for _ in range(200)
    ]
    error = np.std(angles) / np.sqrt(len(angles))
    assert abs(np.mean(angles)) < STANDARD_ERRORS * error


def test_a_cloud_of_fewer_rows_than_units_is_turned_as_well():
    """Only its own span is needed; the Gram matrix stays."""
    rng = np.random.default_rng(1)
    rows = readonly(rng.standard_normal((8, 500)))
    labels, contexts = list("aabbaabb"), list("ccccdddd")
    turned = turned_clouds(rows, labels, contexts, rng=rng)
    own, other = rows[:2] - rows.mean(0), turned[:2] - rows.mean(0)
    np.testing.assert_allclose(own @ own.T, other @ other.T, atol=EXACT * 1e3)
    assert np.abs(np.corrcoef(own[0], other[0])[0, 1]) < 0.3


def test_conditions_are_cut_to_one_number_and_pairings_are_drawn():
    """A rare condition sets the number; of 27 pairings at most five are tried."""
    rows, labels, contexts = clouds("parallel", n_contexts=3)
    three = [*labels, *["c"] * 6]
    places = [*contexts, *["c0"] * 3, *["c1"] * 3]
    more = np.vstack([rows, np.random.default_rng(0).standard_normal((6, N_UNITS)) + 9])
    found = cross_condition(more, three, places, n_pairings=5, pairings="all")
    assert found.n_rows == 3 and len(found.pairing_scores) == 5


def test_a_difference_of_nothing_is_counted():
    """Two classes of one mean have no direction."""
    rows = np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 0.0], [1.0, 0.0]])
    value, lost = parallelism(rows, "abab", "ccdd")
    assert np.isnan(value) and lost == 1


def test_wrong_calls_say_what_to_do():
    """A class in one context, no shared contexts, and lengths that differ."""
    rows = np.random.default_rng(0).standard_normal((4, 3))
    with pytest.raises(DataError, match="2 classes, and one context for: a, b"):
        cross_condition(rows, "aabb", "ccdd")
    with pytest.raises(DataError, match='0 contexts are shared.*pairings="all" holds'):
        cross_condition(np.tile(rows, (2, 1)), "aabbaabb", "ccddeeff")
    with pytest.raises(DataError, match="both occur in at least two contexts"):
        parallelism(rows, "aabb", "ccdd")
    with pytest.raises(UsageError, match=r"shape \(4, 3\), 3 labels and 4 contexts"):
        cross_condition(rows, "aab", "ccdd")
