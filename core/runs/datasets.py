"""Datasets of the store: rows that name files, of which each is kept once."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.errors import InputError, StorageError
from core.raster.files import one_line
from core.runs import content as contents
from core.runs import files
from core.runs.database import Database
from core.runs.dataset_rows import dataset_row, in_place, make_row, not_here, same_row
from core.runs.records import DatasetRecord, DatasetSummary, Form, checked_id, moment
from core.runs.tables import DatasetRow

UPLOADED = "uploaded"

log = logging.getLogger(__name__)


class DatasetStore:
    """Rasters, vector layers and tables under one home folder.

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

    def dataset(self, identity: str) -> DatasetRecord:
        """A dataset by id; its file may be gone.

        Raises
        ------
        InputError
            When the id is malformed or unknown.
        """
        with self.database.read() as session:
            return self._record(dataset_row(session, identity))

    def datasets(self, form: Form | None = None) -> Iterator[DatasetSummary]:
        """All datasets whose file is still there, the newest first, without opening them.

        Those that came as part of another one, such as the reference of a scene, are left out.

        Parameters
        ----------
        form
            The form wanted; any when None.
        """
        query = select(DatasetRow).where(~DatasetRow.companion).order_by(DatasetRow.created.desc(), DatasetRow.id)
        if form is not None:
            query = query.where(DatasetRow.form == form)
        with self.database.read() as session:
            rows = session.scalars(query).all()
        for row in rows:
            # A file used in place may have been moved away; the others are still there to choose.
            if self._path(row.file).is_file():
                created = cast("Any", moment(row.created))
                yield DatasetSummary(row.id, cast("Form", row.form), row.name, row.origin, created)

    def add_dataset(
        self,
        path: Path,
        name: str,
        form: Form | None = None,
        *,
        origin: str = "",
        synthetic: bool = False,
        licence: str = "",
        citation: str = "",
        companions: Mapping[str, str] | None = None,
    ) -> DatasetRecord:
        """Register a file that stays where it is (a sample, open data, a file of the data folder).

        Registered with the same words before, it keeps its id.

        Parameters
        ----------
        form
            What it must be; told by its content when None.
        companions
            Ids of datasets that belong to it, by role.

        Raises
        ------
        InputError
            When the file cannot be opened safely, or is of another form, or a companion is not in the store.
        """
        file = in_place(path)
        found = contents.recognise(path, path.name, form)
        contents.check(path, found.form)
        values = _values(
            found.form, one_line(name), file, origin=origin, synthetic=synthetic, licence=licence, citation=citation
        )
        return self.dataset(self._added(values, companions or {}))

    def upload_dataset(
        self, content: BinaryIO, name: str, form: Form | None = None, *, made_from: DatasetRecord | None = None,
        origin: str = UPLOADED,
    ) -> DatasetRecord:  # fmt: skip
        """Keep an uploaded file under a name of ours; the same file given under the same name is the same dataset.

        Parameters
        ----------
        content
            GeoTIFF, PNG or JPEG; GeoPackage, GeoJSON or zipped Shapefile; CSV, TSV or Excel workbook.
        name
            Name that it came with.
        form
            What it must be; told by its content when None.
        made_from
            The dataset that it is a changed copy of, whose licence and citation hold for it as well.
        origin
            Where it comes from, in words.

        Raises
        ------
        InputError
            When it is nothing that may be opened, or of another form; nothing is kept then.
        StorageError
            When it cannot be written.
        """
        aside, digest = files.spool_upload(content, self.home)
        try:
            with files.known_as(aside, name):
                found = contents.recognise(aside, name, form)
                contents.check(aside, found.form)
            with self._kept(aside, digest, found.suffix) as file, self.database.write() as session:
                told = {"origin": one_line(origin), **_terms(made_from)}
                values = _values(found.form, one_line(name), file, file_digest=digest, **told)
                # One to which nothing was added since.
                identity = (same_row(session, values, {}) or make_row(session, values, {})).id
        finally:
            aside.unlink(missing_ok=True)
        return self.dataset(identity)

    def preview(self, identity: str) -> contents.Preview:
        """What a page shows of a dataset before it is used; see `core.runs.content.preview`.

        Raises
        ------
        InputError
            When the dataset is unknown, or its file is gone or damaged.
        """
        record = self.dataset(identity)
        try:
            return contents.preview(record.path, record.form)
        except InputError as error:
            raise type(error)(error.what.replace(record.path.name, record.name, 1), error.why, error.remedy) from error

    # Within

    def _added(self, values: Mapping[str, Any], links: Mapping[str, str]) -> str:
        """Id of the dataset used in place with these values and links: one that is there, or a new one."""
        with self.database.read() as session:  # nearly always it is there, and a page should wait for no writer
            same = same_row(session, values, links)
            if same is not None:
                return same.id
        with files.store_lock(self.home), self.database.write() as session:
            for other in links.values():
                hold(session, other)
            return (same_row(session, values, links) or make_row(session, values, links)).id

    def _record(self, row: DatasetRow) -> DatasetRecord:
        return DatasetRecord(
            row.id, cast("Form", row.form), row.name, self._path(row.file), cast("Any", moment(row.created)),
            row.origin, row.synthetic, row.licence, row.citation, row.companions,
        )  # fmt: skip

    @contextmanager
    def _kept(self, aside: Path, digest: str, suffix: str) -> Iterator[str]:
        """Hold the lock while an upload gets its final name; if that fails and no row refers to the file, remove it."""
        with files.store_lock(self.home):
            file, _ = files.put(aside, self.home / files.FILES, digest, suffix)
            try:
                yield file
            except BaseException:
                self._drop_all_but(files.FILES, {file}, select(DatasetRow.file).where(DatasetRow.file == file))
                raise

    def _drop_all_but(self, folder: str, names: set[str], named: Select[Any]) -> None:
        """Remove files that a query over all rows does not give; only in one's turn."""
        try:
            with self.database.read() as session:
                kept = set(session.scalars(named))
        except StorageError:
            # Nobody can say whether a row has them; tidying finds those that none has.
            log.warning("files that may be unused were left in %s", folder, exc_info=True)
            return
        files.drop(self.home / folder, names - kept)

    def _path(self, name: str) -> Path:
        # Joining an absolute path keeps it: files used in place are stored absolute, ours relative.
        return self.home / files.FILES / name


def hold(session: Session, identity: str) -> DatasetRow:
    """The row of a dataset, locked until the transaction ends, so that a removal finds it in use.

    Raises
    ------
    InputError
        When the id is malformed or unknown.
    """
    row = session.get(DatasetRow, checked_id(identity, "dataset"), with_for_update={"read": True, "key_share": True})
    if row is None:
        raise not_here()
    return row


def _terms(made_from: DatasetRecord | None) -> dict[str, Any]:
    """Terms of what an upload was made from."""
    if made_from is None:
        return {}
    return {"synthetic": made_from.synthetic, "licence": made_from.licence, "citation": made_from.citation}


def _values(
    form: Form, name: str, file: str, *, file_digest: str = "", origin: str = "", synthetic: bool = False,
    licence: str = "", citation: str = "",
) -> dict[str, Any]:  # fmt: skip
    return {
        "form": form, "name": name, "file": file, "file_digest": file_digest, "companion": False, "origin": origin,
        "synthetic": synthetic, "licence": licence, "citation": citation,
    }  # fmt: skip
