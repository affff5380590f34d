"""Rational models as a question: recovery from trials, of persons and of networks."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.analyses.computation.rational_models import rational_models
from neuroai.cards import ChoiceTask
from neuroai.errors import AlignmentError, UnknownName
from neuroai.numerics.observers import observer_named
from neuroai.numerics.rational import Observer, simulate_observer
from neuroai.testing import chooser

TASK = ChoiceTask(name="task", options=("left", "right"), truth="truth")
LEVELS = np.array([-2.0, -1, -0.5, 0.5, 1, 2])


def observer(name: str, values: list[float], *, n: int = 600, kind: str = "brain"):
    """Let a model choose, and write its choices down as a person's."""
    rng = np.random.default_rng(0)
    evidence = rng.choice(LEVELS, n)
    trials = simulate_observer(
        observer_named(name, evidence=evidence), np.array(values), evidence, np.zeros(n), rng=rng
    )
    names = np.array(["left", "right"])
    return chooser({
        "truth": names[(evidence > 0).astype(int)], "choice": names[trials.choice.astype(int)],
        "strength": np.abs(evidence),
    }, kind=kind)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "values"), [("bayesian", [1.0, 0.75, 0.05]), ("win-stay", [0.85, 0.3])]
)
def test_the_model_that_chose_is_found(name, values):
    """It is the best held out, and its parameters come back from the trials."""
    answer = rational_models(observer(name, values), task=TASK, level="strength", n_folds=2)
    assert answer.data.best.item() == name
    bits = answer.data.value.isel(subject=0, region=0)
    assert 0 < bits.sel(model=name) <= 1
    wrong = "win-stay" if name == "bayesian" else "bayesian"
    assert bits.sel(model=name) - bits.sel(model=wrong) > 0.03
    found = [
        answer.data.estimate_by_parameter.sel(model_parameter=p).item()
        for p in answer.data.model_parameter.values
        if p.startswith(f"{name}:")
    ]
    # 600 trials leave about 0.1 open in each of these parameters.
    np.testing.assert_allclose(found, values, atol=0.2)
    assert answer.parameters["second"] == "right"


def test_a_network_is_asked_without_history(small_images):
    """Heuristics on the last trial are left out and named; the others are fitted as for persons."""
    from neuroai.systems.load import load_model
    from neuroai.systems.sampling import by_sampling

    network = by_sampling(load_model("builtin:small_convnet?seeds=0"), n_samples=5)
    task = ChoiceTask(name="digits", options=("0", "1"), truth="category")
    shown = small_images.restrict([k for i, k in enumerate(small_images.ids) if i % 3 < 2])
    answer = rational_models(network, task=task, stimuli=shown, n_folds=2)
    assert answer.data.model.values.tolist() == ["bayesian", "ideal", "coin"]
    assert answer.notes[-1] == "win-stay left out: trials of a network have no order"
    assert np.isfinite(answer.data.value).all()
    alone = rational_models(network, task=task, stimuli=shown, models=("win-stay",))
    assert alone.reason.startswith("every model asked for goes by the trial before")


def test_a_model_of_ones_own_is_fitted_beside_the_others():
    """A guesser by the clock: its own parameters, held out as the others are."""

    def alternate(values, trials):
        p = np.full(len(trials), 0.5)
        p[1:] = np.where(trials.choice[:-1] == 1, 1 - values[0], values[0])
        return p

    own = Observer("alternate", {"rate": (0.0, 1.0)}, alternate, uses_history=True)
    names = np.array(["left", "right"])
    rng = np.random.default_rng(4)
    turns = np.cumsum(rng.random(300) < 0.9) % 2
    person = chooser({"truth": names[rng.integers(2, size=300)], "choice": names[turns]})
    answer = rational_models(person, task=TASK, models=(own, "ideal", "coin"), n_folds=2)
    assert answer.data.best.item() == "alternate"
    found = answer.data.estimate_by_parameter.sel(model_parameter="alternate: rate").item()
    assert found == pytest.approx(0.9, abs=4 * 0.3 / np.sqrt(300))  # four binomial errors


def test_too_few_trials_are_counted():
    """Forty trials are the least that are fitted."""
    answer = rational_models(observer("ideal", [1.0, 0.0], n=39), task=TASK, models=("ideal",))
    assert np.isnan(answer.data.value.item()) and answer.data.best.item() == ""
    assert answer.undefined["subjects with too few trials"] == 1


def test_misuse_is_told_in_words():
    """Unknown models, models named twice, and stimuli that speak for nothing."""
    system = observer("ideal", [1.0, 0.0])
    with pytest.raises(UnknownName, match="Did you mean 'win-stay'"):
        rational_models(system, task=TASK, models=("winstay",))
    with pytest.raises(AlignmentError, match="more than once in models"):
        rational_models(system, task=TASK, models=("ideal", "ideal"))
    flat = chooser({"truth": ["left"] * 50, "choice": ["left"] * 50, "strength": [0.0] * 50})
    answer = rational_models(flat, task=TASK, level="strength")
    assert answer.reason == "no stimulus of the task 'task' speaks for either option"
