"""Transitions as a question: sessions of animals and agents, and the comparison of two."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.analyses.computation.accuracy import accuracy
from neuroai.analyses.computation.transitions import transitions
from neuroai.cards import ChoiceTask
from neuroai.comparison.paired import Context
from neuroai.comparison.transitions import compare_transitions
from neuroai.errors import AlignmentError, UsageError
from neuroai.testing import EXACT, chooser

LABELS = ("groom", "rear", "run")
TASK = ChoiceTask(name="task", options=LABELS, truth="truth")
CONTEXT = Context(level="computation", dataset="toy")
LAW = np.array([[0.1, 0.7, 0.2], [0.6, 0.1, 0.3], [0.2, 0.2, 0.6]])


def animal(law: np.ndarray, seed: int, *, kind: str = "brain", order: tuple[str, ...] = LABELS):
    """Make two animals with three sessions each of 80 events of a Markov chain."""
    rng, rows = np.random.default_rng(seed), []
    for subject in ("p", "q"):
        for session in ("1", "2", "3"):
            state = rng.integers(3)
            for _ in range(80):
                rows.append((subject, session, order[state]))
                state = rng.choice(3, p=law[state])
    subject, session, choice = zip(*rows, strict=True)
    return chooser(
        {"subject": subject, "session": session, "choice": choice, "stimulus_id": ["arena"] * 480},
        kind=kind,
    )


def test_counts_are_by_session_and_subject():
    """Three sessions of 79 transitions an animal; none runs from one session into the next."""
    answer = transitions(animal(LAW, 0), task=TASK)
    assert answer.data.n.values.tolist() == [[237], [237]]
    assert answer.data.sizes["sequence"] == 6
    per_session = answer.data.transition_of_sequence
    np.testing.assert_array_equal(per_session.sum(["before", "after"]), 79)
    mine = answer.data.subject_of_sequence.values == "p"
    np.testing.assert_array_equal(
        per_session.values[mine].sum(axis=0), answer.data.transition.values[0, 0]
    )


def test_value_is_the_information_about_the_next_label():
    """Mutual information of the law, within what 237 transitions leave open."""
    stationary = np.linalg.matrix_power(LAW, 200)[0]
    joint = stationary[:, None] * LAW
    expected = (joint * np.log2(joint / np.outer(stationary, joint.sum(axis=0)))).sum()
    values = transitions(animal(LAW, 1), task=TASK).data.value.values
    assert (np.abs(values - expected) < 0.15).all()


def test_like_systems_are_alike_and_unlike_ones_are_not():
    """An agent of the same law is not told from the animals; one of another law is."""
    mouse = transitions(animal(LAW, 2), task=TASK)
    same = transitions(animal(LAW, 3, kind="model"), task=TASK)
    other = transitions(animal(LAW[[1, 2, 0]], 4, kind="model"), task=TASK)
    alike, unlike = (compare_transitions(mouse, a, context=CONTEXT, n_null=199)
                     for a in (same, other))  # fmt: skip
    assert alike.p > 0.05 and unlike.p == pytest.approx(1 / 200, abs=EXACT)
    assert unlike.value > 5 * alike.value and unlike.value <= 1
    assert "sequences of one law would give" in alike.note


def test_labels_are_matched_by_name():
    """The order of the labels in the task does not matter; other labels are refused."""
    mouse = transitions(animal(LAW, 5), task=TASK)
    turned = ChoiceTask(name="task", options=("run", "groom", "rear"), truth="truth")
    again = transitions(animal(LAW, 5), task=turned)
    assert compare_transitions(mouse, again, context=CONTEXT, n_null=9).value == pytest.approx(
        0, abs=EXACT
    )
    wrong = ChoiceTask(name="task", options=("groom", "rear", "run", "sleep"), truth="truth")
    with pytest.raises(AlignmentError, match="The labels differ: sleep"):
        compare_transitions(mouse, transitions(animal(LAW, 5), task=wrong), context=CONTEXT)
    with pytest.raises(UsageError, match="holds no transitions"):
        compare_transitions(mouse, accuracy(animal(LAW, 5), task=TASK), context=CONTEXT)


def test_a_network_that_answers_stimuli_has_no_sequence(small_images):
    """Nothing follows anything where stimuli are answered one by one."""
    from neuroai.systems.load import load_model

    task = ChoiceTask(name="digits", options=("0", "1", "2"), truth="category")
    found = transitions(
        load_model("builtin:small_convnet?seeds=0"), task=task, stimuli=small_images
    )
    assert found.reason.endswith("answers stimuli one by one: nothing follows anything")
