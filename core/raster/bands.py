"""What the bands of a scene show, told from their descriptions, colours and number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from core.errors import BandError

if TYPE_CHECKING:
    from core.raster.scene import Scene

Role = Literal["red", "green", "blue", "nir", "elevation", "other"]

#: Order in which unnamed bands are taken to come.
USUAL_ORDER: tuple[Role, ...] = ("red", "green", "blue", "nir")

_WORDS: dict[Role, frozenset[str]] = {
    "red": frozenset({"red", "r"}),
    "green": frozenset({"green", "g"}),
    "blue": frozenset({"blue", "b"}),
    "nir": frozenset({"nir", "nir1", "near infrared", "nearinfrared", "near ir", "infrared"}),
    "elevation": frozenset({"elevation", "elev", "dem", "dsm", "dtm", "altitude", "height"}),
}

# Only the zero-padded names are Sentinel-2's beyond doubt: "B4" is near infrared on Landsat 5 and 7.
_SENTINEL2: dict[str, Role] = {"b02": "blue", "b03": "green", "b04": "red", "b08": "nir"}


@dataclass(frozen=True)
class Band:
    """One band of a scene.

    Parameters
    ----------
    index
        Place in the file, from 1.
    name
        Description in the file, else what its colour or place says ("red", "alpha", "band 7").
    role
        What it shows, where that is known.
    dtype
        NumPy name of its values' type.
    scale, offset
        What the file says: amount = scale × value + offset. Values are read as they stand; see `core.raster.quantity`.
    unit
        Unit of the amount as the file writes it; empty where it does not say.
    """

    index: int
    name: str
    role: Role
    dtype: str
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""


def describe_bands(
    descriptions: Sequence[str | None], colours: Sequence[str], dtype: str
) -> tuple[Band, ...]:
    """Name the bands of a file.

    Parameters
    ----------
    descriptions
        Band descriptions of the file, None where there is none.
    colours
        Colour interpretations by GDAL's names ("red", "gray", "alpha", "undefined" …).
    dtype
        NumPy name of the values' type.

    Notes
    -----
    A description outweighs a colour: GDAL marks the first bands of any 8-bit file of four bands as red,
    green, blue and alpha, whatever they hold.
    """
    described = [role_of(text) for text in descriptions]
    taken = {role for role in described if role != "other"}
    bands = []
    for index, (text, colour, role) in enumerate(zip(descriptions, colours, described, strict=True), start=1):
        if not text and colour in USUAL_ORDER and colour not in taken:
            role = next(known for known in USUAL_ORDER if known == colour)
        plain = f"band {index}" if colour in ("undefined", "gray") or (taken and not text) else colour
        name = text.strip() if text and text.strip() else plain
        bands.append(Band(index, name, role, dtype))
    return tuple(bands)


def role_of(description: str | None) -> Role:
    """Tell what a band shows from its description; "other" when it does not say."""
    words = _plain(description or "")
    for role, names in _WORDS.items():
        if words in names:
            return role
    for word in words.split():
        if word in _SENTINEL2:
            return _SENTINEL2[word]
    # "Red edge" is neither red nor near infrared; a lone "b" in a longer text is hardly blue.
    telling = {word for word in words.split() if len(word) > 1}
    found = [role for role, names in _WORDS.items() if names & telling]
    return found[0] if len(found) == 1 and "edge" not in telling else "other"


def guess_bands(scene: Scene, wanted: Sequence[str]) -> tuple[int, ...]:
    """Guess which bands of a scene serve a model.

    Parameters
    ----------
    scene
        The scene.
    wanted
        Roles in the model's order, such as ``("red", "green", "blue")``; a name that is no role is looked
        up among the band names.

    Returns
    -------
    tuple of int
        Band numbers of the file from 1, one for each wanted role: by name where the file names them; else of three or
        four bands the first are red, green and blue, and the fourth is near infrared.

    Raises
    ------
    BandError
        When the scene has too few bands, or its bands say that none of them is what is wanted.
    """
    if not wanted:
        raise BandError("No bands were requested.", remedy="Name at least one band of the image.")
    if len(set(wanted)) > len(scene.bands):
        raise BandError(
            f"{scene.name} has {_count(len(scene.bands))}, the model needs {len(set(wanted))}: "
            f"{', '.join(wanted)}.",
            "Missing bands cannot be replaced.",
            "Choose an image with these bands, or a model that needs fewer.",
        )
    known = _known_bands(scene)
    missing = [role for role in wanted if role.lower() not in known]
    if missing:
        names = ", ".join(f"{band.index} {band.name}" for band in scene.bands[:16])
        raise BandError(
            f"{scene.name} does not state which of its bands is {' or '.join(missing)}.",
            f"Its bands are: {names}.",
            "Give their order, such as sentinel2 or bgr, or the model's bands by number, such as 4,3,2 (--bands).",
        )
    return tuple(known[role.lower()] for role in wanted)


def check_bands(scene: Scene, bands: Sequence[int]) -> tuple[int, ...]:
    """Return band numbers as a tuple once they are known to exist.

    Raises
    ------
    BandError
        When none is asked for, or one is not in the scene.
    """
    if not bands:
        raise BandError("No bands were requested.", remedy="Name at least one band of the image.")
    absent = [index for index in bands if not 1 <= index <= len(scene.bands)]
    if absent:
        raise BandError(
            f"Band {absent[0]} is not in {scene.name}, which has {_count(len(scene.bands))}.",
            remedy="Bands are numbered from 1.",
        )
    return tuple(int(index) for index in bands)


def with_roles(scene: Scene, roles: Sequence[str], numbers: Sequence[int]) -> Scene:
    """A scene whose bands show what a user said that they do, whatever its file says.

    Parameters
    ----------
    roles, numbers
        What is shown, such as ``("red", "green", "blue")``, and by which band each, from 1.
    """
    said: dict[int, Role] = {}
    for role, number in zip(roles, numbers, strict=True):
        known: Role | None = next((one for one in get_args(Role) if one == role), None)
        if known is not None:
            said.setdefault(number, known)

    def told(band: Band) -> Band:
        taken: Role = "other" if band.role in said.values() else band.role
        return replace(band, role=said.get(band.index, taken))

    return replace(scene, bands=tuple(told(band) for band in scene.bands))


def _known_bands(scene: Scene) -> dict[str, int]:
    """Band numbers by lower-case role and name, the first of each."""
    known: dict[str, int] = {}
    for band in scene.bands:  # one that is called so before one in whose name the word occurs, such as "green_i"
        if band.role != "other" and _plain(band.name) in _WORDS[band.role]:
            known.setdefault(band.role, band.index)
    for band in scene.bands:
        if band.role != "other":
            known.setdefault(band.role, band.index)
    for band in scene.bands:
        known.setdefault(band.name.lower(), band.index)
    if len(scene.bands) == 1 and scene.bands[0].name == "band 1":
        # A single unnamed band can be anything that is one band: an elevation model, a near-infrared image.
        return dict.fromkeys(get_args(Role), 1) | known
    if are_guessed(scene):
        return {role: index for index, role in enumerate(USUAL_ORDER[: len(scene.bands)], start=1)} | known
    return known


def are_guessed(scene: Scene) -> bool:
    """Whether the bands of a scene are taken by their place: three or four that the file does not name.

    Of more than four unnamed bands the first may as well be coastal blue, as in Sentinel-2's order: somebody has to say
    which is which.
    """
    return len(scene.bands) in (3, 4) and all(band.name == f"band {band.index}" for band in scene.bands)


def _plain(description: str) -> str:
    return re.sub(r"[\s_\-./()\[\]]+", " ", description.lower()).strip()


def _count(bands: int) -> str:
    return "one band" if bands == 1 else f"{bands} bands"
