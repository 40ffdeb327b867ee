"""Datasets whose labels were corrected in a review: how they say so, and what must be known of scores on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.review.units import ATTRIBUTES, attributes_of
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
    return " ".join((CAUTION, *attributes_of(opened.changes), *opened.fit.words))


ORIGIN = "labels corrected in the review of run {run} ({wrong} of {total})"
"""Begins the origin of a dataset whose labels were corrected."""

_UNITS = "; rows removed: {removed}; outlines drawn or changed: {redrawn}"

_ORIGIN = re.compile(
    r"labels corrected in the review of run ([0-9a-f]{8}) \((\d+) of (\d+)\)"
    r"(?:; rows removed: (\d+); outlines drawn or changed: (\d+))?"
)


@dataclass(frozen=True)
class Corrected:
    """The review in which the labels of a dataset were corrected.

    Attributes
    ----------
    run
        First eight digits of the id of the reviewed run.
    wrong, total
        Labels that were corrected, of how many that could be reviewed.
    removed, redrawn
        Rows that were taken out, and outlines that are not those of the layer.
    """

    run: str
    wrong: int
    total: int
    removed: int = 0
    redrawn: int = 0

    @property
    def cautions(self) -> str:
        """What whoever uses these data must know."""
        return " ".join((CAUTION, *(ATTRIBUTES if self.redrawn else ())))

    @property
    def words(self) -> str:
        """What was corrected where, in a sentence or two."""
        units = (
            f" {count(self.removed, 'row')} {agree(self.removed, 'was', 'were')} taken out, and "
            f"{count(self.redrawn, 'outline')} drawn or changed."
        )
        return (
            f"{self.wrong:,} of {count(self.total, 'label')} {agree(self.wrong, 'was', 'were')} corrected in the "
            f"review of run {self.run}.{units if self.removed or self.redrawn else ''}"
        )


def corrected_in(origin: str) -> Corrected | None:
    """In which review the labels of a dataset were corrected, by its origin; None where they were not."""
    found = _ORIGIN.match(origin)
    return None if found is None else Corrected(found[1], *(int(number or 0) for number in found.groups()[1:]))


def origin_of(opened: OpenedLabels, before: str) -> str:
    """Origin of a dataset with corrected labels.

    Parameters
    ----------
    before
        Origin of the dataset as it was.
    """
    changes = opened.changes
    labels = ORIGIN.format(run=opened.run.id[:8], wrong=len(changes.labels), total=len(opened.features))
    removed, redrawn = len(changes.removed), changes.redrawn
    units = _UNITS.format(removed=removed, redrawn=redrawn) if removed or redrawn else ""
    return f"{labels}{units}; before: {before}"
