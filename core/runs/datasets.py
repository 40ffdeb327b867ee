"""Scenes and series of the store: rows that name files, of which each is kept once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import CompoundSelect, Select, select, union_all
from sqlalchemy.orm import Session

from core.errors import InputError, StorageError
from core.raster.scene import Scene
from core.runs import files
from core.runs.database import Database
from core.runs.dataset_rows import in_place, new_id, own_row, scene_row
from core.runs.records import SceneRecord, SceneSummary, SeriesRecord, checked_id, clock
from core.runs.tables import SceneRow, SeriesRow

SUFFIX = {"GTiff": ".tif", "PNG": ".png", "JPEG": ".jpg"}
ATTACHED = {".tif", ".png", ".jpg", ".gpkg", ".geojson", ".zip"}
UPLOADED = "uploaded"

log = logging.getLogger(__name__)


def one_line(text: str) -> str:
    """A name from elsewhere without signs that no database or list takes."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


class Shelf:
    """Scenes and series under one home folder.

    Parameters
    ----------
    home
        Folder that the store owns; made when missing.
    database
        Where the rows lie.
    """

    def __init__(self, home: Path, database: Database) -> None:
        self.home = home
        self.database = database

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
        said = {
            "name": one_line(name), "file": in_place(data), "truth": in_place(truth), "dem": in_place(dem),
            "origin": origin, "before": before, "synthetic": synthetic, "licence": licence, "citation": citation,
        }  # fmt: skip
        Scene.open(data, name)
        same = select(SceneRow.id).filter_by(**said).limit(1)
        with self.database.read() as session:  # nearly always it is there, and a page should wait for no writer
            identity = session.scalar(same)
        if identity is None:
            with files.turn(self.home), self.database.write() as session:
                identity = session.scalar(same)
                if identity is None:
                    identity = new_id()
                    session.add(SceneRow(id=identity, created=clock(), file_digest="", **said))
        return self.scene_record(identity)

    def upload_scene(self, content: BinaryIO, name: str) -> SceneRecord:
        """Keep an uploaded raster under a name of ours; the same file given before is the same scene.

        Raises
        ------
        InputError
            When it is no raster that may be opened; nothing is kept then.
        StorageError
            When it cannot be written.
        """
        from core.raster.untrusted import sniff

        aside, digest = files.spool(content, self.home)
        try:
            suffix = SUFFIX[sniff(aside)]
            shown = one_line(Scene.open(aside, name).name)
            with self._kept(aside, digest, suffix) as file, self.database.write() as session:
                identity = self._uploaded(session, shown, file, digest)
        except InputError as error:
            # The file was read under a name of ours; its sender knows it by theirs.
            raise type(error)(error.what.replace(aside.name, name, 1), error.why, error.remedy) from error
        finally:
            aside.unlink(missing_ok=True)
        return self.scene_record(identity)

    def _uploaded(self, session: Session, name: str, file: str, digest: str) -> str:
        """Id of the scene of an upload: that of one to which nothing was added since, or a new one."""
        plain = select(SceneRow).filter_by(name=name, file=file, truth="", dem="", before="", origin=UPLOADED)
        same = session.scalars(plain.limit(1)).first()
        if same is not None:
            return same.id
        identity, unsaid = new_id(), dict.fromkeys(("truth", "dem", "before", "licence", "citation"), "")
        said = {"name": name, "file": file, "file_digest": digest, "origin": UPLOADED}
        session.add(SceneRow(id=identity, created=clock(), synthetic=False, **said, **unsaid))
        return identity

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
        checked_id(identity)
        if role not in ("truth", "dem") or suffix not in ATTACHED:
            raise InputError(
                f"A {suffix or 'nameless'} file cannot serve as {role}.", remedy="Give GeoTIFF or GeoPackage."
            )
        self._exists(identity)
        aside, digest = files.spool(content, self.home)
        # Readers of vectors go by the suffix as well.
        named = aside.rename(aside.with_name(f"{aside.name}{suffix}"))
        try:
            if check is not None:
                check(named)
            with self._kept(named, digest, suffix) as file, self.database.write() as session:
                target = own_row(session, scene_row(session, identity), role, file).id
        finally:
            named.unlink(missing_ok=True)
        return self.scene_record(target)

    def detach(self, identity: str, role: str) -> None:
        """Take a scene's truth (``"truth"``) or elevation (``"dem"``) away again; files used in place stay."""
        checked_id(identity)
        if role not in ("truth", "dem"):
            raise InputError(f"A scene has no {role} that can be taken away.")
        with self.database.write() as session:
            setattr(scene_row(session, identity), role, "")

    def set_before(self, identity: str, before: str) -> SceneRecord:
        """Say which scene shows the same place before the event.

        A sample or another file used in place is shared by all visitors; what one of them says of it goes to a scene
        of its own, with another id.

        Returns
        -------
        The scene that now has the earlier one.

        Raises
        ------
        InputError
            When either is not in the store, or both are the same.
        """
        if identity == before:
            raise InputError("A scene cannot be its own earlier scene.", remedy="Choose another.")
        with files.turn(self.home), self.database.write() as session:
            scene_row(session, before)
            target = own_row(session, scene_row(session, identity), "before", before, known=True).id
        return self.scene_record(target)

    def scenes(self) -> Iterator[SceneSummary]:
        """All scenes whose raster is still there, the newest first, without opening them."""
        with self.database.read() as session:
            rows = session.scalars(select(SceneRow).order_by(SceneRow.created.desc(), SceneRow.id)).all()
        for row in rows:
            # A file used in place may have been moved away; the others are still there to choose.
            if self._path(row.file).is_file():
                yield SceneSummary(row.id, row.name, row.origin)

    def scene_record(self, identity: str) -> SceneRecord:
        """A scene by id.

        Raises
        ------
        InputError
            When the id is malformed or unknown, or the raster is gone.
        """
        with self.database.read() as session:
            row = scene_row(session, identity)
        scene = Scene.open(
            self._path(row.file), row.name, synthetic=row.synthetic, licence=row.licence, citation=row.citation
        )
        truth, dem = (self._path(name) if name else None for name in (row.truth, row.dem))
        return SceneRecord(row.id, scene, truth, dem, row.origin, row.before)

    def upload_series(self, content: BinaryIO, name: str) -> SeriesRecord:
        """Keep an uploaded monitoring table (CSV); the same file given before is the same series.

        What the table holds is checked by whoever reads it.
        """
        aside, digest = files.spool(content, self.home)
        try:
            with self._kept(aside, digest, ".csv") as file, self.database.write() as session:
                said = {"name": one_line(name), "file": file, "file_digest": digest, "origin": UPLOADED}
                identity = session.scalar(select(SeriesRow.id).filter_by(**said).limit(1)) or new_id()
                if session.get(SeriesRow, identity) is None:
                    plain = {"synthetic": False, "licence": "", "citation": ""}
                    session.add(SeriesRow(id=identity, created=clock(), **said, **plain))
        finally:
            aside.unlink(missing_ok=True)
        return self.series_record(identity)

    def series_record(self, identity: str) -> SeriesRecord:
        """A series by id.

        Raises
        ------
        InputError
            When the id is malformed or unknown.
        """
        with self.database.read() as session:
            row = session.get(SeriesRow, checked_id(identity))
        if row is None:
            raise InputError("This series is not in the store.", remedy="Upload it again.")
        path = self._path(row.file)
        return SeriesRecord(row.id, row.name, path, row.origin, row.synthetic, row.licence, row.citation)

    @contextmanager
    def _kept(self, aside: Path, digest: str, suffix: str) -> Iterator[str]:
        """Have a turn in which an upload gets its lasting name; when that ends badly and no row has it, it goes."""
        with files.turn(self.home):
            file, _ = files.place(aside, self.home / files.FILES, digest, suffix)
            try:
                yield file
            except BaseException:
                columns = (SceneRow.file, SceneRow.truth, SceneRow.dem, SeriesRow.file)
                self._drop_all_but(files.FILES, {file}, union_all(*(select(one).where(one == file) for one in columns)))
                raise

    def _drop_all_but(self, folder: str, names: set[str], named: Select[Any] | CompoundSelect[Any]) -> None:
        """Remove files that a query over all rows does not give; only in one's turn."""
        try:
            with self.database.read() as session:
                kept = set(session.scalars(named))
        except StorageError:
            # Nobody can say whether a row has them; tidying finds those that none has.
            log.warning("files that may be of nothing were left in %s", folder, exc_info=True)
            return
        files.drop(self.home / folder, names - kept)

    def _exists(self, identity: str) -> None:
        with self.database.read() as session:
            scene_row(session, identity)

    def _path(self, name: str) -> Path:
        # Joining an absolute path keeps it: files used in place are stored absolute, ours relative.
        return self.home / files.FILES / name
