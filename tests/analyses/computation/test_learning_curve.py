"""Learning curves as a question: sessions of persons, checkpoints of networks, and order."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.analyses.computation.learning_curve import learning_curve
from neuroai.cards import ChoiceTask
from neuroai.comparison.acquisition import compare_acquisition
from neuroai.comparison.paired import Context
from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.numerics.learning import fit_learning, order_agreement
from neuroai.testing import EXACT, chooser

TASK = ChoiceTask(name="task", options=("a", "b"), truth="truth")
SESSIONS = np.arange(8.0)


def rise(rate: float) -> np.ndarray:
    """Give the share of right choices of a learner in each session."""
    return 0.95 - 0.45 * np.exp(-rate * SESSIONS)


def learner(seed: int = 0, *, sessions: bool = True, kind: str = "brain"):
    """Make a learner of two conditions, of which the easy one is learnt first."""
    rng = np.random.default_rng(seed)
    rows = [
        (str(int(s)), condition, "a" if rng.random() < p else "b")
        for condition, rate in (("easy", 1.5), ("hard", 0.25))
        for s, p in zip(SESSIONS, rise(rate), strict=True)
        for _ in range(60)
    ]
    session, condition, choice = zip(*rows, strict=True)
    columns = {"truth": ["a"] * len(rows), "choice": choice, "condition": condition}
    return chooser(columns | ({"session": session} if sessions else {}), kind=kind)


def test_curve_is_that_of_the_counts():
    """Shares by session are counted, and the fit is that of the counts."""
    system = learner()
    data = learning_curve(system, task=TASK).data.isel(subject=0, region=0)
    table = system.data.behaviour[0].to_dataframe()
    right = (table["choice"] == "a").groupby(table["session"].astype(float)).sum().to_numpy()
    np.testing.assert_allclose(data.value_by_stage, right / 120, atol=EXACT)
    fit = fit_learning(SESSIONS, right, np.full(8, 120))
    for name, value in (("value", fit.asymptote), ("start", fit.start), ("rate", fit.rate)):
        assert data[name].item() == pytest.approx(value, abs=EXACT)
    assert data.gain.item() > 20 and data.n.item() == 960


def test_the_easy_condition_is_learnt_first():
    """Half of the way is covered sooner; the order agrees with that of another learner."""
    one, other = (learning_curve(learner(seed), task=TASK).data for seed in (0, 1))
    half = one.half_time_by_condition.isel(subject=0, region=0)
    assert half.sel(condition="easy") < half.sel(condition="hard")
    times = [d.half_time_by_condition.values[0, 0] for d in (one, other)]
    assert order_agreement(*times) == 1


def staged(times: list[float], *, kind: str = "brain"):
    """Make a learner who knows each condition from its own session on."""
    rows = [
        (str(session), f"c{i}", "a" if session >= time else "b")
        for i, time in enumerate(times)
        for session in range(8)
        for _ in range(4)
    ]
    session, condition, choice = zip(*rows, strict=True)
    columns = {"session": session, "condition": condition, "choice": choice}
    return learning_curve(chooser(columns | {"truth": ["a"] * len(rows)}, kind=kind), task=TASK)


def test_orders_of_two_learners_are_compared():
    """The same order is 1 whatever the pace, the reverse -1; p goes through all 24 orders."""
    context = Context(level="computation", dataset="toy")
    slow, fast, back = (
        staged(times, kind=kind)
        for times, kind in (
            ([1, 3, 5, 7], "brain"),
            ([1, 2, 3, 4], "model"),
            ([7, 5, 3, 1], "model"),
        )
    )
    same, reverse = (compare_acquisition(slow, other, context=context) for other in (fast, back))
    assert (same.value, same.p, same.n_null) == (1, pytest.approx(1 / 24, abs=EXACT), 24)
    assert (reverse.value, reverse.p) == (-1, 1)
    assert same.note == "4 conditions" and same.metric == "order-of-acquisition"


def test_never_learnt_comes_last_and_no_order_is_undefined():
    """A condition that never rose is later than all; all at once has no order."""
    context = Context(level="computation", dataset="toy")
    some = staged([1, 3, 99])
    assert some.undefined["conditions that never rose"] == 1
    assert compare_acquisition(some, staged([2, 4, 6]), context=context).value == 1
    flat = compare_acquisition(some, staged([3, 3, 3]), context=context)
    assert flat.status == "undefined" and flat.note == "no order to compare: 3 conditions"


def test_checkpoints_are_the_stages_of_a_network():
    """Networks at several steps of training are one learner; the steps are its stages."""
    steps = {}
    for step, p in ((0, 0.5), (100, 0.7), (1000, 0.9), (5000, 0.95)):
        choice = ["a" if i < 100 * p else "b" for i in range(100)]
        steps[step] = chooser({"truth": ["a"] * 100, "choice": choice}, kind="model")
    answer = learning_curve(steps[5000], task=TASK, checkpoints=steps)
    assert answer.data.stage.values.tolist() == [0, 100, 1000, 5000]
    np.testing.assert_allclose(answer.data.value_by_stage.values[0, 0], [0.5, 0.7, 0.9, 0.95])
    assert answer.parameters["by"] == "step" and answer.kind == "model"
    assert 0.9 < answer.data.value.item() < 1


def test_a_network_of_one_moment_has_no_curve(network, images):
    """Its choices are of one moment, and the reason says what to give."""
    task = ChoiceTask(name="naming", options=("cat", "dog", "oven"), truth="category", readout=True)
    answer = learning_curve(network, task=task, stimuli=images)
    assert answer.reason.endswith("give checkpoints={step: network}")


def test_trials_without_sessions_and_too_few_of_them_say_so():
    """No stage, two stages, two checkpoints."""
    assert isinstance(learning_curve(learner(sessions=False), task=TASK), NotMeasurable)
    two = chooser({"truth": ["a"] * 4, "choice": ["a"] * 4, "session": ["1", "1", "2", "2"]})
    assert "are of 2 stages" in learning_curve(two, task=TASK).reason
    with pytest.raises(UsageError, match="needs 3 checkpoints or more; got 1"):
        learning_curve(two, task=TASK, checkpoints={0: two})
