"""Errors in words that a user can act on.

Every error that a user may meet is a `LandslideError`: it says what is wrong with which input, why that
matters, and what to do. Anything else that escapes from ``core`` is a bug.
"""

from __future__ import annotations


class LandslideError(Exception):
    """Base of every error meant for users.

    Parameters
    ----------
    what
        What is wrong, naming the input concerned.
    why
        Why it matters for the result.
    remedy
        What the user can do about it.
    """

    def __init__(self, what: str, why: str = "", remedy: str = "") -> None:
        self.what = what
        self.why = why
        self.remedy = remedy
        super().__init__(what, why, remedy)

    def __str__(self) -> str:
        return " ".join(part.strip() for part in (self.what, self.why, self.remedy) if part.strip())


class InputError(LandslideError):
    """A file or a value given by the user cannot be used."""


class UnsafeFileError(InputError):
    """A file is refused because opening it could harm the server or read what it should not."""


class BandError(InputError):
    """The bands of a scene do not serve the model or the request."""


class GridError(InputError):
    """Two inputs cannot be laid on one grid: no coordinate system, no overlap, other size."""


class ModelError(LandslideError):
    """A model's folder is incomplete, altered or does not fit its own description."""


class StorageError(LandslideError):
    """Writing or reading the store failed; nothing half-written remains."""


class RunCancelled(LandslideError):
    """The user stopped a run; what it had written aside is removed."""
