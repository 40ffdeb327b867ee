"""Whose turn it is: nobody waits behind a long queue of somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Candidate:
    """Something that a worker could begin with.

    Attributes
    ----------
    run_id, owner, created
        Of the run.
    part
        Whether it is a part of a run that has begun.
    """

    run_id: str
    owner: str
    created: datetime
    part: bool = False


def fairest(candidates: Iterable[Candidate], running: Mapping[str, int], last: Mapping[str, int]) -> Candidate:
    """The next one to begin.

    First comes the owner of whom the fewest are running, then the one whose last start is longest ago, then a whole
    run before a part of another, then what was ordered first. So parts of a large run fill the workers that nobody
    else asks for, give way to whoever comes, and are never starved either.

    Parameters
    ----------
    candidates
        At least one.
    running
        How many are running, by owner.
    last
        Number of the last start, by owner; numbers grow.
    """
    return min(
        candidates,
        key=lambda one: (running.get(one.owner, 0), last.get(one.owner, -1), one.part, one.created, one.run_id),
    )
