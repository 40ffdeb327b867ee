"""Reviews whose outlines are edited on a map, and what a shape that is drawn there can become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ui.map_drawing import drawn_on
from ui.maps import told_by
from ui.task.editing import Edited

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from core.review.edits import Edit
    from core.review.state import Review
    from ui.maps import MapSpec


@dataclass(frozen=True)
class Use:
    """A use of a drawn shape.

    Attributes
    ----------
    name
        Part of the key of its button.
    label
        Of its button.
    about
        What becomes of the shape.
    make
        Makes the edit of a review and the shape in the coordinates of its outlines.
    why_not
        Why the shape cannot be used so; empty where it can.
    """

    name: str
    label: str
    about: str
    make: Callable[[Review, BaseGeometry], Edit]
    why_not: str = ""


class Drawn(Edited):
    """A review on a page whose outlines are edited on a map.

    Attributes
    ----------
    spec, map_key
        The map.
    """

    spec: MapSpec
    map_key: str

    counts_ground = True
    """Whether ground in several outlines is counted twice."""

    @property
    def drawn(self) -> dict[str, Any] | None:
        """What is drawn on the map."""
        return drawn_on(self.spec, key=self.map_key)

    def follow_map(self) -> None:
        """Let a click on the map choose that came together with the press of a button, before it is acted upon."""
        self.selection.follow_map(told_by(self.spec, key=self.map_key))

    def uses_of_new(self, parts: int) -> list[Use]:
        """What was drawn anew can become by itself: each of its separate parts."""
        raise NotImplementedError

    def about_cut(self) -> str:
        """What becomes of ground that is cut out of an outline."""
        raise NotImplementedError

    def about_overlap(self, *, new: bool) -> str:
        """What follows where a drawn shape covers other outlines: one that is new, or is to replace another."""
        raise NotImplementedError
