"""Failures of runs that did not finish, as users read them, whichever process finds them."""

from __future__ import annotations

import traceback

from core.errors import LandslideError, RunCancelled
from core.runs.records import Failure, Run, Status


class WorkerLost(LandslideError):
    """A worker ended before what it did was done."""


def from_exception(run: Run, error: Exception) -> tuple[Failure, Status]:
    """The failure of a run that ended by an error, and the status that it ends with."""
    status: Status = "cancelled" if isinstance(error, RunCancelled) or run.cancelling else "failed"
    if isinstance(error, WorkerLost):
        return (cancelled() if run.cancelling else worker_lost(run.worker)), status
    return describe(error), status


def describe(error: Exception) -> Failure:
    """An error as a failure, with its traceback for the administrator."""
    detail = "".join(traceback.format_exception(error))
    if isinstance(error, LandslideError):
        return Failure(error.what, error.why, error.remedy, detail)
    return Failure(
        "The run stopped because of an error in the program.",
        f"{type(error).__name__}: {error}"[:500],
        "Repeat the run; if the error persists, report it with the details below.",
        detail,
    )


def error(failure: Failure) -> LandslideError:
    """The same to be raised."""
    return LandslideError(failure.what, failure.why, failure.remedy)


def worker_lost(worker: str) -> Failure:
    """Its worker ended under it."""
    return Failure(
        "The worker processing this run stopped.",
        "Most likely the machine ran out of memory, or the process was ended. No results were saved.",
        "Repeat the run. If it stops again, choose a smaller batch or a smaller area, or allow fewer runs at a time "
        "(SLIDELENS_WORKERS).",
        f"worker {worker}" if worker else "",
    )


def silent(worker: str) -> Failure:
    """Its worker exists but no longer responds."""
    return Failure(
        "This run stopped responding and was ended.",
        "Its worker hangs, was ended, or cannot reach the store. No results were saved.",
        "Repeat the run.",
        f"worker {worker}" if worker else "",
    )


def interrupted() -> Failure:
    """Its server ended."""
    return Failure("The server stopped during this run.", "No results were saved.", "Repeat the run.")


def abandoned() -> Failure:
    """The process of the run ended for an unknown reason."""
    return Failure("The process of this run has ended.", "No results were saved.", "Repeat the run.")


def stopped(error: BaseException) -> Failure:
    """The process was interrupted from outside, as by Ctrl+C."""
    return Failure("The run was stopped from outside SlideLens.", f"{type(error).__name__}. No results were saved.")


def cancelled() -> Failure:
    """A user cancelled it."""
    return Failure("The run was cancelled.", "No results were saved.")


def overtime(limit: float) -> Failure:
    """It exceeded its time limit."""
    hours, minutes = divmod(round(limit / 60), 60)
    said = f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{limit:g} s"
    return Failure(
        f"The run exceeded its time limit of {said} and was stopped.",
        "The limit prevents a run that does not finish from blocking all others. No results were saved.",
        "Choose a smaller area or a smaller overlap, or raise the limit (SLIDELENS_TIME_LIMIT).",
    )
