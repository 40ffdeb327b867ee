"""Work given to a worker of the cluster whose outcome is not known yet."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from core.jobs.cluster import Pending
from core.jobs.sharding import Split

LOST_AFTER = 10.0
"""Seconds after which work given to a vanished worker is taken back."""


@dataclass
class Assignment:
    """Something that a worker was given to do.

    Attributes
    ----------
    run_id, owner
        Of the run that it is or belongs to.
    pending
        What came of it.
    split
        The run that it is a part of; None when it is the whole.
    astray, unwanted
        Seconds since its worker was last there, and since its run was last under way.
    """

    run_id: str
    owner: str
    pending: Pending
    split: Split | None = None
    orphaned_for: float = 0.0
    unwanted: float = 0.0

    def look(self, workers: Container[str], active: Container[str], gap: float) -> None:
        """Count the seconds since the last look."""
        self.orphaned_for = 0.0 if self.pending.worker in workers else self.orphaned_for + gap
        self.unwanted = 0.0 if self.run_id in active else self.unwanted + gap
