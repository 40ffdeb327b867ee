"""What pages show on their maps, kept for a while so that a picture of it can be asked for.

A map in the browser knows its view, opacities and ticks; the layers themselves, their order and their legends are those
that the page gave it last.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.serve.layers import Layer, Unknown

if TYPE_CHECKING:
    from core.plots.colours import Legend
    from core.raster.grid import Grid

KEPT, KEPT_LETTERS = 200, 64_000_000
"""Maps that are remembered, of all pages, and letters of their outlines in all; the longest unused goes first."""


@dataclass(frozen=True)
class Raster:
    """A raster of a map.

    Attributes
    ----------
    id, name
        As the list of layers has them.
    layer
        What is painted; None for an online map, which the server does not fetch.
    legend
        What its colours mean.
    side
        Side of the divider on which it is seen; empty where there is none.
    """

    id: str
    name: str
    layer: Layer | None
    legend: Legend | None = None
    side: str = ""


@dataclass(frozen=True)
class ShownMap:
    """What a page shows on a map.

    Attributes
    ----------
    grid
        Of the scene.
    rasters
        From bottom to top.
    outlines
        As the map's script is given them, from bottom to top: JSON of `ui.map_layers.Outlines.to_script`, its features
        GeoJSON in the coordinates of the map.
    drawn
        GeoJSON of the drawn area on the map, where there is one.
    title, about, credits
        What stands above and below the picture, and what it is called.
    selected
        Ids of the outlines that are highlighted.
    """

    grid: Grid
    rasters: tuple[Raster, ...]
    outlines: tuple[str, ...]
    drawn: Mapping[str, Any] | None = None
    title: str = ""
    about: str = ""
    credits: tuple[str, ...] = ()
    selected: tuple[str | int, ...] = ()


_LOCK = threading.Lock()
_MAPS: dict[str, ShownMap] = {}


def remember(shown: ShownMap, text: str) -> str:
    """Keep what a page shows, and give the id under which a picture of it can be asked for.

    Parameters
    ----------
    text
        What the browser is told beside the outlines; it holds the random ids of what is shown, so that only who may see
        that can know the id.
    """
    told = hashlib.sha256(f"{shown.grid.digest_text()}\n{text}\n{shown.title}\n{shown.about}\n{shown.credits}".encode())
    for outlines in shown.outlines:
        told.update(outlines.encode())
    identity = told.hexdigest()[:32]
    with _LOCK:
        _MAPS.pop(identity, None)
        _MAPS[identity] = shown
        letters = sum(len(one) for other in _MAPS.values() for one in other.outlines)
        while len(_MAPS) > KEPT or (letters > KEPT_LETTERS and len(_MAPS) > 1):
            letters -= sum(map(len, _MAPS.pop(next(iter(_MAPS))).outlines))
    return identity


def known(identity: str) -> ShownMap:
    """What a page showed.

    Raises
    ------
    Unknown
        When it is not remembered any more.
    """
    with _LOCK:
        shown = _MAPS.get(identity)
    if shown is None:
        raise Unknown("This map is no longer available on the server. Reload the page.")
    return shown
