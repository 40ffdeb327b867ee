"""What is said of runs that did not come to their own end, in whatever process that is found."""

from __future__ import annotations

import traceback

from core.errors import LandslideError, RunCancelled
from core.runs.records import Failure, Run, Status


class WorkerLost(LandslideError):
    """A worker ended before what it did was done."""


def from_exception(run: Run, error: Exception) -> tuple[Failure, Status]:
    """What is said of a run that ended by an error, and as what it ended."""
    status: Status = "cancelled" if isinstance(error, RunCancelled) or run.cancelling else "failed"
    if isinstance(error, WorkerLost):
        return (cancelled() if run.cancelling else worker_lost(run.worker)), status
    return describe(error), status


def describe(error: Exception) -> Failure:
    """What an error says for itself, with where it came from for who looks after the server."""
    detail = "".join(traceback.format_exception(error))
    if isinstance(error, LandslideError):
        return Failure(error.what, error.why, error.remedy, detail)
    return Failure(
        "The run stopped by an error in the program.",
        f"{type(error).__name__}: {error}"[:500],
        "Run it again; if this goes on, report it with the details below.",
        detail,
    )


def error(failure: Failure) -> LandslideError:
    """The same to be raised."""
    return LandslideError(failure.what, failure.why, failure.remedy)


def worker_lost(worker: str) -> Failure:
    """Its worker ended under it."""
    return Failure(
        "The worker that was computing this run stopped.",
        "Most likely the machine had no memory left, or somebody ended the process. Nothing of the run was kept.",
        "Run it again. If it stops again, choose a smaller batch or a part of the scene, "
        "or let fewer runs be computed at once (SLIDELENS_WORKERS).",
        f"worker {worker}" if worker else "",
    )


def silent(worker: str) -> Failure:
    """Its worker is there, but does not say anything any more."""
    return Failure(
        "This run has not been heard of for too long and was given up.",
        "Its worker hangs, was ended, or cannot reach the store. Nothing of the run was kept.",
        "Run it again.",
        f"worker {worker}" if worker else "",
    )


def interrupted() -> Failure:
    """Its server ended."""
    return Failure("The server stopped while this run was computed.", "Nothing of it was kept.", "Run it again.")


def abandoned() -> Failure:
    """The process that computed it ended, and nobody knows what for."""
    return Failure("The process that computed this run has ended.", "Nothing of it was kept.", "Run it again.")


def stopped(error: BaseException) -> Failure:
    """Whoever looks after the process ended what it did, as Ctrl+C does."""
    return Failure("The run was stopped from outside.", f"{type(error).__name__}. Nothing of it was kept.")


def cancelled() -> Failure:
    """Somebody wanted it so."""
    return Failure("The run was cancelled.", "Nothing of it was kept.")


def overtime(limit: float) -> Failure:
    """It took longer than it may."""
    hours, minutes = divmod(round(limit / 60), 60)
    said = f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{limit:g} s"
    return Failure(
        f"The run took longer than its limit of {said} and was stopped.",
        "A limit keeps a run that does not end from holding up all others. Nothing of it was kept.",
        "Choose a part of the scene or a smaller overlap, or raise the limit (SLIDELENS_TIME_LIMIT).",
    )
