"""Words of the map in the visitor's language: of its tools, layers, legends and what it says of polygons.

Layers keep their English names, under which a picture of the map and the browser's memory know them. The script of the
map is given a dictionary for what it shows; see ``static/words.js``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from ui.messages import ENGLISH, catalog, language, tr, tr_noop

TOOLS = (
    tr_noop("Layers"), tr_noop("Legend"), tr_noop("Full extent"), tr_noop("Opacity"), tr_noop("Opacity of {layer}"),
    tr_noop("Hidden by another layer"), tr_noop("(hidden)"), tr_noop("Zoom in"), tr_noop("Zoom out"), tr_noop("Close"),
    tr_noop("Save the map view as PNG"), tr_noop("Saving the map view"),
    tr_noop("The map view could not be saved."), tr_noop("Divider between {left} and {right}"),
    tr_noop("The street map cannot be reached. It needs a connection to the internet."),
    tr_noop("The whole image is visible, so there is no part to use. Zoom in first."),
    tr_noop("No part of the image is visible. Move the map to the image."),
    tr_noop("Two maps side by side"), tr_noop("Map 2"), tr_noop("Layer of map 2"), tr_noop("Map 1: {layer}"),
    tr_noop("Map 1: as in Layers"),
    tr_noop("Measure length and area"), tr_noop("Undo"), tr_noop("Clear"), tr_noop("Click points on the map."),
    tr_noop("These points are too far apart to measure on this map."), tr_noop("Length {length}"),
    tr_noop("Area {area}"),
    tr_noop("Go to a coordinate"), tr_noop("Coordinate"), tr_noop("Go"), tr_noop("Enter {example}."),
    tr_noop("Enter a coordinate."), tr_noop("Read as {how}."), tr_noop("No coordinate was recognised."),
    tr_noop("column and row"), tr_noop("latitude and longitude"), tr_noop("longitude and latitude"),
    tr_noop("x and y of {system}"), tr_noop("This location ({how}) is outside the map."),
    tr_noop("This location is outside the map."), tr_noop("Enter latitude and longitude instead."),
    tr_noop("{code} is not the coordinate system of this map, {system}."),
    tr_noop("{code} is not the coordinate system of this map."),
    tr_noop("column, row, e.g. {pair}"), tr_noop("latitude, longitude, e.g. {pair}"),
    tr_noop("x, y of {system}, e.g. {pair}"), tr_noop("{one}; or {other}"), tr_noop("Column {column}, row {row}"),
)  # fmt: skip
"""Texts of the scripts in ``static``, as they stand there."""

FULL_SCREEN = (tr_noop("Full Screen"), tr_noop("Exit Full Screen"))

DRAWING = (
    tr_noop("Draw a polygon"), tr_noop("Draw a rectangle"), tr_noop("Cancel drawing"), tr_noop("Cancel"),
    tr_noop("Finish drawing"), tr_noop("Finish"), tr_noop("Delete last point drawn"), tr_noop("Delete last point"),
    tr_noop("Click to start drawing shape."), tr_noop("Click to continue drawing shape."),
    tr_noop("Click first point to close this shape."), tr_noop("Click and drag to draw rectangle."),
    tr_noop("Release mouse to finish drawing."), tr_noop("<strong>Error:</strong> shape edges cannot cross!"),
    tr_noop("Click to start drawing line."), tr_noop("Click to continue drawing line."),
    tr_noop("Click last point to finish line."), tr_noop("Save changes"), tr_noop("Save"),
    tr_noop("Click cancel to undo changes."),
)  # fmt: skip
"""Texts of Leaflet.draw, as they stand in its ``L.drawLocal``."""

RENAMED = {
    "Cancel editing, discards all changes": tr_noop("Cancel editing and discard all changes"),
    "Clear all layers": tr_noop("Delete all shapes"),
    "Clear All": tr_noop("Delete all"),
    "Edit layers": tr_noop("Edit shapes"),
    "No layers to edit": tr_noop("No shapes to edit"),
    "Delete layers": tr_noop("Delete shapes"),
    "No layers to delete": tr_noop("No shapes to delete"),
    "Drag handles or markers to edit features.": tr_noop("Drag the handles to edit shapes."),
    "Click on a feature to remove.": tr_noop("Click a shape to delete it."),
}
"""What those texts of ``L.drawLocal`` become that speak of layers and features, which here are other things."""

LEGENDS = (
    tr_noop("Probability of landslide"), tr_noop("Spread of probability"), tr_noop("Grad-CAM: effect on the score"),
    tr_noop("Distance from the training images"), tr_noop("limit"), tr_noop("Effect on the score"),
    tr_noop("none"), tr_noop("highest"), tr_noop("lowered it"), tr_noop("raised it"), tr_noop("Reference check"),
    tr_noop("Correct"), tr_noop("False alarm"), tr_noop("Missed"), tr_noop("Slope (°)"),
    tr_noop("Aspect (downslope direction)"), tr_noop("Confidence"),
    tr_noop("Very low"), tr_noop("Low"), tr_noop("Moderate"), tr_noop("High"), tr_noop("Very high"),
)  # fmt: skip
"""Words of legends, as `core.plots.colours` has them."""

COMPOSED = (
    tr_noop("Index: {model}"), tr_noop("Classes: {model}"), tr_noop("Factor: {name}"), tr_noop("Contribution: {name}"),
    tr_noop("{first} minus {second}"), tr_noop("Detections of {name}"), tr_noop("Found by both ({number})"),
    tr_noop("Only {letter} ({number})"), tr_noop("class {name}"), tr_noop("{number} and more"),
    tr_noop("{name} ({number} to {number_2})"), tr_noop("confidence {number}"),
    tr_noop("{number} away"), tr_noop("towards {number}"), tr_noop("{number} down"), tr_noop("up {number}"),
    tr_noop("{number} west"), tr_noop("east {number}"), tr_noop("{number} upslope"), tr_noop("downslope {number}"),
    tr_noop("Shown in its own coordinate system, {name}: web maps end at 85° of latitude."),
)  # fmt: skip
"""Forms of names that hold what is not known beforehand; what they hold is translated as well, where it is known."""

_NUMBER = r"[-+−]?[\d.,]+"


def translated(texts: Iterable[str]) -> dict[str, str]:
    """Translations of texts into the visitor's language; those without one are left out."""
    chosen = language()
    if chosen == ENGLISH:
        return {}
    return {text: said for text in sorted(set(texts)) if (said := _said(chosen, text)) != text}


def script_words(*more: str) -> dict[str, str]:
    """Translations of what the scripts of the map say, and of further texts that stay with it."""
    renamed = {text: tr(ours) for text, ours in RENAMED.items()}
    return {**translated((*TOOLS, *DRAWING, *more)), **renamed}


@lru_cache(maxsize=8192)
def _said(code: str, text: str) -> str:
    known = catalog(code)
    if text in known:
        return known[text]
    for form, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found and form in known:
            return known[form].format(**{name: known.get(part, part) for name, part in found.groupdict().items()})
    return text


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    made = []
    for form in COMPOSED:
        pattern = re.sub(
            r"\\\{(\w+)\\\}",
            lambda found: f"(?P<{found[1]}>{_NUMBER if found[1].startswith('number') else '.+'})",
            re.escape(form),
        )
        made.append((form, re.compile(pattern)))
    return tuple(made)
