"""Orders in which the bands of images usually come, by name: for scenes whose files do not name their bands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import BandError, InputError
from core.raster.bands import Role, check_bands
from core.wording import agree, count

if TYPE_CHECKING:
    from core.raster.scene import Scene


@dataclass(frozen=True)
class BandOrder:
    """One order of bands.

    Attributes
    ----------
    name
        As commands call it. Several orders may share a name: the number of bands then tells which one is meant.
    title, detail
        As pages call it, and which bands these are.
    roles
        What each band shows, in the order of the file.
    """

    name: str
    title: str
    detail: str
    roles: tuple[Role, ...]

    def bands_for(self, wanted: Sequence[str]) -> tuple[int, ...] | None:
        """Band numbers, from 1, that serve the wanted roles; None where the order holds not all of them."""
        places = {role: number for number, role in reversed(list(enumerate(self.roles, start=1))) if role != "other"}
        found = [places.get(role.lower()) for role in wanted]  # type: ignore[call-overload]
        return None if None in found else tuple(found)


_RGB: tuple[Role, ...] = ("red", "green", "blue")
_BGR: tuple[Role, ...] = ("blue", "green", "red")
_FIRST: tuple[Role, ...] = ("other", *_BGR, "other", "other", "other", "nir")
"""B01 to B08 of Sentinel-2."""

ORDERS = (
    BandOrder("rgb", "RGB", "red, green, blue", _RGB),
    BandOrder("bgr", "BGR", "blue, green, red", _BGR),
    BandOrder("rgbn", "RGBN", "red, green, blue, near infrared", (*_RGB, "nir")),
    BandOrder("bgrn", "BGRN", "blue, green, red, near infrared", (*_BGR, "nir")),
    BandOrder("sentinel2", "Sentinel-2, 10 m", "B02, B03, B04, B08", (*_BGR, "nir")),
    # https://sentiwiki.copernicus.eu/web/s2-products: B01 to B08, B8A, B09, B10 (level 1C alone), B11, B12.
    BandOrder("sentinel2", "Sentinel-2, level 2A", "B01–B12 with B8A, without B10", (*_FIRST, *("other",) * 4)),
    BandOrder("sentinel2", "Sentinel-2, level 1C", "B01–B12 with B8A", (*_FIRST, *("other",) * 5)),
)
"""Orders by name; those of one name differ in their number of bands."""


def orders_for(count: int, wanted: Sequence[str]) -> tuple[BandOrder, ...]:
    """Orders of a number of bands that hold all that is wanted.

    Parameters
    ----------
    count
        Bands of the scene.
    wanted
        Roles in the model's order, such as ``("red", "green", "blue")``.
    """
    return tuple(order for order in ORDERS if len(order.roles) == count and order.bands_for(wanted) is not None)


def parse_bands(text: str, scene: Scene, wanted: Sequence[str]) -> tuple[int, ...]:
    """Band numbers from what a command was given: an order by name, or numbers.

    Parameters
    ----------
    text
        A name in `ORDERS`, such as ``"bgr"`` or ``"sentinel2"``, or numbers such as ``"3,2,1"``.
    scene
        The scene whose bands are meant. Bands beyond those of a named order are left alone.
    wanted
        Roles in the model's order.

    Returns
    -------
    tuple of int
        One number, from 1, for each wanted role.

    Raises
    ------
    InputError
        When it is neither.
    BandError
        When the scene has other bands than the order, the order lacks what is wanted, a number is not in the scene, or
        there are more or fewer numbers than roles.
    """
    name = text.strip().lower()
    named = [order for order in ORDERS if order.name == name]
    if named:
        return _named(name, named, scene, wanted)
    if not re.fullmatch(r"\s*\d{1,3}(\s*,\s*\d{1,3})*\s*", text):
        names = ", ".join(dict.fromkeys(order.name for order in ORDERS))
        raise InputError(
            f"{text!r} is neither a list of bands nor a band order.",
            remedy=f"Write band numbers separated by commas, such as 3,2,1, or one of {names}.",
        )
    bands = check_bands(scene, [int(part) for part in text.split(",")])
    if len(bands) != len(wanted):
        raise BandError(
            f"The model needs {count(len(wanted), 'band')} ({', '.join(wanted)}); {len(bands)} "
            f"{agree(len(bands), 'was', 'were')} given.",
            remedy="Name one band of the image for each.",
        )
    return bands


def _named(name: str, named: list[BandOrder], scene: Scene, wanted: Sequence[str]) -> tuple[int, ...]:
    held = len(scene.bands)
    lengths = sorted({len(order.roles) for order in named})
    # Colours may be followed by a mask or anything else; of Sentinel-2 the number of bands tells which they are.
    order = next((order for order in named if len(order.roles) == held or len(lengths) == 1), None)
    if order is None or len(order.roles) > held:
        numbers = " or ".join(", ".join(map(str, lengths)).rsplit(", ", 1))
        raise BandError(
            f"{scene.name} has {count(held, 'band')}; the order {name} has {numbers}.",
            remedy="Name another order, or give band numbers such as 3,2,1.",
        )
    bands = order.bands_for(wanted)
    if bands is None:
        raise BandError(
            f"The order {name} does not include the bands that the model reads: {', '.join(wanted)}.",
            remedy="Give a band number for each of them, or choose a model that reads these bands.",
        )
    return bands
