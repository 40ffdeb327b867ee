"""The map of reviewed labels in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.figures.cartography import coordinate_system
from core.figures.units import Units, draw_units
from core.plots.colours import NO_LANDSLIDE, NOT_KNOWN, OUTLINE_CHANGED, REFERENCE
from core.report.parts import Pictures
from core.report.pictures import picture
from core.review.label_places import for_map, places_of
from core.review.labels import COLOURS, JUDGED, STATUSES
from core.wording import agree, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.review.labels import OpenedLabels
    from core.review.state import Feature

SLIDE, NO_SLIDE, UNKNOWN, DELETED = "Labelled: landslide", "Labelled: no landslide", "Label not known", "Deleted"

GROUPS = {
    NO_SLIDE: NO_LANDSLIDE, SLIDE: REFERENCE, UNKNOWN: NOT_KNOWN,
    **{STATUSES[name].capitalize(): COLOURS[name] for name in JUDGED},
}  # fmt: skip
"""Rows that look the same by their colour, the upper last: what was said of a label, or else what the label says."""


def label_map(opened: OpenedLabels, named: Sequence[str]) -> Pictures | None:
    """The rows in the colours of their labels, over them what was said of labels and which outlines were changed.

    Parameters
    ----------
    named
        Ids of the rows whose name is written beside them, the most important first.

    Returns
    -------
    None where no row has a place.
    """
    import geopandas

    originals = for_map(opened.labelled.places)
    if originals is None:
        return None
    rows = [*opened.review.features.values(), *opened.review.deleted.values()]
    drawn = geopandas.GeoDataFrame(
        {"id": [one.id for one in rows], "group": [_group(opened, one) for one in rows],
         "is_changed": [one.origin != "model" for one in rows]},
        geometry=places_of(opened, rows, originals[0]), crs=originals[0].crs,
    )  # fmt: skip
    drawn = drawn[~(drawn.geometry.isna() | drawn.geometry.is_empty)].set_index("id", drop=False)
    found = for_map(drawn.geometry)
    if found is None:
        return None
    places, group = drawn.geometry.to_numpy(), drawn["group"].to_numpy()
    changed = drawn["is_changed"].to_numpy() & (group != DELETED)
    groups = [
        *(Units(name, places[group == name], colour) for name, colour in GROUPS.items()),
        Units("Outline changed or drawn", places[changed], OUTLINE_CHANGED, over=True),
        Units(DELETED, places[group == DELETED], NOT_KNOWN, over=True),
    ]
    shown = drawn.loc[[name for name in named if name in drawn.index]]
    left = len(rows) - len(drawn)
    texts = (
        f"The {opened.noun}s after the review. Coordinates: {coordinate_system(found[1])}.",
        f"Named: the {opened.noun}s that are listed below." if len(shown) else "",
        f"{count(left, opened.noun)} without a place {agree(left, 'is', 'are')} not on the map." if left else "",
    )
    alt = f"Map of the {opened.noun}s in the colours of their labels, with what reviewers said of them."
    caption = " ".join(text for text in texts if text)
    return Pictures((picture(draw_units(found[1], groups, shown), alt, caption),))


def _group(opened: OpenedLabels, one: Feature) -> str:
    """Which of the groups a row is drawn with."""
    if one.id in opened.review.deleted:
        return DELETED
    if one.status in JUDGED:
        return STATUSES[one.status].capitalize()
    return {True: SLIDE, False: NO_SLIDE, None: UNKNOWN}[one.label]
