"""How long work is heard of while it goes on, and stopped: what every task takes as ``progress`` and ``cancel``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from core.errors import RunCancelled

ProgressCallback = Callable[[int, int], None]
"""Told the steps done and all."""


class Cancel(Protocol):
    """Asked at each batch; True stops the run."""

    def __call__(self) -> bool:
        """Whether to stop."""


def never() -> bool:
    """Do not cancel."""
    return False


def stop_if(cancel: Cancel) -> None:
    """Raise `RunCancelled` when asked to stop."""
    if cancel():
        raise RunCancelled("The run was cancelled.", "No results were saved.")


def ignore(done: int, total: int) -> None:
    """Report progress to nobody."""


_reading: ContextVar[ProgressCallback] = ContextVar("reading", default=ignore)


@contextmanager
def told_of_reading(progress: ProgressCallback) -> Iterator[None]:
    """Have files that are read whole, for their digest, tell of it meanwhile, in rows of pixels.

    Parameters
    ----------
    progress
        What it raises ends the reading.
    """
    token = _reading.set(progress)
    try:
        yield
    finally:
        _reading.reset(token)


def tell_reading(done: int, total: int) -> None:
    """Tell whoever asked by `told_of_reading`; ends the reading where the work is to stop."""
    _reading.get()(done, total)
    stop_between()


_wish: ContextVar[Cancel] = ContextVar("wish", default=never)


@contextmanager
def stoppable(cancel: Cancel) -> Iterator[None]:
    """Have work that is not handed `cancel` ask it all the same, by `stop_between`."""
    token = _wish.set(cancel)
    try:
        yield
    finally:
        _wish.reset(token)


def stop_between() -> None:
    """Stop between the steps of a batch that takes long, or of a file that is read whole.

    Raises
    ------
    RunCancelled
        When who began the work, by `stoppable`, wants it to end.
    """
    stop_if(_wish.get())
