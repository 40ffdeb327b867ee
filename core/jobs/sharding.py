"""Runs that several workers share: parts that know nothing of each other, then one last step that puts them together.

::

    planned = Call("module:plan", {"run_id": …})    ──►  Plan(parts, last, steps)
    parts   = Call("module:part", {…}) …            each writes files under HOME/work/<run id>/
    last    = Call("module:last", {…})              reads them and calls ``Store.finish``

A part says how far it is by ``Store.advance(run_id, steps)`` and ends when that says so. The dispatcher keeps the
run's heart beating meanwhile, since a part may wait while others have their turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from core.jobs.remote import Call
from core.runs.kinds import kind_of
from core.runs.records import Run

if TYPE_CHECKING:
    from core.runs.store import Store

Stage = Literal["plan", "parts", "last", "over"]

Splitter = Callable[[Run, int], Call | None]
"""Says of a queued run and the number of workers how its plan is made, or None when one worker does it whole.

It is asked in the server and must answer at once; making the plan is left to a worker.
"""


def whole(run: Run, workers: int) -> Call | None:
    """A `Splitter` that splits nothing."""
    del run, workers
    return None


def sharding(store: Store) -> Splitter:
    """Says which runs of a store the workers share: those whose kind says so, where there is more than one worker."""

    def split(run: Run, workers: int) -> Call | None:
        kind = kind_of(run)
        if workers < 2 or kind is None or kind.shards is None:
            return None
        call: Call | None = kind.shards.load()(store, run)
        return call

    return split


@dataclass(frozen=True)
class Plan:
    """How a run is shared out.

    Attributes
    ----------
    parts
        Calls in any order, each of which may be done by any worker.
    last
        The call after all of them, which finishes the run.
    steps
        How many steps the parts advance together.
    words
        What is being done meanwhile.
    """

    parts: tuple[Call, ...]
    last: Call
    steps: int
    words: str = ""


@dataclass
class Split:
    """A run under way that several workers share.

    Attributes
    ----------
    run_id, owner, created
        Of the run.
    stage
        What is being done; `waiting` are the calls of that stage that nobody has begun, `working` how many are.
    """

    run_id: str
    owner: str
    created: datetime
    planned: Call
    stage: Stage = "plan"
    waiting: deque[Call] = field(default_factory=deque)
    working: int = 0
    plan: Plan | None = None

    def __post_init__(self) -> None:
        self.waiting.append(self.planned)

    def take(self) -> Call:
        """The next call to begin with."""
        self.working += 1
        return self.waiting.popleft()

    def put_back(self, call: Call) -> None:
        """Nobody could be given a call that was taken."""
        self.working -= 1
        if self.stage != "over":
            self.waiting.appendleft(call)

    def ended(self, value: object) -> None:
        """A call returned.

        Raises
        ------
        TypeError
            When what should be a plan is none.
        """
        self.working -= 1
        if self.stage == "over":
            return
        if self.stage == "plan":
            if not isinstance(value, Plan):
                raise TypeError(f"{self.planned.function} returned {type(value).__name__}, not a plan")
            self.plan, self.stage = value, "parts"
            self.waiting.extend(value.parts)
        if self.waiting or self.working:
            return
        if self.stage == "parts" and self.plan is not None:
            self.stage = "last"
            self.waiting.append(self.plan.last)
        else:
            self.stage = "over"

    def drop(self) -> None:
        """Begin nothing more."""
        self.stage = "over"
        self.waiting.clear()
