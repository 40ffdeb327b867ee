"""Scenes and runs as folders under one home, found by random ids and never by a path from outside.

::

    HOME/scenes/<id>/scene.json   data.tif|png|jpg   truth.*   dem.tif
    HOME/runs/<id>/run.json       probability.tif …
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import platformdirs

from core.errors import InputError, LandslideError, StorageError
from core.mapping.result import MANIFEST, MappingResult
from core.raster.scene import Scene

log = logging.getLogger(__name__)

ID = re.compile(r"[0-9a-f]{32}")
SCENE = "scene.json"
UPLOAD = "upload"
SUFFIX = {"GTiff": ".tif", "PNG": ".png", "JPEG": ".jpg"}
MEDIA_TYPES = {
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".json": "application/json",
    ".png": "image/png",
    ".csv": "text/csv; charset=utf-8",
    ".zip": "application/zip",
}


def new_id() -> str:
    """128 random bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)


@dataclass(frozen=True)
class SceneRecord:
    """A scene in the store with what belongs to it.

    Attributes
    ----------
    id
        32 hexadecimal digits.
    scene
        The raster.
    truth, dem
        Inventory (raster or vector) and elevation on disk, or None.
    origin
        Where it came from, in words: "uploaded", "sample", the open data set's name, "data folder".
    before
        Id of the scene of the same place before the event, or empty.
    """

    id: str
    scene: Scene
    truth: Path | None = None
    dem: Path | None = None
    origin: str = ""
    before: str = ""


@dataclass(frozen=True)
class SceneSummary:
    """A scene in a list: its id, its name and where it came from."""

    id: str
    name: str
    origin: str


@dataclass(frozen=True)
class Artifact:
    """A file of a run as it is sent to a browser."""

    path: Path
    media_type: str
    download_name: str


@dataclass(frozen=True)
class _Entry:
    """What ``scene.json`` holds; files are named relative to its folder unless they are used in place."""

    name: str
    data: str
    truth: str
    dem: str
    origin: str
    before: str
    synthetic: bool
    licence: str
    citation: str


class Store:
    """Scenes and runs under one home folder.

    Parameters
    ----------
    home
        Folder that this store owns; made when missing.
    """

    def __init__(self, home: Path) -> None:
        self.home = home

    def _folder(self, kind: str, identity: str) -> Path:
        if not ID.fullmatch(identity):
            raise InputError("That is not an id of this store.", remedy="Open the page without it and choose again.")
        return self.home / kind / identity

    def _make(self, kind: str) -> tuple[str, Path]:
        identity = new_id()
        folder = self._folder(kind, identity)
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise StorageError(
                f"No folder can be made under {self.home}.", str(error), "Free space or set SLIDELENS_HOME."
            ) from error
        return identity, folder

    def add_scene(
        self,
        data: Path,
        name: str,
        *,
        truth: Path | None = None,
        dem: Path | None = None,
        origin: str = "",
        before: str = "",
        synthetic: bool = False,
        licence: str = "",
        citation: str = "",
    ) -> SceneRecord:
        """Register a raster that stays where it is (a sample, open data, a file of the data folder).

        Registered with the same files and words before, it keeps its id.

        Raises
        ------
        InputError
            When the raster cannot be opened safely.
        """
        Scene.open(data, name)
        entry = _Entry(
            name, str(data.resolve()), _text(truth), _text(dem), origin, before, synthetic, licence, citation
        )
        identity = self._same(entry)
        if identity is None:
            identity, folder = self._make("scenes")
            self._write(folder, entry)
        return self.scene_record(identity)

    def upload_scene(self, content: BinaryIO, name: str) -> SceneRecord:
        """Copy an uploaded raster into the store under a name of ours and register it.

        Raises
        ------
        InputError
            When it is no raster that may be opened; nothing is kept then.
        StorageError
            When it cannot be written.
        """
        from core.raster.untrusted import sniff

        identity, folder = self._make("scenes")
        try:
            aside = folder / UPLOAD
            _spool(content, aside)
            data = aside.rename(folder / f"data{SUFFIX[sniff(aside)]}")
            scene = Scene.open(data, name)
            self._write(folder, _Entry(scene.name, data.name, "", "", "uploaded", "", False, "", ""))
        except InputError as error:
            shutil.rmtree(folder, ignore_errors=True)
            # The file was read under a name of ours; its sender knows it by theirs.
            raise type(error)(error.what.replace(UPLOAD, name, 1), error.why, error.remedy) from error
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return self.scene_record(identity)

    def attach(
        self, identity: str, role: str, content: BinaryIO, suffix: str, check: Callable[[Path], object] | None = None
    ) -> SceneRecord:
        """Give a scene its truth (``"truth"``) or elevation (``"dem"``) from an upload.

        A sample or another file used in place is shared by all visitors; what one of them adds goes to a scene of its
        own, with another id. What a scene had before is kept until the new file has proved good.

        Parameters
        ----------
        suffix
            One of .tif, .png, .jpg, .gpkg, .geojson, .zip; what the file really is, is decided when it is opened.
        check
            Called with the file before it is taken; what it raises refuses the file.

        Returns
        -------
        The scene that now has the file.
        """
        if role not in ("truth", "dem") or suffix not in {".tif", ".png", ".jpg", ".gpkg", ".geojson", ".zip"}:
            raise InputError(
                f"A {suffix or 'nameless'} file cannot serve as {role}.", remedy="Give GeoTIFF or GeoPackage."
            )
        entry = self._entry(self._folder("scenes", identity))
        shared = Path(entry.data).is_absolute()
        target, folder = self._make("scenes") if shared else (identity, self._folder("scenes", identity))
        path = folder / f"{role}-{secrets.token_hex(4)}{suffix}"
        try:
            _spool(content, path)
            if check is not None:
                check(path)
            self._write(folder, _with(entry, role, path.name))
        except BaseException:
            path.unlink(missing_ok=True)
            if shared:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        replaced = getattr(entry, role)
        if not shared and replaced and not Path(replaced).is_absolute():
            (folder / replaced).unlink(missing_ok=True)
        return self.scene_record(target)

    def detach(self, identity: str, role: str) -> None:
        """Take a scene's truth (``"truth"``) or elevation (``"dem"``) away again; files used in place stay."""
        if role not in ("truth", "dem"):
            raise InputError(f"A scene has no {role} that can be taken away.")
        folder = self._folder("scenes", identity)
        entry = self._entry(folder)
        name = getattr(entry, role)
        self._write(folder, _with(entry, role, ""))
        if name and not Path(name).is_absolute():
            (folder / name).unlink(missing_ok=True)

    def set_before(self, identity: str, before: str) -> None:
        """Say which scene shows the same place before the event.

        Raises
        ------
        InputError
            When either is not in the store, or both are the same.
        """
        if identity == before:
            raise InputError("A scene cannot be its own earlier scene.", remedy="Choose another.")
        self._entry(self._folder("scenes", before))
        folder = self._folder("scenes", identity)
        self._write(folder, replace(self._entry(folder), before=before))

    def scenes(self) -> Iterator[SceneSummary]:
        """All scenes whose raster is still there, the newest first, without opening them."""
        for manifest in sorted((self.home / "scenes").glob(f"*/{SCENE}"), key=lambda path: -path.stat().st_mtime):
            entry = self._readable(manifest.parent)
            # A file used in place may have been moved away; the others are still there to choose.
            if entry is not None and (manifest.parent / entry.data).is_file():
                yield SceneSummary(manifest.parent.name, entry.name, entry.origin)

    def _readable(self, folder: Path) -> _Entry | None:
        """A scene's entry; None, and a line in the log, when its record is damaged."""
        try:
            return self._entry(folder)
        except LandslideError:
            log.warning("scene %s is left out", folder.name, exc_info=True)
            return None

    def _same(self, entry: _Entry) -> str | None:
        """Id of a scene that is registered with exactly these files and words."""
        for manifest in (self.home / "scenes").glob(f"*/{SCENE}"):
            if self._readable(manifest.parent) == entry:
                return manifest.parent.name
        return None

    def _write(self, folder: Path, entry: _Entry) -> None:
        from core.raster.write import atomic_path

        with atomic_path(folder / SCENE) as aside:
            aside.write_text(json.dumps(asdict(entry), indent=1), encoding="utf-8")

    def _entry(self, folder: Path) -> _Entry:
        try:
            return _Entry(**json.loads((folder / SCENE).read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise InputError("This scene is not in the store.", remedy="Choose or upload it again.") from error
        except (ValueError, TypeError) as error:
            raise StorageError("The record of a scene is damaged.", str(error), "Load the scene again.") from error

    def scene_record(self, identity: str) -> SceneRecord:
        """A scene by id.

        Raises
        ------
        InputError
            When the id is malformed or unknown, or the raster is gone.
        """
        folder = self._folder("scenes", identity)
        entry = self._entry(folder)
        # Joining an absolute path keeps it: files used in place are stored absolute, ours relative.
        scene = Scene.open(
            folder / entry.data, entry.name, synthetic=entry.synthetic, licence=entry.licence, citation=entry.citation
        )
        truth = folder / entry.truth if entry.truth else None
        dem = folder / entry.dem if entry.dem else None
        return SceneRecord(identity, scene, truth, dem, entry.origin, entry.before)

    def new_run(self) -> tuple[str, Path]:
        """A fresh run id and its empty folder."""
        return self._make("runs")

    def discard_run(self, identity: str) -> None:
        """Remove a run's folder, such as one that was cancelled or failed."""
        shutil.rmtree(self._folder("runs", identity), ignore_errors=True)

    def run(self, identity: str) -> MappingResult:
        """A finished run by id.

        Raises
        ------
        InputError
            When the id is malformed or unknown.
        """
        folder = self._folder("runs", identity)
        if not (folder / MANIFEST).is_file():
            raise InputError("This run is not in the store.", "It may have been removed.", "Run the mapping again.")
        return MappingResult.load(folder)

    def runs(self) -> Iterator[MappingResult]:
        """All finished runs, the newest first."""
        manifests = (self.home / "runs").glob(f"*/{MANIFEST}")
        for manifest in sorted(manifests, key=lambda path: -path.stat().st_mtime):
            yield MappingResult.load(manifest.parent)

    def artifact(self, run: str, role: str) -> Artifact:
        """A file of a run, by its role.

        Raises
        ------
        InputError, StorageError
            When the run or the role is unknown, or the file is gone.
        """
        result = self.run(run)
        path = result.artifact(role)
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(result.scene).stem).strip("-") or "scene"
        media_type = MEDIA_TYPES.get(path.suffix, "application/octet-stream")
        return Artifact(path, media_type, f"{stem}-{run[:8]}-{role}{path.suffix}")


def _with(entry: _Entry, role: str, name: str) -> _Entry:
    return replace(entry, truth=name) if role == "truth" else replace(entry, dem=name)


def _text(path: Path | None) -> str:
    return str(path.resolve()) if path else ""


def _spool(content: BinaryIO, path: Path) -> None:
    """Copy a stream to disk in pieces, so that an upload is never held twice."""
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise StorageError(
            "The upload could not be written to disk.", str(error), "Free space and try again."
        ) from error


def home_folder() -> Path:
    """``SLIDELENS_HOME``, else the user's data folder for slidelens."""
    return Path(os.environ.get("SLIDELENS_HOME") or platformdirs.user_data_dir("slidelens", appauthor=False))


def data_folder() -> Path | None:
    """``SLIDELENS_DATA``: the operator's folder whose rasters may be opened by path; None when not set."""
    value = os.environ.get("SLIDELENS_DATA")
    return Path(value).resolve() if value else None


@lru_cache(maxsize=4)
def _store(home: Path) -> Store:
    return Store(home)


def default_store() -> Store:
    """The store of this process, under `home_folder()`."""
    return _store(home_folder())
