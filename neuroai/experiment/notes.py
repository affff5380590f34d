"""Notes of answers, brief enough for an audit box."""

from __future__ import annotations

from neuroai.format.answers import Answer

SHOWN = 3


def brief_notes(answer: Answer) -> tuple[str, ...]:
    """Repeat the notes of an answer; those of many layers are counted.

    Examples
    --------
    >>> from neuroai.analyses.algorithm.rdm import rdm
    >>> from neuroai.testing import toy_brain
    >>> brief_notes(rdm(toy_brain()))
    ()
    """
    if len(answer.notes) <= SHOWN:
        return tuple(f"{answer.system}: {note}" for note in answer.notes)
    rest = len(answer.notes) - 1
    return (f"{answer.system}: {answer.notes[0]}; and {rest} more notes on its layers",)
