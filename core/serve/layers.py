"""What a map can be made of: the image of a scene, the ground below it, a raster of a run; each by its address.

Addresses hold ids, names and numbers, which are all checked here. Nothing heavy is imported before a layer is painted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar, cast
from urllib.parse import parse_qs, urlsplit

from core.errors import InputError
from core.plots.painting import Painting
from core.runs.kinds import tasks
from core.serve.access import Resource

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

    from core.plots.layers import DotLayer, TileLayer
    from core.raster.grid import Grid
    from core.runs.store import Store
    from core.serve.background import Deadline
    from core.serve.placing import View

    Painter = Callable[[View, Deadline], NDArray[uint8] | None]

T = TypeVar("T")

LayerKind = Literal["scene", "hillshade", "slope", "aspect", "run"]

LOOKS = ("stretch", "range", "gamma", "colours")
"""What an address may say of the look of a scene."""

MOST_BREAKS = 9
"""Breaks of classes in an address."""

_ID = re.compile(r"[0-9a-f]{32}")
_BAND = re.compile(r"[1-9][0-9]{0,2}")
_BANDS = re.compile(r"[1-9][0-9]{0,3}(,[1-9][0-9]{0,3}){0,2}")
_ADDRESS = re.compile(r"/tiles/(?:(scene|hillshade|slope|aspect)/([^/]*)|run/([^/]*)/([^/]*))/\{z\}/\{x\}/\{y\}\.png")


class Unknown(Exception):
    """What an address names does not exist."""


@dataclass(frozen=True)
class Layer:
    """A raster as a map shows it.

    Attributes
    ----------
    kind, id
        What it is of, and the id of the dataset or run.
    name
        Name of the layer of a run.
    bands
        Bands of a scene for red, green and blue, or one for grey; None for natural colours. Of an elevation model the
        band of elevations; None where it has only one.
    painting
        What is chosen of how a layer of a run is painted.
    look
        Its query of how the values of a scene become colours; see `core.serve.looks`.
    """

    kind: LayerKind
    id: str
    name: str = ""
    bands: tuple[int, ...] | None = None
    painting: Painting = Painting()
    look: tuple[tuple[str, str], ...] = ()

    @property
    def resource(self) -> Resource:
        """What has to be open to whoever asks for it."""
        return Resource("run" if self.kind == "run" else "scene", self.id)

    @classmethod
    def at(cls, template: str) -> Layer | None:
        """The layer of an address with ``{z}``, ``{x}`` and ``{y}``, below any path; None of one that is not ours.

        Raises
        ------
        InputError
            When it holds what cannot be.
        """
        parts = urlsplit(template)
        found = _ADDRESS.search(parts.path)
        if found is None or parts.scheme or parts.netloc:
            return None
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        kind, dataset, run, name = found.groups()
        if run is not None:
            return cls("run", checked_id(run), name, painting=checked_painting(asked))
        return cls.of_dataset(cast("LayerKind", kind), dataset, asked)

    @classmethod
    def of_dataset(cls, kind: LayerKind, dataset: str, asked: Mapping[str, str]) -> Layer:
        """A scene, or an elevation model as `kind` shows it, with what an address asks.

        Raises
        ------
        InputError
            When it holds what cannot be.
        """
        look = tuple((name, asked[name]) for name in LOOKS if name in asked) if kind == "scene" else ()
        return cls(kind, checked_id(dataset), bands=checked_bands(asked.get("bands")), look=look)

    def painter(self, store: Store, deadline: Deadline) -> tuple[Grid, Painter]:
        """The grid of the layer, and what paints it in a view.

        Raises
        ------
        Unknown
            When the store does not know it.
        LandslideError
            When it cannot be shown.
        Unfinished
            When it is not ready in time.
        """
        from core.serve.hillshades import TERRAIN, paint_terrain
        from core.serve.looks import checked_look
        from core.serve.tiles import layer_of_run, natural_bands, paint_scene, scene_of

        if self.kind == "run":
            task, files = found_in(partial(store.files_of, self.id))
            layer = layer_of_run(self.id, layers_of(task), files, self.name, self.painting)
            return layer.rasters[0].scene.grid, layer.paint
        scene = found_in(partial(scene_of, store, self.id, deadline))
        if self.kind in TERRAIN:
            band = None if self.bands is None else self.bands[0]
            return scene.grid, partial(paint_terrain, scene, self.kind, band=band)
        look = checked_look(dict(self.look))
        return scene.grid, partial(paint_scene, scene, self.bands or natural_bands(scene), look=look)


def layers_of(task: str) -> Mapping[str, TileLayer | DotLayer]:
    """How the rasters and points of runs of a task are painted; nothing for a task without a map."""
    declared = tasks().get(task)
    if declared is None or declared.layers is None:
        return {}
    layers: Mapping[str, TileLayer | DotLayer] = declared.layers.load()
    return layers


def found_in(look: Callable[[], T]) -> T:
    """Tell what the store does not know from what cannot be done with it.

    Raises
    ------
    Unknown
        When it does not know it.
    """
    try:
        return look()
    except InputError as error:
        raise Unknown(str(error)) from error


def checked_id(text: str) -> str:
    """An id of an address.

    Raises
    ------
    InputError
        When it is none.
    """
    if not _ID.fullmatch(text):
        raise InputError("The address contains no valid ID.", remedy="An ID is 32 digits from 0–9 and a–f.")
    return text


def checked_threshold(text: str | None) -> float:
    """A threshold of an address; the half without one.

    Raises
    ------
    InputError
        When it is no number from 0 to 1.
    """
    try:
        threshold = float(text or "0.5")
    except ValueError:
        threshold = math.nan
    if not 0.0 <= threshold <= 1.0:
        raise InputError("The threshold is not a number from 0 to 1.")
    return threshold


def checked_painting(asked: Mapping[str, str]) -> Painting:
    """What an address chooses of how a layer is painted: ``threshold``, ``breaks``, ``band`` and ``range``.

    Raises
    ------
    InputError
        When a number of it cannot be.
    """
    threshold = checked_threshold(asked.get("threshold"))
    breaks = _numbers(asked.get("breaks"), "breaks")
    if len(breaks) > MOST_BREAKS or not all(a < b for a, b in zip((0.0, *breaks), (*breaks, 1.0), strict=True)):
        raise InputError("Breaks must be ascending numbers between 0 and 1.", remedy=
            "Write, for example, breaks=0.2,0.6.")
    band = asked.get("band", "1")
    if not _BAND.fullmatch(band):
        raise InputError("The band must be a whole number from 1.", remedy="Write, for example, band=3.")
    ends = _numbers(asked.get("range"), "range") or (0.0, 1.0)
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise InputError("A range must be two ascending numbers.", remedy="Write, for example, range=0,45.")
    return Painting(threshold, breaks, int(band), *ends)


def _numbers(text: str | None, what: str) -> tuple[float, ...]:
    if not text:
        return ()
    try:
        found = tuple(float(one) for one in text[:400].split(","))
    except ValueError:
        found = (math.nan,)
    if not all(map(math.isfinite, found)):
        raise InputError(f"The {what} in the address are not numbers.")
    return found


def checked_bands(text: str | None) -> tuple[int, ...] | None:
    """Bands of an address.

    Raises
    ------
    InputError
        When they are not one or three numbers.
    """
    if text is None:
        return None
    if not _BANDS.fullmatch(text):
        raise InputError("Bands must be one or three numbers.", remedy="Write, for example, bands=3,2,1.")
    return tuple(int(band) for band in text.split(","))
