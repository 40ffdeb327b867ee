"""Scenes: raster datasets with the reference, the elevation and the earlier scene that belong to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from core.errors import InputError
from core.raster.files import one_line
from core.raster.scene import Scene
from core.runs import files
from core.runs.dataset_rows import companion_of, companion_row, dataset_row, form_of, in_place, link, own_row
from core.runs.datasets import UPLOADED, DatasetStore, hold
from core.runs.records import DatasetRecord, SceneRecord, SceneSummary, checked_id
from core.runs.tables import DatasetRow

ATTACHED = frozenset({".tif", ".png", ".jpg", ".gpkg", ".geojson", ".zip"})
ROLES = ("reference", "dem")
"""What else can belong to a scene: an inventory, and the elevation."""


class SceneStore(DatasetStore):
    """Raster datasets as scenes; see `core.runs.records.SceneRecord`."""

    def add_scene(
        self,
        data: Path,
        name: str,
        *,
        reference: Path | None = None,
        dem: Path | None = None,
        origin: str = "",
        before: str = "",
        synthetic: bool = False,
        licence: str = "",
        citation: str = "",
    ) -> SceneRecord:
        """Register a raster that stays where it is, with what belongs to it, as a scene.

        Registered with the same files and words before, it keeps its id.

        Raises
        ------
        InputError
            When the raster cannot be opened safely.
        """
        file = in_place(data)
        Scene.open(data, name)
        words = {"origin": origin, "synthetic": synthetic, "licence": licence, "citation": citation}
        links = {"before": before} if before else {}
        for role, path in zip(ROLES, (reference, dem), strict=True):
            if path is not None:
                links[role] = self._companion(path, words)
        values = {"form": "raster", "name": one_line(name), "file": file, "file_digest": "", "companion": False}
        return self.scene_record(self._added({**values, **words}, links))

    def upload_scene(self, content: BinaryIO, name: str) -> SceneRecord:
        """Keep an uploaded raster as a scene; see `DatasetStore.upload_dataset`."""
        return self.scene_record(self.upload_dataset(content, name, "raster").id)

    def attach(
        self,
        identity: str,
        role: str,
        content: BinaryIO,
        suffix: str,
        check: Callable[[Path], object] | None = None,
        *,
        name: str = "",
    ) -> SceneRecord:
        """Give a scene its inventory (``"reference"``) or elevation (``"dem"``) from an upload.

        A sample or another file used in place is shared by all visitors; what one of them adds goes to a scene of its
        own, with another id. What a scene had before is kept until the new file has proved good.

        Parameters
        ----------
        suffix
            One of .tif, .png, .jpg, .gpkg, .geojson, .zip; what the file really is, is decided when it is opened.
        check
            Called with the file before it is taken; what it raises refuses the file.
        name
            Name that it came with.

        Returns
        -------
        The scene that now has the file.
        """
        checked_id(identity, "dataset")
        if role not in ROLES or suffix not in ATTACHED:
            raise InputError(
                f"A {suffix or 'nameless'} file cannot be used as {role}.", remedy="Choose a GeoTIFF or GeoPackage."
            )
        with self.database.read() as session:
            dataset_row(session, identity, "raster")
        aside, digest = files.spool_upload(content, self.home)
        # Readers of vectors go by the suffix as well.
        named = aside.rename(aside.with_name(f"{aside.name}{suffix}"))
        try:
            if check is not None:
                with files.known_as(named, one_line(name) or "The file"):
                    check(named)
            with self._kept(named, digest, suffix) as file, self.database.write() as session:
                row, own = dataset_row(session, identity, "raster"), {"file": file, "file_digest": digest}
                words = {"origin": UPLOADED, "synthetic": False, "licence": "", "citation": ""}
                shown = one_line(name) or Path(file).name
                other = companion_row(session, {**own, **words, "name": shown, "form": form_of(named)})
                target = own_row(session, row, role, other.id).id
        finally:
            named.unlink(missing_ok=True)
        return self.scene_record(target)

    def detach(self, identity: str, role: str) -> None:
        """Take a scene's inventory (``"reference"``) or elevation (``"dem"``) away again; files used in place stay."""
        checked_id(identity, "dataset")
        if role not in ROLES:
            raise InputError(f"An image has no {role} that can be removed.")
        with self.database.write() as session:
            link(dataset_row(session, identity, "raster"), role, "")

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
            raise InputError("An image cannot be its own earlier image.", remedy="Choose another image.")
        with files.store_lock(self.home), self.database.write() as session:
            dataset_row(session, before, "raster")
            hold(session, before)
            target = own_row(session, dataset_row(session, identity, "raster"), "before", before, known=True).id
        return self.scene_record(target)

    def scenes(self) -> Iterator[SceneSummary]:
        """All scenes whose raster is still there, the newest first, without opening them."""
        return (SceneSummary(one.id, one.name, one.origin) for one in self.datasets("raster"))

    def scene_record(self, identity: str) -> SceneRecord:
        """A scene by id, with all that belongs to it now.

        Raises
        ------
        InputError
            When the id is malformed or unknown, or the raster is gone.
        """
        with self.database.read() as session:
            row = dataset_row(session, identity, "raster")
            companions = self._companions(session, row)
            record = self._record(row)
        scene = Scene.open(
            record.path, record.name, synthetic=record.synthetic, licence=record.licence, citation=record.citation
        )
        plain = SceneRecord(record.id, scene, origin=record.origin, before=record.companions.get("before", ""))
        return with_companions(plain, companions)

    # Within

    def _companions(self, session: Session, row: DatasetRow) -> dict[str, DatasetRecord]:
        """Reference and elevation of a scene, by role."""
        linked = {role: row.companions[role] for role in ROLES if role in row.companions}
        found = {role: session.get(DatasetRow, other) for role, other in linked.items()}
        return {role: self._record(other) for role, other in found.items() if other is not None}

    def _companion(self, path: Path, words: Mapping[str, Any]) -> str:
        """Id of the dataset of a file that belongs to a scene; an upload of ours goes on being that upload."""
        file, root = in_place(path), (self.home / files.FILES).resolve()
        own = Path(file).is_relative_to(root)
        if own:
            file = Path(file).relative_to(root).as_posix()
            words = {"origin": UPLOADED, "synthetic": False, "licence": "", "citation": ""}
        values = {**words, "file": file, "file_digest": path.stem if own else "", "form": form_of(path)}
        with self.database.read() as session:
            known = companion_of(session, file, values["form"])
        if known is None:
            with files.store_lock(self.home), self.database.write() as session:
                known = companion_of(session, file, values["form"])
                known = known or companion_row(session, {**values, "name": path.name}).id
        return known


def with_companions(record: SceneRecord, companions: Mapping[str, DatasetRecord]) -> SceneRecord:
    """A scene with these datasets, by role, as its reference and elevation."""
    reference, dem = (companions.get(role) for role in ROLES)
    return replace(
        record, reference=reference.path if reference else None, dem=dem.path if dem else None, companions=companions
    )  # fmt: skip
