"""What can lie on a map: tiles of a scene or a run, outlines, and what the legend says of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from core.plots.colours import FOUND, REFERENCE, Legend, LegendEntry, aspect_legend, legend, slope_legend
from ui.looks import look_of
from ui.messages import tr_noop
from ui.resources import base_path

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.runs.records import DatasetRecord, SceneRecord

OUTCOME = tr_noop("Correct, false alarm, missed")
"""Name of the layers that show what is found beside a reference; one switch, in every task."""

RUN_LAYERS: Mapping[str, str] = {
    "probability": tr_noop("Probability"),
    "mask": tr_noop("Found landslides (area)"),
    "uncertainty": tr_noop("Uncertainty"),
    "truth": tr_noop("Reference (area)"),
    "outcome": OUTCOME,
    "training_distance": tr_noop("Unlike training images"),
    "cam": tr_noop("Grad-CAM"),
    "attribution": tr_noop("Explanation"),
}
"""Names of a run's layers for people; the map shows their translations, see `ui.map_words`."""


_WORD = re.compile(r"[^\W\d_]{3}")


@dataclass(frozen=True)
class Tiles:
    """A raster layer.

    Parameters
    ----------
    id
        Name that stays while the address changes: opacity and tick belong to it.
    name
        Words in the list of layers.
    url
        Address of its tiles with ``{z}``, ``{x}`` and ``{y}``.
    opacity, visible
        How it is shown until the visitor chooses otherwise.
    legend
        What its colours mean; None for an image.
    under
        Id of the opaque layer that it lies under: when it is ticked, that one is made clear enough to see it.
    redrawn
        Whether it is painted anew at every zoom, as points are; else tiles are enlarged beyond the raster's own pixels.
    switch
        Name of the switch that it shares with other layers; it has one of its own, of its name, when empty.
    hides
        Ids of the layers whose place it takes while it is shown.
    """

    id: str
    name: str
    url: str
    opacity: float = 1.0
    visible: bool = True
    legend: Legend | None = None
    kind: str = "tiles"
    attribution: str = ""
    under: str = ""
    redrawn: bool = False
    switch: str = ""
    hides: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """What the map says of it."""
        return (self.name, self.switch, *_texts(self.legend))

    def to_script(self) -> dict[str, Any]:
        """Content for the map's script."""
        return asdict(self)


@dataclass(frozen=True)
class Outlines:
    """Polygons with facts to read when pointing at them.

    Parameters
    ----------
    id, name
        As of `Tiles`.
    features
        GeoJSON in the map's coordinates, see `core.serve.coordinates.features`.
    colour
        Colour of the lines.
    selectable
        Whether a click selects a polygon.
    dashed
        Whether the lines are dashed, to tell them apart without colour.
    left_out
        How many polygons the map does not hold because they are too many.
    legend
        What the colours mean where each polygon has its own; else the layer's colour and name say it.
    fill
        Opacity of the insides.
    weight
        Width of the lines in pixels.
    seam
        Whether the lines have a bright seam, to be seen on ground of any colour.
    most
        How many are drawn at once: the first of those in view. All when None.
    switch, hides
        As of `Tiles`.
    marked
        Whether what is selected is marked in the look of this layer; not where another layer has the same shapes.
    """

    id: str
    name: str
    features: Mapping[str, Any]
    colour: str
    selectable: bool = False
    dashed: bool = False
    visible: bool = True
    left_out: int = 0
    legend: Legend | None = None
    fill: float = 0.04
    weight: float = 1.6
    seam: bool = False
    most: int | None = None
    switch: str = ""
    hides: tuple[str, ...] = ()
    marked: bool = True

    @cached_property
    def script(self) -> str:
        """Content for the map's script, as JSON; written once, as hundreds of polygons take their time."""
        return script_json(self.to_script())

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """What the map says of it and of its polygons, numbers left out."""
        rows = (row for one in self.features["features"] for row in one["properties"].get("facts") or ())
        facts = {text for row in rows for text in row if _WORD.search(text)}
        return (self.name, self.switch, *_texts(self.words), *facts)

    @property
    def words(self) -> Legend:
        """What the colours mean."""
        kind: Literal["dashed", "line"] = "dashed" if self.dashed else "line"
        return self.legend or Legend("", (LegendEntry(self.colour, self.name, kind),))

    def to_script(self) -> dict[str, Any]:
        """Content for the map's script."""
        drawn = (
            "colour", "selectable", "dashed", "visible", "fill", "weight", "seam", "most", "switch", "hides", "marked",
        )  # fmt: skip
        names = ("id", "name", "features", *drawn)
        return {name: getattr(self, name) for name in names} | {"legend": asdict(self.words)}


def _texts(legend: Legend | None) -> tuple[str, ...]:
    return () if legend is None else (legend.title, *(entry.label for entry in legend.entries))


def script_json(content: Mapping[str, Any]) -> str:
    """JSON that can stand in a script: no text in it can end the script."""
    return json.dumps(content, ensure_ascii=True).replace("<", "\\u003c").replace(">", "\\u003e")


def scene_tiles(
    scene_id: str,
    name: str = tr_noop("Image"),
    *,
    bands: Sequence[int] | None = None,
    layer_id: str = "scene",
    version: str = "",
) -> Tiles:
    """Show a scene's image.

    Parameters
    ----------
    scene_id
        Id in the store.
    name
        Words in the list of layers.
    bands
        Bands for red, green and blue, or one for grey, from 1; None lets the server find natural colours. What the
        visitor chose for the display of this scene comes first, see `ui.looks`.
    layer_id
        Other than ``"scene"`` when a second scene is shown.
    version
        Digest of what is shown: browsers keep tiles by their address, and a file used in place may be replaced.
    """
    kept = look_of(version)
    bands = kept.bands or bands
    asked = {} if bands is None else {"bands": ",".join(str(band) for band in bands)}
    asked |= kept.look | ({"v": version[:12]} if version else {})
    query = urlencode(asked, safe=",")
    address = f"{base_path()}/tiles/scene/{scene_id}/{{z}}/{{x}}/{{y}}.png"
    return Tiles(layer_id, name, f"{address}?{query}" if query else address, legend=kept.legend)


def run_tiles(
    run_id: str,
    layer: str,
    *,
    threshold: float | None = None,
    name: str = "",
    opacity: float = 0.75,
    visible: bool = True,
    key: Legend | None = None,
    hides: tuple[str, ...] = (),
) -> Tiles:
    """Show a layer of a run.

    Parameters
    ----------
    run_id
        Id in the store.
    layer
        One of `RUN_LAYERS`, or another that the run's task can paint.
    threshold
        Probability in [0, 1] from which on a pixel is landslide; for ``mask`` and ``outcome``.
    name
        Words in the list of layers; those of `RUN_LAYERS` when empty.
    opacity, visible
        How it is shown at first.
    key
        What its colours mean; by default what they mean for layers of this name.
    hides
        Ids of the layers whose place it takes while it is shown.
    """
    query = "" if threshold is None else "?" + urlencode({"threshold": f"{threshold:.4g}"})
    url = f"{base_path()}/tiles/run/{run_id}/{layer}/{{z}}/{{x}}/{{y}}.png{query}"
    return Tiles(layer, name or RUN_LAYERS[layer], url, opacity, visible, key or legend(layer), hides=hides)


def hillshade_tiles(record: SceneRecord) -> tuple[Tiles, ...]:
    """Show the elevation model of a scene in light and shade, below its image; nothing for a scene without one.

    Nor where the map could not place it: without a coordinate system, or, on a map in the scene's own, in another.
    """
    dem = _elevations(record)
    if dem is None:
        return ()
    url = terrain_url("hillshade", dem)
    return (Tiles("hillshade", tr_noop("Hillshade (below the image)"), url, visible=False, under="scene"),)


def terrain_tiles(record: SceneRecord) -> tuple[Tiles, ...]:
    """Show slope and aspect of a scene's elevation model, above its image; nothing where there is no hillshade."""
    dem = _elevations(record)
    return () if dem is None else slope_and_aspect(dem)


def slope_and_aspect(dem: DatasetRecord, band: int | None = None) -> tuple[Tiles, ...]:
    """Show slope and aspect of an elevation model, of its only band or of the one that is named."""
    return (
        Tiles("aspect", tr_noop("Aspect"), terrain_url("aspect", dem, band), 0.8, False, aspect_legend()),
        Tiles("slope", tr_noop("Slope"), terrain_url("slope", dem, band), 0.8, False, slope_legend()),
    )


def terrain_url(kind: str, dem: DatasetRecord, band: int | None = None) -> str:
    """Address of the tiles of an elevation model in light and shade, its slope or its aspect."""
    # Browsers keep tiles by their address, and a file used in place may be replaced.
    asked = {"v": f"{dem.path.stat().st_mtime_ns:x}"} | ({} if band is None else {"bands": str(band)})
    return f"{base_path()}/tiles/{kind}/{dem.id}/{{z}}/{{x}}/{{y}}.png?{urlencode(asked)}"


def _elevations(record: SceneRecord) -> DatasetRecord | None:
    """The elevation model of a scene where its map can place it."""
    from core.serve.cuts import stored
    from core.serve.placing import map_of

    dem, grid = record.companions.get("dem"), record.scene.grid
    if dem is None or not dem.path.is_file():
        return None
    ground, kind = stored(dem.path).scene.grid, map_of(grid)
    beside = map_of(ground) != kind or (kind == "plane" and ground.crs != grid.crs)
    return None if kind == "pixels" or beside else dem


def street_map() -> Tiles:
    """Give OpenStreetMap as an online background: only loaded when the visitor ticks it."""
    return Tiles(
        "street-map",
        tr_noop("Street map (online)"),
        "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
        visible=False,
        kind="basemap",
        attribution='&copy; <a href="https://www.openstreetmap.org/copyright">OpenStreetMap</a> contributors',
    )


def found_outlines(
    polygons: GeoDataFrame, facts: Mapping[str, Sequence[str]], name: str = tr_noop("Found landslides (outlines)")
) -> Outlines:
    """Show found landslides, which a click selects.

    Parameters
    ----------
    polygons
        As of `core.raster.vectorize.polygons`; the largest are drawn when there are very many, so sort by
        area.
    facts
        Title to one text a polygon.
    name
        Words in the list of layers.
    """
    from core.serve.coordinates import features

    collection, left_out = features(polygons, facts)
    return Outlines("found", name, collection, FOUND, selectable=True, left_out=left_out)


def reference_outlines(
    polygons: GeoDataFrame, facts: Mapping[str, Sequence[str]], name: str = tr_noop("Reference (outlines)")
) -> Outlines:
    """Show the landslides of a reference inventory, with a column ``id``."""
    from core.serve.coordinates import features

    collection, left_out = features(polygons, facts)
    return Outlines("reference", name, collection, REFERENCE, dashed=True, left_out=left_out)
