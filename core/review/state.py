"""The state of a review: what the log of its edits makes of what a run found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

    from core.review.edits import Edit

Status = Literal["unreviewed", "confirmed", "rejected", "edited", "added"]
"""What became of a feature: ``"edited"`` has another outline than the model gave, ``"added"`` was drawn."""

Origin = Literal["model", "edited", "added"]
"""Where an outline is from; the last two are the statuses of such features, too."""

STATUSES: Mapping[str, str] = {
    "unreviewed": "not reviewed", "confirmed": "correct", "rejected": "false alarm", "edited": "outline corrected",
    "added": "added (missed by the model)",
}  # fmt: skip
"""Statuses in words."""

GONE: Mapping[str, str] = {"delete": "deleted", "split": "split into others", "merge": "merged into another"}
"""What became of features that are no longer in the inventory, in words."""

MERGED = "merged with another"
"""What became of a feature whose outline others were merged into."""

CHANGED = frozenset({STATUSES["edited"], MERGED, GONE["split"], GONE["merge"]})
"""What is said of features of the model whose outline is another one in the inventory, or in part of another."""

SETTLED = ("confirmed", "edited", "added")
"""Statuses of what a review accepts as a landslide."""


@dataclass(frozen=True)
class Entry:
    """A row of the log.

    Attributes
    ----------
    number
        Its place in the log of the run, from 1.
    created
        Seconds since 1970, UTC.
    reviewer
        Name of who made it.
    edit
        What was done.
    """

    number: int
    created: float
    reviewer: str
    edit: Edit


@dataclass(frozen=True)
class Feature:
    """A feature of the reviewed inventory.

    Attributes
    ----------
    id
        That of the model's feature, or one of its own.
    outline
        In the coordinates of the run's grid; columns and rows without a coordinate system.
    status, reason, note
        What the review says of it.
    reviewer, reviewed
        Who changed it last, and when (seconds since 1970, UTC); empty and None where nobody did, or where what was
        said of the model's outline was taken back.
    parents
        Ids of the features that it was made of by splitting or merging.
    origin
        Whether its outline is the model's, was changed by a reviewer, or was drawn by one.
    values
        What the model says of it, such as its mean probability. Where outlines of the model were merged, what follows
        from those of its parts (see `core.review.merged`); empty for any other outline than the model's.
    label
        In a review of labels: whether there is a landslide by the table, or what a reviewer said who drew, split or
        merged it; the status then says whether that is right. None in other reviews.
    sources
        What was found that an outline which a reviewer made is from, by id: which share of its area. Empty for what
        was found itself, and for what was drawn.
    """

    id: str
    outline: BaseGeometry
    status: Status = "unreviewed"
    reason: str = ""
    note: str = ""
    reviewer: str = ""
    reviewed: float | None = None
    parents: tuple[str, ...] = ()
    origin: Origin = "model"
    values: Mapping[str, Any] = field(default_factory=dict)
    label: bool | None = None
    sources: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_polygon(self) -> bool:
        """Whether it has an outline, rather than a point or no place, as rows of a table may."""
        return self.outline.geom_type in ("Polygon", "MultiPolygon") and not self.outline.is_empty

    @property
    def is_judged(self) -> bool:
        """Whether it was marked as right or wrong, beside what was done to its outline."""
        return self.status not in ("unreviewed", self.origin)

    @property
    def reviewed_label(self) -> bool | None:
        """The label as the review leaves it: the other one where it is marked as wrong."""
        return self.label if self.label is None else self.label != (self.status == "rejected")

    @property
    def relation(self) -> tuple[Literal["", "split from", "merged from", "merged with"], str]:
        """What it was made of: how, and of which others; what was merged keeps the name of the largest."""
        others = ", ".join(name for name in self.parents if name != self.id)
        if not self.parents:
            return "", ""
        if len(self.parents) == 1:
            return "split from", others
        return "merged with" if self.id in self.parents else "merged from", others

    @property
    def made_of(self) -> str:
        """The same in words; empty where it was not split or merged."""
        return " ".join(self.relation).strip()


@dataclass(frozen=True)
class Review:
    """A review after its last edit.

    Attributes
    ----------
    features
        The reviewed inventory by id, without what was deleted.
    deleted
        Features that were deleted, by id, with the reason and note of their deletion.
    examined
        Whether somebody said to have searched the whole area for what the model missed.
    log
        All entries, in their order.
    undone
        Numbers of the entries that are undone.
    """

    features: Mapping[str, Feature]
    deleted: Mapping[str, Feature]
    examined: bool
    log: tuple[Entry, ...]
    undone: frozenset[int]

    @property
    def number(self) -> int:
        """Number of the last entry; 0 where nothing was reviewed yet."""
        return self.log[-1].number if self.log else 0

    @property
    def counts(self) -> dict[str, int]:
        """How many features there are of each status."""
        found = dict.fromkeys(STATUSES, 0)
        for one in self.features.values():
            found[one.status] += 1
        return found

    @property
    def finished(self) -> bool:
        """Whether every feature was reviewed and the whole area searched: what is not mapped is then no landslide."""
        return self.examined and not self.counts["unreviewed"]

    @property
    def began_with(self) -> Mapping[str, Any] | None:
        """Values of the view that the review began with; None where it did not begin."""
        return next((entry.edit.view for entry in self.log if entry.edit.op == "begin"), None)

    def to_undo(self, reviewer: str) -> Entry | None:
        """The reviewer's last edit that is in force; None for none."""
        return next((entry for entry in reversed(self.log) if self._is_step(entry, reviewer, undone=False)), None)

    def to_redo(self, reviewer: str) -> Entry | None:
        """The edit that the reviewer undid last, unless something else was done since; None for none."""
        for entry in reversed(self.log):
            if entry.reviewer != reviewer:
                continue
            if entry.edit.op == "undo" and entry.edit.of in self.undone:
                return next(one for one in self.log if one.number == entry.edit.of)
            if entry.edit.op not in ("undo", "redo"):
                return None
        return None

    def _is_step(self, entry: Entry, reviewer: str, *, undone: bool) -> bool:
        ours = entry.reviewer == reviewer and entry.edit.op not in ("begin", "undo", "redo")
        return ours and (entry.number in self.undone) == undone

    def changed_since(self, number: int, ids: Sequence[str]) -> Entry | None:
        """The first later entry that concerns one of some features; None for none."""
        wanted = set(ids)
        return next((entry for entry in self.log if entry.number > number and wanted & self._touched(entry)), None)

    def _touched(self, entry: Entry) -> set[str]:
        edit = entry.edit
        if edit.op in ("undo", "redo"):
            other = next(one for one in self.log if one.number == edit.of)
            return self._touched(other)
        return {*edit.ids, *edit.made}


def features_of(found: GeoDataFrame) -> dict[str, Feature]:
    """What a run found, before any review.

    Parameters
    ----------
    found
        A table with ``id`` and outlines; its other columns become `Feature.values`.
    """
    columns = [name for name in found.columns if name not in ("id", found.geometry.name)]
    values = zip(*(found[name].tolist() for name in columns), strict=True) if columns else [()] * len(found)
    return {
        str(name): Feature(str(name), outline, values=dict(zip(columns, told, strict=True)))
        for name, outline, told in zip(found["id"], found.geometry, values, strict=True)
    }
