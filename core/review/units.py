"""What a review of labels changes in the units themselves: which are taken out, and which outlines are new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.review.edits import Edit
from core.review.geometry import next_free, parts_of, to_geojson
from core.review.replay import fates
from core.wording import agree, count

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from core.review.state import Feature, Review

DRAWN_PREFIX = "N"
"""Begins the id of a unit that a reviewer drew; rows of the table begin with R."""

REVIEW_ID = "review_id"
"""Column of a corrected layer with what each unit is called in the review: R and the row, or what was made of it."""

_CHANGED = "Factor values were not measured again for units with a changed outline."
_SPLIT = (
    f"The parts of a split unit keep its values, also its ID in the layer; the column {REVIEW_ID} tells them apart."
)
_MERGED = (
    "A merged unit has the area-weighted mean of each numeric factor, or none where one of its parts has none, and the "
    "other values of its largest part."
)
_DRAWN = (
    "A drawn unit has no values: models leave it out until they are filled in, for example in a GIS. It still counts "
    "where outlines overlap."
)


@dataclass(frozen=True)
class Done:
    """How many rows and units of a layer were changed, beyond their labels.

    Attributes
    ----------
    deleted, split, merged
        Rows that were.
    drawn
        Units that a reviewer drew.
    redrawn
        Rows with another outline.
    """

    deleted: int = 0
    split: int = 0
    merged: int = 0
    drawn: int = 0
    redrawn: int = 0

    def __bool__(self) -> bool:
        """Whether there are any."""
        return any((self.deleted, self.split, self.merged, self.drawn, self.redrawn))

    @property
    def words(self) -> str:
        """What was done, without a full stop; empty for nothing."""
        said = [
            f"{count(number, noun)} {agree(number, 'was', 'were')} {what}"
            for number, noun, what in (
                (self.deleted, "row", "deleted"), (self.split, "row", "split"), (self.merged, "row", "merged"),
                (self.redrawn, "row", "given another outline"), (self.drawn, "unit", "drawn"),
            )
            if number
        ]  # fmt: skip
        return f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else "".join(said)

    @property
    def attributes(self) -> tuple[str, ...]:
        """What whoever uses these units must know of their values, in sentences; none where no outline was changed."""
        changed = self.split + self.merged + self.drawn + self.redrawn
        asked = ((_CHANGED, changed), (_SPLIT, self.split), (_MERGED, self.merged), (_DRAWN, self.drawn))
        return tuple(sentence for sentence, applies in asked if applies)


@dataclass(frozen=True)
class Unit:
    """A unit that a reviewer made by drawing, splitting or merging.

    Attributes
    ----------
    name
        Its id in the review.
    outline
        In the coordinates of the layer.
    label
        Whether there is a landslide; None where that is not known.
    shares
        Which share of its area comes from which rows of the layer; empty where it was drawn.
    is_corrected
        Whether the label that it was given when it was made is marked as wrong.
    """

    name: str
    outline: BaseGeometry
    label: bool | None
    shares: Mapping[int, float]
    is_corrected: bool = False


@dataclass(frozen=True)
class Changes:
    """How corrected data differ from what was validated; rows are counted from 0.

    Attributes
    ----------
    labels
        Rows with another label: True for a landslide.
    removed
        Rows that were deleted, split, or merged.
    outlines
        Other outlines by row, in the coordinates of the layer.
    made
        Units that come in addition.
    done
        How much of this was done to rows and units, in numbers.
    """

    labels: Mapping[int, bool] = field(default_factory=dict)
    removed: frozenset[int] = frozenset()
    outlines: Mapping[int, BaseGeometry] = field(default_factory=dict)
    made: tuple[Unit, ...] = ()
    done: Done = Done()

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.labels or self.removed or self.outlines or self.made)

    @property
    def corrected(self) -> int:
        """Labels that are marked as wrong, of rows and of units that were made of them, but of none that was drawn."""
        return len(self.labels) + sum(unit.is_corrected and bool(unit.shares) for unit in self.made)


def changes_of(found: Mapping[str, Feature], review: Review) -> Changes:
    """What a review changed.

    Parameters
    ----------
    found
        The rows before any edit, with ``row`` among their values.
    """
    row = {name: int(one.values["row"]) for name, one in found.items()}
    labels: dict[int, bool] = {}
    outlines: dict[int, BaseGeometry] = {}
    made: list[Unit] = []
    kept: set[str] = set()
    for name, one in review.features.items():
        label = one.reviewed_label
        if not is_row(found, one):
            shares = {row[part]: share for part, share in one.sources.items()}
            made.append(Unit(name, one.outline, label, shares, one.status == "rejected"))
            continue
        kept.add(name)
        if label is not None and label != found[name].label:
            labels[row[name]] = label
        if one.origin != "model":
            outlines[row[name]] = one.outline
    removed = frozenset(number for name, number in row.items() if name not in kept)
    counted = progress(found, review)
    deleted, split, merged = (counted.get(op, 0) for op in ("delete", "split", "merge"))
    done = Done(deleted, split, merged, sum(not unit.shares for unit in made), len(outlines))
    return Changes(labels, removed, outlines, tuple(made), done)


def is_row(found: Mapping[str, Feature], one: Feature) -> bool:
    """Whether a unit is a row of the layer, if with another outline; a merged one is not, whatever its name."""
    return one.id in found and not one.parents


def progress(found: Mapping[str, Feature], review: Review) -> dict[str, int]:
    """How many rows there are by what was said of them.

    By ``"unreviewed"``, ``"confirmed"`` and ``"rejected"`` (labels), ``"edited"`` (another outline), ``"delete"``,
    ``"split"`` and ``"merge"``.
    """
    became = fates(review.log)

    def said(name: str) -> str:
        one = review.features.get(name)
        if one is None:
            return became[name][0]
        return one.status if one.origin == "model" else "edited" if is_row(found, one) else "merge"

    return dict(Counter(map(said, found)))


def draw(
    review: Review, outline: BaseGeometry, *, landslide: bool, note: str | None = None, apart: bool = False
) -> Edit:
    """Add a unit.

    Parameters
    ----------
    apart
        Whether each separate part of the outline is a unit of its own.
    """
    before = [name for entry in review.log if entry.edit.op == "draw" for name in entry.edit.made]
    taken = [*review.features, *review.deleted, *(name for entry in review.log for name in entry.edit.made)]
    made: dict[str, dict[str, Any]] = {}
    for part in parts_of(outline) if apart else [outline]:
        name = next_free(f"{DRAWN_PREFIX}{1 + len(before) + len(made)}", [*taken, *made])
        made[name] = to_geojson(part)
    return Edit("draw", made=made, label=landslide, note=note)
