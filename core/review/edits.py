"""Edits of a review: what a reviewer did, as it stands in the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from core.errors import InputError, StorageError
from core.wording import agree, count

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Operation = Literal[
    "begin", "judge", "label", "delete", "restore", "draw", "reshape", "split", "merge", "examined", "undo", "redo"
]
"""What an edit does; see `Edit`."""

JUDGING = ("judge", "label")
"""Operations with a judgement."""

Judgement = Literal["confirmed", "rejected", "unreviewed"]
"""What a reviewer says of a feature."""

REASONS = (
    "bare soil or rock", "road or building", "field or clearing", "river or water", "cloud, shadow or snow",
    "older landslide", "image error", "duplicate", "other",
)  # fmt: skip
"""Reasons for which a feature is rejected or deleted, offered for choice; others can be written."""

NONE_THERE, LANDSLIDE_THERE = "no landslide there", "landslide there"

LABEL_REASONS = (
    NONE_THERE, LANDSLIDE_THERE, "position inaccurate", "other date or event", "other process", "duplicate",
    "outside the study area", "other",
)  # fmt: skip
"""Reasons for which a label is wrong or a row deleted, offered in the same way."""

MOST_WORDS = 2_000
"""Characters of a note."""

MOST_IDS = 100_000
"""Features that one edit concerns."""


@dataclass(frozen=True)
class Edit:
    """One step of a review.

    Attributes
    ----------
    op
        ``"begin"`` fixes the view whose features are reviewed; ``"judge"`` marks features as right or wrong,
        ``"label"`` the labels of rows of a table; ``"delete"`` takes features out, ``"restore"`` puts them back as
        they were before; ``"draw"`` adds one; ``"reshape"`` gives one another outline; ``"split"`` makes several of
        one; ``"merge"`` makes one of several; ``"examined"`` says whether the whole area was searched for what the
        model missed; ``"undo"`` and ``"redo"`` concern another edit.
    ids
        Features that it concerns.
    made
        Ids and outlines (GeoJSON geometries in the coordinates of the run's grid: columns and rows without a
        coordinate system) of the features that it makes or reshapes.
    judgement, reason, note
        Of ``"judge"``, ``"label"`` and, but for the first, of ``"delete"``: what is said of the features, why, and
        anything else; None keeps the reason or note that a feature has.
    view
        Of ``"begin"``: values of the post-processing.
    examined
        Of ``"examined"``.
    how
        Of ``"reshape"``: whether ground was added or cut away; else the outline was replaced.
    label
        Of ``"draw"`` in a review of labels: whether there is a landslide in the drawn unit.
    of
        Of ``"undo"`` and ``"redo"``: number of the other edit.
    """

    op: Operation
    ids: tuple[str, ...] = ()
    made: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    judgement: Judgement = "confirmed"
    reason: str | None = None
    note: str | None = None
    view: Mapping[str, Any] = field(default_factory=dict)
    examined: bool = True
    label: bool | None = None
    of: int = 0
    how: Literal["", "added", "cut"] = ""

    def __post_init__(self) -> None:
        for name in ("reason", "note"):  # as a line break at the end of a note
            if getattr(self, name):
                object.__setattr__(self, name, getattr(self, name).strip())
        if len(self.ids) > MOST_IDS:
            raise InputError(f"One edit can change at most {MOST_IDS:,} "
                             "features.", remedy="Split it into several edits.")
        if len(self.reason or "") > MOST_WORDS or len(self.note or "") > MOST_WORDS:
            raise InputError(f"A reason or note can have at most {MOST_WORDS:,} characters.", remedy="Shorten it.")

    def to_json(self) -> dict[str, Any]:
        """The edit as stored in the log, without default values."""
        plain = _adapter().dump_python(self, mode="json")
        kept = {name: value for name, value in plain.items() if value not in ((), [], {}, 0, None)}
        if self.op not in JUDGING:
            kept.pop("judgement", None)
        kept.pop("examined", None)
        kept.pop("label", None)
        if self.op == "examined":
            kept["examined"] = self.examined
        if self.label is not None:
            kept["label"] = self.label
        if not self.how:
            kept.pop("how")
        return kept

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Edit:
        """What `to_json` gave.

        Raises
        ------
        StorageError
            When it is no edit that this installation knows.
        """
        from pydantic import ValidationError

        try:
            return _adapter().validate_python(dict(content))
        except ValidationError as error:
            known = ", ".join(get_args(Operation))
            raise StorageError(
                "An edit of this review cannot be read.", f"This version supports: {known}.", "Update SlideLens."
            ) from error

    @property
    def words(self) -> str:
        """What it does, in a few words."""
        several = _some(self.ids)
        made = ", ".join(self.made)
        return {
            "begin": "Review started",
            "judge": f"{several} marked as {JUDGED[self.judgement]}",
            "label": f"{agree(len(self.ids), 'Label', 'Labels')} of {_some(self.ids, 'row')} marked as "
                     f"{LABELS_JUDGED[self.judgement]}",
            "delete": f"{several} deleted",
            "restore": f"{several} restored",
            "draw": f"{made} drawn{'' if self.label is None else f', {LABELS[self.label]}'}",
            "reshape": {
                "": f"Outline of {several} changed", "added": f"Ground added to {several}",
                "cut": f"Ground cut away from {several}",
            }[self.how],
            "split": f"{several} split into {made}",
            "merge": f"{_some([name for name in self.ids if name not in self.made])} merged into {made}",
            "examined":
                "Area confirmed as searched for missed landslides" if self.examined
                else "Area no longer confirmed as searched",
            "undo": f"No. {self.of} undone",
            "redo": f"No. {self.of} redone",
        }[self.op]


def _some(ids: Sequence[str], noun: str = "feature") -> str:
    return count(len(ids), noun) if len(ids) > 3 else ", ".join(ids)


JUDGED: Mapping[str, str] = {"confirmed": "correct", "rejected": "false alarm", "unreviewed": "not reviewed"}
"""Judgements in words."""

LABELS_JUDGED: Mapping[str, str] = {"confirmed": "correct", "rejected": "wrong", "unreviewed": "not reviewed"}
"""The same of labels."""

LABELS: Mapping[bool, str] = {True: "labelled as landslide", False: "labelled as no landslide"}
"""Labels of drawn units in words."""


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Edit]:
    from pydantic import TypeAdapter

    return TypeAdapter(Edit)
