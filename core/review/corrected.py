"""Datasets whose labels were corrected in a review: how they say so, and what must be known of scores on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.wording import agree, count

if TYPE_CHECKING:
    from core.review.labels import OpenedLabels

CAUTION = (
    "Rows are reviewed in the order in which a model contradicts their labels. Corrections then tend to favour that "
    "model: scores on the corrected labels are not independent evidence that it is good."
)
"""What whoever scores models on reviewed labels must know."""

ORIGIN = "labels corrected in the review of run {run} ({wrong} of {total})"
"""Begins the origin of a dataset whose labels were corrected."""

_ORIGIN = re.compile(r"labels corrected in the review of run ([0-9a-f]{8}) \((\d+) of (\d+)\)")


@dataclass(frozen=True)
class Corrected:
    """The review in which the labels of a dataset were corrected.

    Attributes
    ----------
    run
        First eight digits of the id of the reviewed run.
    wrong, total
        Labels that were corrected, of how many that could be reviewed.
    """

    run: str
    wrong: int
    total: int

    @property
    def words(self) -> str:
        """What was corrected where, in a sentence."""
        return (
            f"{self.wrong:,} of {count(self.total, 'label')} {agree(self.wrong, 'was', 'were')} corrected in the "
            f"review of run {self.run}."
        )


def corrected_in(origin: str) -> Corrected | None:
    """In which review the labels of a dataset were corrected, by its origin; None where they were not."""
    found = _ORIGIN.match(origin)
    return None if found is None else Corrected(found[1], int(found[2]), int(found[3]))


def origin_of(opened: OpenedLabels, before: str) -> str:
    """Origin of a dataset with corrected labels.

    Parameters
    ----------
    before
        Origin of the dataset as it was.
    """
    wrong, total = len(opened.corrections), len(opened.features)
    return f"{ORIGIN.format(run=opened.run.id[:8], wrong=wrong, total=total)}; before: {before}"
