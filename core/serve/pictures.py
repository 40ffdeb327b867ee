"""Pictures of a map as it is seen: what a page shows on it, in the view and with the opacities that its map tells.

The address of a picture holds the id of what the page gave the map (see `core.serve.shown`), and numbers.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.serve.background import Deadline
from core.serve.placing import MERCATOR, View, map_of, mercator_y
from core.serve.shown import ShownMap

if TYPE_CHECKING:
    from core.figures.seen import Drawn
    from core.plots.colours import Legend
    from core.raster.grid import Grid
    from core.runs.store import Store

MOST_PIXELS = 6_000_000
SIDES = range(64, 3001)
"""Pixels of a side of a map."""

SECONDS = 15.0
"""Most seconds in which the layers of a picture are painted."""

STRIP = 256
"""Rows of a picture that are painted at once."""

AREA = {"colour": "#ffffff", "weight": 3.0, "fill": 0.05, "dashed": True, "seam": False, "selectable": False}
"""How the drawn area looks."""

_SHOWN = re.compile(r"([tv])([0-9]{1,2}):(0|1|0?\.[0-9]{1,4}|1\.0)")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?(e-?[0-9]{1,2})?")


@dataclass(frozen=True)
class Asked:
    """What a map asks for.

    Attributes
    ----------
    view
        What it shows.
    scale
        Pixels of the picture for one of the page.
    rasters, outlines
        Opacity of those that are seen by their place in the map's, and the places of those.
    divider
        Share of the width at which the divider stands.
    """

    view: View
    scale: int
    rasters: Mapping[int, float] = field(default_factory=dict)
    outlines: frozenset[int] = frozenset()
    divider: float = 0.5


def asked_for(query: Mapping[str, str], shown: ShownMap) -> Asked:
    """Read what a map asks for.

    Raises
    ------
    InputError
        When a part is missing or no number, or the picture would be too large.
    """
    left, bottom, right, top = (_number(query, name) for name in ("left", "bottom", "right", "top"))
    width, height, scale = (_whole(query, name) for name in ("width", "height", "scale"))
    globe = map_of(shown.grid) == "globe"
    reach = 4 * MERCATOR if globe else 1e12
    if not (left < right and bottom < top and max(map(abs, (left, bottom, right, top))) <= reach):
        raise InputError("The map view is empty or lies outside the world.")
    if width not in SIDES or height not in SIDES or scale not in (1, 2) or width * height * scale**2 > MOST_PIXELS:
        raise InputError(f"A map image must have {SIDES.start} to {SIDES.stop - 1} pixels on each side, and at most "
                         "6 million in total.")
    rasters, outlines = {}, set()
    for part in filter(None, query.get("layers", "").split(",")):
        named = _SHOWN.fullmatch(part)
        if named is None or int(named[2]) >= len(shown.rasters if named[1] == "t" else shown.outlines):
            raise InputError("The layers do not belong to the map.")
        if named[1] == "t":
            rasters[int(named[2])] = float(named[3])
        else:
            outlines.add(int(named[2]))
    divider = _number(query, "swipe") if "swipe" in query else 0.5
    view = View(left, bottom, right, top, width * scale, height * scale, globe)
    return Asked(view, scale, rasters, frozenset(outlines), min(1.0, max(0.0, divider)))


def _number(query: Mapping[str, str], name: str) -> float:
    text = query.get(name, "")
    if not _NUMBER.fullmatch(text):
        raise InputError(f"The {name} of the map image is not a number.")
    return float(text)


def _whole(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    if not re.fullmatch("[0-9]{1,5}", text):
        raise InputError(f"The {name} of the map image is not a whole number.")
    return int(text)


def picture(shown: ShownMap, asked: Asked, store: Store) -> bytes:
    """PNG of a map with title, legend, scale, north and credits.

    Raises
    ------
    LandslideError
        When a layer cannot be shown.
    Unfinished
        When one is not ready in time.
    """
    from core.figures.cartography import coordinate_system
    from core.figures.seen import SeenMap, seen_map

    used = [(place, one) for place, one in enumerate(shown.rasters) if place in asked.rasters]
    image = _image(shown, asked, store)
    outlines = [json.loads(text) for place, text in enumerate(shown.outlines) if place in asked.outlines]
    words = [*(one.legend for _, one in used), *(_legend(one["legend"]) for one in outlines)]
    legends = _joined([one for one in reversed(words) if one is not None])
    drawn = [_drawn(one, asked.view, shown.selected) for one in outlines]
    if shown.drawn is not None:
        drawn.append(_drawn({**AREA, "features": {"features": [{"geometry": shown.drawn}]}}, asked.view, ()))
    note = "Without the online street map." if any(one.layer is None for _, one in used) else ""
    grid = _grid(shown.grid, asked.view)
    seen = SeenMap(
        image, grid, tuple(drawn), tuple(legends), shown.title, shown.about,
        tuple(filter(None, (*shown.credits, note))), asked.scale,
        divider=asked.divider if any(one.side for one in shown.rasters) else None,
        sides=tuple(one.name for one in shown.rasters if one.side),
        system=coordinate_system(shown.grid) if shown.grid.crs is None else "",
    )  # fmt: skip
    buffer = io.BytesIO()
    seen_map(seen).savefig(buffer, format="png")
    return buffer.getvalue()


def _image(shown: ShownMap, asked: Asked, store: Store) -> NDArray[np.uint8]:
    """The rasters of a map over each other (height, width, 3)."""
    from core.figures.seen import GROUND

    view, deadline = asked.view, Deadline(SECONDS)
    image = np.empty((view.height, view.width, 3), np.float32)
    image[...] = GROUND
    edge = round(asked.divider * view.width)
    for place, raster in enumerate(shown.rasters):
        opacity = asked.rasters.get(place, 0.0)
        if not opacity or raster.layer is None:
            continue
        _, paint = raster.layer.painter(store, deadline)
        across = {"left": slice(0, edge), "right": slice(edge, None)}.get(raster.side, slice(None))
        for rows, strip in _strips(view):
            painted = paint(strip, deadline)
            if painted is None:
                continue
            below, above = image[rows, across], painted[:, across].astype(np.float32)
            share = above[..., 3:] * (opacity / 255.0)
            below += share * (above[..., :3] - below)
    return np.rint(image).astype(np.uint8)


def _strips(view: View) -> Iterator[tuple[slice, View]]:
    step = (view.top - view.bottom) / view.height
    for row in range(0, view.height, STRIP):
        height = min(STRIP, view.height - row)
        top = view.top - row * step
        yield slice(row, row + height), replace(view, top=top, bottom=top - height * step, height=height)


def _grid(grid: Grid, view: View) -> Grid:
    """The grid of a picture's pixels."""
    from rasterio.crs import CRS

    from core.raster.grid import Grid

    # A pixel of the picture is so many of the image's pixels wide.
    size = grid.pixel_size and grid.pixel_size * abs(view.transform.a)
    return Grid(view.width, view.height, view.transform, CRS.from_epsg(3857) if view.globe else grid.crs, size)


def _legend(words: Mapping[str, Any]) -> Legend:
    from core.plots.colours import Legend, LegendEntry

    entries = tuple(LegendEntry(entry["colour"], entry["label"], entry["drawn"]) for entry in words["entries"])
    return Legend(words["title"], entries, words["kind"])


def _joined(legends: list[Legend]) -> list[Legend]:
    """Legends of classes that follow each other under one title as one."""
    joined: list[Legend] = []
    for one in legends:
        before = joined[-1] if joined else None
        if before and one.title and (before.title, before.kind, one.kind) == (one.title, "classes", "classes"):
            joined[-1] = replace(before, entries=before.entries + one.entries)
        else:
            joined.append(one)
    return joined


def _drawn(outlines: Mapping[str, Any], view: View, selected: Collection[str | int]) -> Drawn:
    from core.figures.seen import Drawn

    place = ~view.transform

    def corners(ring: Any) -> NDArray[np.float64]:  # noqa: ANN401 - GeoJSON
        points = np.asarray([point[:2] for point in ring], np.float64)
        x, y = points.T
        if view.globe:
            x, y = x / 180.0 * MERCATOR, np.array([mercator_y(latitude) for latitude in y])
        return np.column_stack([place.a * x + place.c, place.e * y + place.f])

    shapes, colours, chosen = [], [], []
    for feature in outlines["features"]["features"]:
        geometry, told = feature["geometry"], feature.get("properties") or {}
        if geometry is None or geometry["type"] not in ("Polygon", "MultiPolygon"):
            continue
        several = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        shapes.append([corners(ring) for rings in several for ring in rings])
        colours.append(told.get("colour") or outlines["colour"])
        chosen.append(bool(outlines["selectable"]) and outlines.get("marked", True) and told.get("id") in selected)
    how = {name: outlines[name] for name in ("weight", "fill", "dashed", "seam")}
    return Drawn(shapes, colours, chosen, **how)
