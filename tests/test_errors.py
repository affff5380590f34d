"""Tests of the kinds of errors and their exit codes."""

from __future__ import annotations

import pytest

from neuroai import errors

EXIT_CODES = {
    "NeuroaiError": 1,
    "UsageError": 2,
    "UnknownName": 2,
    "RegistryError": 2,
    "DataError": 3,
    "FormatError": 3,
    "AlignmentError": 3,
    "MissingExtra": 4,
    "ResourceError": 5,
    "IntegrityError": 6,
}


def test_every_kind_has_its_documented_exit_code():
    """The exit codes are those that the command line promises, and no kind is left out."""
    found = {
        name: kind.exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.NeuroaiError)
    }
    assert found == EXIT_CODES


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        ("UsageError", ValueError),
        ("UnknownName", KeyError),
        ("DataError", ValueError),
        ("AlignmentError", ValueError),
        ("MissingExtra", ImportError),
        ("ResourceError", RuntimeError),
        ("IntegrityError", ValueError),
    ],
)
def test_a_kind_is_caught_as_the_builtin_that_python_users_expect(kind, builtin):
    """Each kind is both a NeuroaiError and the built-in error of its sort."""
    error = getattr(errors, kind)("what happened")
    assert isinstance(error, builtin)
    assert isinstance(error, errors.NeuroaiError)


@pytest.mark.parametrize("kind", sorted(EXIT_CODES))
def test_the_text_is_the_message_itself(kind):
    """No kind prints the quoted repr that KeyError prints."""
    assert str(getattr(errors, kind)("No metric is called 'x'.")) == "No metric is called 'x'."


def test_an_error_without_a_message_prints_nothing():
    """An empty error has an empty text rather than a failure of its own."""
    assert str(errors.UnknownName()) == ""
