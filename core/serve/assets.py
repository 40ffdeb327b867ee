"""The map's scripts, served from the app's own origin when they are installed.

They are npm packages, listed with their digests in ``assets/package-lock.json`` and installed by
``npm ci --prefix assets --ignore-scripts``. Only the files of `MANIFEST` are ever served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "node_modules"

MEDIA_TYPES: Mapping[str, str] = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}

_IMAGES = ("layers.png", "layers-2x.png", "marker-icon.png", "marker-icon-2x.png", "marker-shadow.png")

MANIFEST: Mapping[str, str] = {
    "leaflet/leaflet.js": "leaflet/dist/leaflet.js",
    "leaflet/leaflet.css": "leaflet/dist/leaflet.css",
    **{f"leaflet/images/{name}": f"leaflet/dist/images/{name}" for name in _IMAGES},
    "draw/leaflet.draw.js": "leaflet-draw/dist/leaflet.draw.js",
    "draw/leaflet.draw.css": "leaflet-draw/dist/leaflet.draw.css",
    "draw/images/spritesheet.png": "leaflet-draw/dist/images/spritesheet.png",
    "draw/images/spritesheet-2x.png": "leaflet-draw/dist/images/spritesheet-2x.png",
    "draw/images/spritesheet.svg": "leaflet-draw/dist/images/spritesheet.svg",
    "fullscreen/Control.FullScreen.js": "leaflet.fullscreen/Control.FullScreen.js",
    "fullscreen/Control.FullScreen.css": "leaflet.fullscreen/Control.FullScreen.css",
    "fullscreen/icon-fullscreen.svg": "leaflet.fullscreen/icon-fullscreen.svg",
}
"""Name in the address to file below the folder of npm packages; style sheets name images beside them."""

LINKS: Mapping[str, str] = {
    "leaflet": "leaflet/leaflet.js",
    "leaflet_css": "leaflet/leaflet.css",
    "leaflet_draw_js": "draw/leaflet.draw.js",
    "leaflet_draw_css": "draw/leaflet.draw.css",
    "Control.Fullscreen.js": "fullscreen/Control.FullScreen.js",
    "Control.FullScreen.css": "fullscreen/Control.FullScreen.css",
}
"""Name that folium gives a script or style sheet to its name in the manifest."""


@dataclass(frozen=True)
class Asset:
    """A file that may be served, and as what."""

    path: Path
    media_type: str


def installed(folder: Path = FOLDER) -> bool:
    """Whether every file of the manifest is there; a half installation counts as none."""
    return all((folder / file).is_file() for file in MANIFEST.values())


def asset(name: str, folder: Path = FOLDER) -> Asset:
    """Find a file by its name in the address.

    Parameters
    ----------
    name
        Key of `MANIFEST`. It is looked up and never joined to a path.

    Raises
    ------
    InputError
        When the manifest does not list it or it is not installed.
    """
    file = MANIFEST.get(name)
    if file is None or not (folder / file).is_file():
        raise InputError(
            "No such asset.", remedy="Install the map's scripts: npm ci --prefix assets."
        )
    path = folder / file
    return Asset(path, MEDIA_TYPES[path.suffix])
