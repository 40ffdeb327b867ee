"""Changes of level that somebody has looked at: who, when, and what was made of it.

An acknowledgement is a run that stands on the forecasts: it cannot be changed afterwards, and goes with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InputError
from core.jobs.perform import request_of
from core.raster.files import one_line
from core.runs.kinds import parameters_of
from core.runs.provenance import now
from core.runs.records import Order
from core.runs.result import RunResult
from core.series.alert import NAMES, Transition
from core.tasks.displacement.result import ForecastResult
from core.tasks.displacement.run import TASK

if TYPE_CHECKING:
    from core.jobs.perform import Job
    from core.runs.store import Store

KIND = "acknowledgement"

LONGEST_NAME, LONGEST_TEXT = 80, 500
"""Characters."""


@dataclass(frozen=True)
class Acknowledgement:
    """What is said of a change of level.

    Attributes
    ----------
    station
        Its name.
    time
        Of the change, ``YYYY-MM-DDTHH:MM:SS``.
    level
        From 0 (normal).
    by
        Who looked at it.
    text
        What was made of it.
    """

    station: str
    time: str
    level: int
    by: str
    text: str = ""

    def __post_init__(self) -> None:
        if not one_line(self.by).strip() or len(self.by) > LONGEST_NAME or len(self.text) > LONGEST_TEXT:
            raise InputError(
                "The name of the person who acknowledges is missing, or a text is too long.",
                remedy=f"Give a name of up to {LONGEST_NAME} and a text of up to {LONGEST_TEXT} characters.",
            )  # fmt: skip
        if not 0 <= self.level < len(NAMES):
            raise InputError(f"There is no level {self.level}.")


@dataclass(frozen=True)
class Acknowledged:
    """An acknowledgement that was kept, and when that was (ISO 8601, UTC)."""

    said: Acknowledgement
    when: str

    @property
    def line(self) -> str:
        """It in a line."""
        text = f": {one_line(self.said.text)}" if self.said.text.strip() else ""
        return f"{self.when[:16].replace('T', ' ')} UTC, {one_line(self.said.by)}{text}"


def moment(change: Transition) -> str:
    """The time of a change as an acknowledgement names it."""
    return str(change.time.astype("datetime64[s]"))


def order_acknowledgement(result: ForecastResult, said: Acknowledgement, *, owner: str = "") -> Order:
    """The order of keeping an acknowledgement.

    Raises
    ------
    InputError
        When the run has no such station.
    """
    if said.station not in result.stations:
        raise InputError(f"This run has no station {said.station!r}.", remedy=f"It has {', '.join(result.names)}.")
    return Order(TASK, KIND, parameters_of(said), result.inputs, "", (result.id,), owner)


def acknowledge(job: Job, said: Acknowledgement) -> RunResult:
    """Do the work of a run of kind ``"acknowledgement"``: it only has to be kept."""
    note = f"{said.station}, {NAMES[said.level]} at {said.time}: acknowledged by {one_line(said.by)}."
    return RunResult(
        id=job.run.id, kind=job.run.kind, folder=job.folder, inputs=job.run.inputs, parents=job.run.parents,
        notes=(note, *((one_line(said.text),) if said.text.strip() else ())),
        provenance={"finished": now(), **job.times(), "parameters": dict(job.run.parameters)},
    )  # fmt: skip


def acknowledged(store: Store, run: str, station: str) -> Mapping[tuple[str, int], Acknowledged]:
    """What was said of each change of level of a station, the latest of each, by time and level."""
    found: dict[tuple[str, int], Acknowledged] = {}
    for child in store.children(run, KIND)[::-1]:
        if child.status != "done":
            continue
        said: Acknowledgement = request_of(child)
        if said.station == station:
            found[said.time, said.level] = Acknowledged(said, f"{child.finished or child.created:%Y-%m-%dT%H:%M:%S}")
    return found
