"""Datasets whose labels were corrected in a review: how they say so, and what must be known of scores on them."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from core.review.units import Done
from core.wording import agree, count

if TYPE_CHECKING:
    from core.review.labels import OpenedLabels

CAUTION = (
    "Rows are reviewed in the order in which a model contradicts their labels. Corrections then tend to favour that "
    "model: scores on the corrected labels are not independent evidence that it is good."
)
"""What whoever scores models on reviewed labels must know."""


def cautions(opened: OpenedLabels) -> str:
    """What whoever uses the corrected data of a review must know."""
    return " ".join((CAUTION, *opened.changes.done.attributes, *opened.fit.words))


ORIGIN = "labels corrected in the review of run {run} ({wrong} of {total})"
"""Begins the origin of a dataset whose labels were corrected."""

_UNITS = "; rows deleted: {0}, split: {1}, merged: {2}; units drawn: {3}, outlines changed: {4}"

_ORIGIN = re.compile(
    r"labels corrected in the review of run ([0-9a-f]{8}) \((\d+) of (\d+)\)"
    r"(?:; rows deleted: (\d+), split: (\d+), merged: (\d+); units drawn: (\d+), outlines changed: (\d+))?"
)


@dataclass(frozen=True)
class Corrected:
    """The review in which the labels of a dataset were corrected.

    Attributes
    ----------
    run
        First eight digits of the id of the reviewed run.
    wrong, total
        Labels that were corrected, also of units that were made of rows, and how many rows could be reviewed.
    done
        What was done beyond labels.
    """

    run: str
    wrong: int
    total: int
    done: Done = Done()

    @property
    def cautions(self) -> str:
        """What whoever uses these data must know."""
        return " ".join((CAUTION, *self.done.attributes))

    @property
    def words(self) -> str:
        """What was corrected where, in a sentence or two."""
        units = f" {self.done.words}." if self.done else ""
        return (
            f"{self.wrong:,} of {count(self.total, 'label')} {agree(self.wrong, 'was', 'were')} corrected in the "
            f"review of run {self.run}.{units}"
        )


def corrected_in(origin: str) -> Corrected | None:
    """In which review the labels of a dataset were corrected, by its origin; None where they were not."""
    found = _ORIGIN.match(origin)
    if found is None:
        return None
    wrong, total, *done = (int(number or 0) for number in found.groups()[1:])
    return Corrected(found[1], wrong, total, Done(*done))


def origin_of(opened: OpenedLabels, before: str) -> str:
    """Origin of a dataset with corrected labels.

    Parameters
    ----------
    before
        Origin of the dataset as it was.
    """
    changes = opened.changes
    labels = ORIGIN.format(run=opened.run.id[:8], wrong=changes.corrected, total=len(opened.features))
    units = _UNITS.format(*astuple(changes.done)) if changes.done else ""
    return f"{labels}{units}; before: {before}"
