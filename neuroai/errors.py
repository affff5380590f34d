"""What can go wrong, by kind; each kind has the exit code the command line ends with."""

from __future__ import annotations


class NeuroaiError(Exception):
    """Any failure that neuroai explains to its user."""

    exit_code = 1

    def __str__(self) -> str:
        # KeyError, a base of one subclass, would print the repr of the message.
        return str(self.args[0]) if self.args else ""


class UsageError(NeuroaiError, ValueError):
    """An option, name or argument that neuroai does not take."""

    exit_code = 2


class UnknownName(UsageError, KeyError):
    """A name that no registry, system or table holds."""


class RegistryError(UsageError):
    """A file that cannot be registered: a duplicate, a hidden parameter or a missing fact."""


class DataError(NeuroaiError, ValueError):
    """Data whose values cannot be used."""

    exit_code = 3


class FormatError(DataError):
    """An object that breaks the common labelled form."""


class AlignmentError(DataError):
    """Two objects whose labels do not match."""


class MissingExtra(NeuroaiError, ImportError):
    """An optional package that is not installed."""

    exit_code = 4


class ResourceError(NeuroaiError, RuntimeError):
    """Too little memory or disk, a device that is absent, a file that cannot be fetched."""

    exit_code = 5


class IntegrityError(NeuroaiError, ValueError):
    """A file whose content is not what its hash or seal says."""

    exit_code = 6
