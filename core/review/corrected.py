"""Datasets whose labels were corrected in a review: how they say so, and what must be known of scores on them."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from core.review.fit import Fit
from core.review.units import Done
from core.wording import agree, count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.review.labels import OpenedLabels

CAUTION = (
    "Scores on corrected labels are not independent evidence that a model is good: rows are reviewed in the order in "
    "which a model contradicts their labels, so corrections tend to favour that model."
)
"""What whoever scores models on reviewed labels must know."""


def cautions(opened: OpenedLabels) -> str:
    """What whoever uses the corrected data of a review must know."""
    return " ".join((CAUTION, *opened.changes.done.attributes, *opened.fit.words))


ORIGIN = "labels corrected in the review of run {run} ({wrong}; {total} rows)"
"""Begins the origin of a dataset whose labels were corrected."""

_UNITS = "; rows deleted: {0}, split: {1}, merged: {2}; units drawn: {3}, outlines changed: {4}"
_FIT = "; overlap: {0:.0f} m2, gap: {1:.0f} m2"

# Earlier versions wrote "(3 of 480)".
_ORIGIN = re.compile(
    r"labels corrected in the review of run ([0-9a-f]{8}) \((\d+)(?:; (?=\d+ rows)| of )(\d+)(?: rows)?\)"
    r"(?:; rows deleted: (\d+), split: (\d+), merged: (\d+); units drawn: (\d+), outlines changed: (\d+))?"
    r"(?:; overlap: (\d+) m2, gap: (\d+) m2)?(?:; before: (.*))?",
    re.DOTALL,
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
    fit
        Ground that changed outlines share or leave.
    before
        The review in which the labels had been corrected before; None where they had not.
    """

    run: str
    wrong: int
    total: int
    done: Done = Done()
    fit: Fit = Fit()
    before: Corrected | None = None

    @property
    def cautions(self) -> str:
        """What whoever uses these data must know, without what was corrected."""
        return " ".join((CAUTION, *self.attributes))

    @property
    def caution(self) -> str:
        """The same with what was corrected, after the sentence that matters most."""
        return " ".join((CAUTION, self.words, *self.attributes))

    @property
    def attributes(self) -> tuple[str, ...]:
        """What must be known of the units and their values: ground that outlines share or leave first."""
        earlier, before = list[str](), self.before
        while before is not None:
            earlier, before = [*earlier, *before.fit.words], before.before
        return (*self.fit.words, *earlier, *self.done.attributes)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Corrected | None:
        """What ``dataclasses.asdict`` made of one; None for one of an earlier version, which said less."""
        try:
            before = content["before"]
            return cls(
                content["run"], content["wrong"], content["total"], Done(**content["done"]), Fit(**content["fit"]),
                None if before is None else cls.from_json(before),
            )  # fmt: skip
        except (KeyError, TypeError):
            return None

    @property
    def words(self) -> str:
        """What was corrected where, in a few sentences."""
        units = f" {self.done.words}." if self.done else ""
        before = f" Before that: {self.before.words}" if self.before else ""
        return (
            f"In the review of run {self.run} ({count(self.total, 'row')}), {count(self.wrong, 'label')} "
            f"{agree(self.wrong, 'was', 'were')} corrected.{units}{before}"
        )


def corrected_in(origin: str) -> Corrected | None:
    """In which review the labels of a dataset were corrected, by its origin; None where they were not."""
    found = _ORIGIN.match(origin)
    if found is None:
        return None
    wrong, total, *done, overlap, gap = (int(number or 0) for number in found.groups()[1:-1])
    return Corrected(found[1], wrong, total, Done(*done), Fit(overlap, gap), corrected_in(found[11] or ""))


def origin_words(origin: str) -> str:
    """Where a dataset comes from as people read it: of corrected data in which review they were corrected."""
    corrected = corrected_in(origin)
    if corrected is None:
        return origin
    first = origin
    while (found := _ORIGIN.match(first)) is not None:
        first = found[11] or ""
    words = corrected.words.rstrip(".")  # more follows in the line where it stands
    return f"{first}; labels corrected. {words}" if first else f"Labels corrected. {words}"


def origin_of(opened: OpenedLabels, before: str) -> str:
    """Origin of a dataset with corrected labels.

    Parameters
    ----------
    before
        Origin of the dataset as it was.
    """
    changes, fit = opened.changes, opened.fit
    labels = ORIGIN.format(run=opened.run.id[:8], wrong=changes.corrected, total=len(opened.features))
    units = _UNITS.format(*astuple(changes.done)) if changes.done else ""
    shared = _FIT.format(fit.overlap, fit.gap) if fit.words else ""
    return f"{labels}{units}{shared}; before: {before}"
