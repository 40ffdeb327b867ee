"""What a review of labels changes in the units themselves: which are taken out, and which outlines are new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.review.edits import Edit
from core.review.geometry import next_free, to_geojson
from core.review.replay import fates
from core.wording import agree, count

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from core.review.state import Feature, Review

DRAWN_PREFIX = "N"
"""Begins the id of a unit that a reviewer drew; rows of the table begin with R."""

_CHANGED = "Factor values were not measured again for units with a changed outline."
_SPLIT = "The parts of a split unit keep its values."
_MERGED = (
    "A merged unit has the area-weighted mean of each numeric factor, or none where one of its parts has none, and the "
    "other values of its largest part."
)
_DRAWN = "A drawn unit has no values: models leave it out until they are filled in, for example in a GIS."

ATTRIBUTES = (_CHANGED, _SPLIT, _MERGED, _DRAWN)
"""What whoever uses corrected units must know, in sentences."""


@dataclass(frozen=True)
class Unit:
    """A unit that a reviewer made by drawing, splitting or merging.

    Attributes
    ----------
    outline
        In the coordinates of the layer.
    label
        Whether there is a landslide; None where that is not known.
    shares
        Which share of its area comes from which rows of the layer; empty where it was drawn.
    """

    outline: BaseGeometry
    label: bool | None
    shares: Mapping[int, float]


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
    """

    labels: Mapping[int, bool] = field(default_factory=dict)
    removed: frozenset[int] = frozenset()
    outlines: Mapping[int, BaseGeometry] = field(default_factory=dict)
    made: tuple[Unit, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.labels or self.removed or self.outlines or self.made)

    @property
    def redrawn(self) -> int:
        """Units whose outline is not that of the layer."""
        return len(self.outlines) + len(self.made)


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
            made.append(Unit(one.outline, label, {row[part]: share for part, share in one.sources.items()}))
            continue
        kept.add(name)
        if label is not None and label != found[name].label:
            labels[row[name]] = label
        if one.origin != "model":
            outlines[row[name]] = one.outline
    removed = frozenset(number for name, number in row.items() if name not in kept)
    return Changes(labels, removed, outlines, tuple(made))


def attributes_of(changes: Changes) -> tuple[str, ...]:
    """Those of `ATTRIBUTES` that apply to some changes; none where no outline was changed."""
    of = {len(unit.shares) for unit in changes.made}
    asked = (
        (_CHANGED, changes.redrawn > 0), (_SPLIT, 1 in of), (_MERGED, max(of, default=0) > 1), (_DRAWN, 0 in of),
    )  # fmt: skip
    return tuple(sentence for sentence, applies in asked if applies)


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


def units_words(counted: Mapping[str, int]) -> str:
    """What became of rows beyond their labels, such as "1 deleted, 2 merged"; empty for nothing.

    Parameters
    ----------
    counted
        As `progress`.
    """
    words = {"delete": "deleted", "edited": "with another outline", "split": "split", "merge": "merged"}
    said = (f"{counted[name]:,} {told}" for name, told in words.items() if counted.get(name))
    return ", ".join(said)


def changes_words(changes: Changes) -> str:
    """How corrected data differ from what was validated, in a sentence; empty where only labels do."""
    parts = [
        f"{count(number, noun)} {agree(number, 'is', 'are')} {what}"
        for number, noun, what in (
            (len(changes.removed), "row", "taken out"), (len(changes.made), "unit", "added"),
            (len(changes.outlines), "unit", "given another outline"),
        )
        if number
    ]  # fmt: skip
    return f"In the corrected data {_listed(parts)}." if parts else ""


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def draw(review: Review, outline: BaseGeometry, *, landslide: bool, note: str | None = None) -> Edit:
    """Add a unit."""
    taken = [*review.features, *review.deleted, *(name for entry in review.log for name in entry.edit.made)]
    number = 1 + sum(entry.edit.op == "draw" for entry in review.log)
    name = next_free(f"{DRAWN_PREFIX}{number}", taken)
    return Edit("draw", made={name: to_geojson(outline)}, label=landslide, note=note)

