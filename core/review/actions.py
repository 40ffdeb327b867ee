"""Actions of a reviewer as edits: outlines are calculated once and stored in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.review.edits import Edit
from core.review.geometry import cut, drawn_id, next_free, parts_of, split, to_geojson, united

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from core.raster.grid import Grid
    from core.review.state import Feature, Review


def draw(
    review: Review, outline: BaseGeometry, grid: Grid, note: str | None = None, *, apart: bool = False
) -> Edit:
    """Add a feature that the model missed.

    Parameters
    ----------
    apart
        Whether each separate part of the outline is a feature of its own.
    """
    made: dict[str, dict[str, Any]] = {}
    for part in parts_of(outline) if apart else [outline]:
        made[drawn_id(part, grid, [*_taken(review), *made])] = to_geojson(part)
    return Edit("draw", made=made, note=note)


def reshape(review: Review, identity: str, outline: BaseGeometry) -> Edit:
    """Give a feature another outline.

    Raises
    ------
    InputError
        When there is no such feature; so of the others.
    """
    _one(review, identity)
    return Edit("reshape", (identity,), {identity: to_geojson(outline)})


def add_to(review: Review, identity: str, outline: BaseGeometry, noun: str = "landslide") -> Edit:
    """Add ground to a feature."""
    own = _one(review, identity).outline
    _check_near([own, outline], noun)
    return replace(reshape(review, identity, united([own, outline])), how="added")


def cut_from(review: Review, identity: str, outline: BaseGeometry) -> Edit:
    """Take ground from a feature."""
    return replace(reshape(review, identity, cut(_one(review, identity).outline, outline)), how="cut")


def split_off(review: Review, identity: str, outline: BaseGeometry) -> Edit:
    """Make several features of one: what lies inside an outline and what does not, each connected piece its own."""
    parts, taken, made = split(_one(review, identity).outline, outline), _taken(review), {}
    if len(parts) > len(ascii_lowercase):
        raise InputError(
            f"This would divide {identity} into {len(parts)} pieces.", remedy="Draw a simpler shape.",
        )  # fmt: skip
    for letter, part in zip(ascii_lowercase, parts, strict=False):
        made[next_free(f"{identity}{letter}", taken)] = to_geojson(part)
    return Edit("split", (identity,), made)


def merge(review: Review, identities: Sequence[str], noun: str = "landslide") -> Edit:
    """Make one feature of several; it is called after the largest.

    Parameters
    ----------
    noun
        What a feature is, for what is refused.

    Raises
    ------
    InputError
        When there are fewer than two, or one of them is not there.
    """
    if len(set(identities)) < 2:
        raise InputError("A merge needs two or more features.", remedy="Select several.")
    features = [_one(review, identity) for identity in dict.fromkeys(identities)]
    _check_near([one.outline for one in features], noun)
    largest = max(features, key=lambda one: one.outline.area)
    ids = tuple(one.id for one in features)
    return Edit("merge", ids, {largest.id: to_geojson(united([one.outline for one in features]))})


def nearest(review: Review, identity: str) -> str:
    """The feature nearest to one, where both are near enough to be merged; empty where there is none.

    Raises
    ------
    InputError
        When there is no such feature.
    """
    import shapely

    one = _one(review, identity)
    others = [other for other in review.features.values() if other.id != identity and other.is_polygon]
    if not others:
        return ""
    (at, *_), (apart, *_) = shapely.STRtree([other.outline for other in others]).query_nearest(
        one.outline, return_distance=True
    )
    other = others[at]
    return other.id if apart <= _longest([one.outline, other.outline]) else ""


def _longest(outlines: Sequence[BaseGeometry]) -> float:
    """Longer side of the largest extent of outlines."""
    return max(max(right - left, top - bottom) for left, bottom, right, top in (one.bounds for one in outlines))


def are_near(outlines: Sequence[BaseGeometry]) -> bool:
    """Whether each of several outlines is no farther from the others than the longest of them is long."""
    longest = _longest(outlines)
    return all(min(one.distance(other) for other in outlines if other is not one) <= longest for one in outlines)


def _check_near(outlines: Sequence[BaseGeometry], noun: str) -> None:
    if not are_near(outlines):
        raise InputError(
            f"These outlines are too far apart to be one {noun}.",
            f"The distance between them exceeds the length of the {'longer' if len(outlines) == 2 else 'longest'}.",
            f"Keep them as separate {noun}s.",
        )


def _one(review: Review, identity: str) -> Feature:
    found = review.features.get(identity)
    if found is None:
        raise InputError(f"There is no {identity} in this review.", remedy="Choose another feature.")
    if not found.is_polygon:
        raise InputError(f"{identity} has no outline.", remedy="Choose another unit.")
    return found


def _taken(review: Review) -> list[str]:
    return [*review.features, *review.deleted]
