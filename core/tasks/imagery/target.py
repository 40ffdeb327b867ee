"""What can be asked about in a run on an image: a pixel, an outline, or a box."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True)
class AskedPixel:
    """A pixel of a run.

    Attributes
    ----------
    row, column
        Of the run's grid.
    """

    row: int
    column: int


@dataclass(frozen=True)
class AskedOutline:
    """An outline in a run.

    Attributes
    ----------
    outline
        GeoJSON geometry in the run's coordinates: columns and rows without a coordinate system.
    landslide
        Its id, or in old runs its number when it was asked about; None when that is not known.
    """

    outline: Mapping[str, Any]
    landslide: str | int | None = None

    @classmethod
    def of(cls, geometry: BaseGeometry, landslide: str | None = None) -> AskedOutline:
        """Ask about a geometry, as it is once it was stored."""
        import shapely

        return cls(json.loads(json.dumps(shapely.geometry.mapping(geometry))), landslide)


@dataclass(frozen=True)
class BoxTarget:
    """A box of a run.

    Attributes
    ----------
    box
        Left, top, right, bottom in pixels of the run's grid.
    score
        Confidence that the run gave it.
    number
        Its id, or in old runs its number when it was asked about; None when that is not known.
    """

    box: Box
    score: float
    number: str | int | None = None

    @property
    def middle(self) -> tuple[int, int]:
        """Row and column of its middle."""
        left, top, right, bottom = self.box
        return int((top + bottom) / 2), int((left + right) / 2)

    def to_json(self) -> dict[str, Any]:
        """As it stands in parameters and records, under ``"target"``."""
        return {"box": list(self.box), "score": self.score, "number": self.number}

    @classmethod
    def from_json(cls, target: Mapping[str, Any]) -> BoxTarget:
        """What `to_json` gave."""
        left, top, right, bottom = (float(side) for side in target["box"])
        return cls((left, top, right, bottom), float(target["score"]), target["number"])


Target = AskedPixel | AskedOutline | BoxTarget


def unnumbered(target: Target) -> Target:
    """A target without its id or the number that it had: the place alone says what is asked."""
    if isinstance(target, AskedOutline):
        return replace(target, landslide=None)
    return replace(target, number=None) if isinstance(target, BoxTarget) else target


def told_target(target: Target) -> dict[str, Any]:
    """A target in brief: of an outline its id and bounds, for its geometry may be long."""
    if not isinstance(target, AskedOutline):
        return asdict(target)
    import shapely

    bounds = shapely.geometry.shape(dict(target.outline)).bounds
    return {"landslide": target.landslide, "bounds": list(bounds)}
