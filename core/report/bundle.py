"""A run as one self-describing zip: its files, and a manifest with their provenance.

::

    manifest.json
    valley_mapping_probability_0123abcd.tif    files of the run, by what they are to it (see `core.report.names`)
    valley_mapping_report_0123abcd.html        its report
    valley_mapping_landslides_0123abcd.gpkg    what its task makes of it for other programs: polygons, tables, a figure
    valley_mapping_reviewed_0123abcd.gpkg      what reviewers made of it, where somebody reviewed it
    explanations/<first 8 digits>/…            files of the explanations derived from it
    outlines/<first 8 digits>/…                its landslides, where a job or a mapping model outlined them

The files of the run pass through while it is read: neither memory nor a second copy on the disk is needed, whatever
their size.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import core
from core.errors import InputError, LandslideError, StorageError
from core.report.exporting import MANIFEST, prepared, prepared_report, prepared_review
from core.report.names import named, of_artifact
from core.runs.files import CHUNK
from core.runs.kinds import tasks
from core.runs.records import Run
from core.runs.store import Store

PACKED = {".tif", ".png", ".zip"}
"""Suffixes of files that are compressed in themselves."""

DIGESTS = (
    "SHA-256 of values, validity and grid for GeoTIFF, of rows for GeoPackage and Parquet, of all bytes for other files"
)

_EARLIEST = (1980, 1, 1, 0, 0, 0)


def manifest(store: Store, run: Run) -> dict[str, Any]:
    """The stored record of a run, as plain values for JSON, without its owner."""
    return {
        "format": 1,
        "slidelens": core.__version__,
        **_manifest_of(store, run, ""),
        **{
            folder: [_manifest_of(store, child, f"{folder}/{child.id[:8]}/") for child in children]
            for folder, children in _derived(store, run).items()
        },
        "digests": DIGESTS,
    }


def as_json(manifest: Mapping[str, Any]) -> str:
    """A manifest as text."""
    return json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _manifest_of(store: Store, run: Run, folder: str) -> dict[str, Any]:
    return {**run_manifest(run, folder), "provenance": store.provenance(run.id)}


def run_manifest(run: Run, folder: str = "") -> dict[str, Any]:
    """What a run is, what was asked and what came of it, as plain values; its files lie in `folder`."""
    scene = run.input("scene")
    return {
        "run": {
            "id": run.id, "task": run.task, "kind": run.kind, "status": run.status, "name": run.name,
            "note": run.note, "tags": list(run.tags), "pinned": run.pinned, "model": run.model,
            "weights_sha256": run.weights_sha256, "seed": run.seed, "parents": list(run.parents),
            "inputs": [
                {"role": one.role, "id": one.dataset_id, "name": one.name, "digest": one.digest} for one in run.inputs
            ],
            # The scene of a run on an image, also under the name that it had before inputs had roles.
            "scene": {"id": scene.dataset_id, "name": scene.name, "digest": scene.digest},
            "created": _time(run.created), "started": _time(run.started), "finished": _time(run.finished),
            "seconds": run.seconds, "server": run.server, "worker": run.worker,
            "failure": None if run.failure is None else asdict(run.failure),
            **({"batch": run.batch} if run.batch else {}),
        },
        "parameters": dict(run.parameters),
        "metrics": dict(run.metrics),
        "notes": list(run.notes),
        "artifacts": [
            {
                "role": one.role, "file": folder + of_artifact(run, one), "digest": one.digest, "bytes": one.size,
                "media_type": one.media_type, "derived": one.derived,
            }
            for one in run.artifacts
        ],
    }  # fmt: skip


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")


def _derived(store: Store, run: Run) -> dict[str, list[Run]]:
    """By folder of the zip, the finished runs derived from a run whose files go with it, the oldest first."""
    task = tasks().get(run.task)
    kinds = {kind.name: kind.bundled_as for kind in (task.kinds if task else ()) if kind.bundled_as}
    found: dict[str, list[Run]] = {folder: [] for folder in sorted(set(kinds.values()))}
    for child in store.children(run.id):
        if child.status == "done" and child.kind in kinds:
            found[kinds[child.kind]].append(child)
    return {folder: sorted(runs, key=lambda one: (one.created, one.id)) for folder, runs in found.items()}


def bundle_name(run: Run) -> str:
    """Name of the zip."""
    return named(run, "run", ".zip")


def bundle(store: Store, identity: str, view: Any = None) -> Iterator[bytes]:  # noqa: ANN401  of its task
    """The zip of a run that has ended, piece by piece; its files are looked for before the first piece.

    A report is made for it where the run holds none. What cannot be made, such as a figure of a scene that is gone, is
    left out, and the manifest says why.

    Parameters
    ----------
    view
        What was chosen after the run; what its page begins with when None.

    Raises
    ------
    InputError
        When the run is unknown or has not ended.
    StorageError
        When one of its files is gone.
    """
    run = store.run(identity)
    return zipped(_entries(store, run, view), run.finished or run.created)


def _entries(store: Store, run: Run, view: Any) -> list[tuple[str, Path | bytes]]:  # noqa: ANN401  of its task
    content, files = contents(store, run, view, report=True)
    return [(MANIFEST, as_json(content).encode()), *files]


def contents(
    store: Store, run: Run, view: Any = None, *, report: bool  # noqa: ANN401  of its task
) -> tuple[dict[str, Any], list[tuple[str, Path | bytes]]]:
    """Manifest of a run that has ended, and its files by their names in a zip, those made for it included.

    Parameters
    ----------
    report
        Whether a report is made for it where the run holds none.

    Raises
    ------
    InputError, StorageError
        See `bundle`.
    """
    if run.active:
        raise InputError(f"This run is {run.status} and has no files yet.", remedy="Wait until it has finished.")
    own, derived = _files(run), _files_derived(store, run)
    _check_there(run, [*own, *derived])
    left_out: list[dict[str, str]] = []
    made: dict[str, Path] = {}
    reports = (("report", prepared_report),) if report else ()
    for what, prepare in (*reports, ("GIS files", prepared), ("files of the review", prepared_review)):
        try:
            made |= prepare(store, run, view)
        except LandslideError as error:
            left_out.append({"what": what, "why": str(error)})
    content = {
        **manifest(store, run),
        "prepared": [{"file": name, "bytes": path.stat().st_size} for name, path in made.items()],
        "view": None if view is None else asdict(view),
        "left_out": left_out,
    }
    return content, [*own, *made.items(), *derived]


def _files(run: Run, folder: str = "") -> list[tuple[str, Path]]:
    return [(folder + of_artifact(run, one), one.path) for one in run.artifacts]


def _files_derived(store: Store, run: Run) -> list[tuple[str, Path]]:
    derived = _derived(store, run).items()
    return [one for folder, runs in derived for child in runs for one in _files(child, f"{folder}/{child.id[:8]}/")]


def _check_there(run: Run, contents: Sequence[tuple[str, Path]]) -> None:
    gone = next((name for name, path in contents if not path.is_file()), None)
    if gone is not None:
        raise StorageError(f"The file {gone} of run {run.id[:8]} is no longer on disk.", remedy="Repeat the run.")


def zipped(entries: Iterable[tuple[str, Path | bytes]], made: datetime) -> Iterator[bytes]:
    """A zip, piece by piece: each entry is read when its turn comes.

    Parameters
    ----------
    entries
        Names, and files or the content itself.
    made
        The time of all entries: equal entries give equal zips.
    """
    return filter(None, _pieces(entries, max(_EARLIEST, made.astimezone(UTC).timetuple()[:6])))


def _pieces(entries: Iterable[tuple[str, Path | bytes]], stamp: tuple[int, ...]) -> Iterator[bytes]:
    pipe = _Pipe()
    with ZipFile(pipe, "w", allowZip64=True) as archive:
        for name, content in entries:
            if isinstance(content, bytes):
                archive.writestr(_entry(name, stamp), content)
                yield pipe.taken()
                continue
            with content.open("rb") as file, archive.open(_entry(name, stamp), "w", force_zip64=True) as member:
                while piece := file.read(CHUNK):
                    member.write(piece)
                    yield pipe.taken()
    yield pipe.taken()


def _entry(name: str, stamp: tuple[int, ...]) -> ZipInfo:
    year, month, day, hour, minute, second = stamp
    entry = ZipInfo(name, (year, month, day, hour, minute, second))
    entry.compress_type = ZIP_STORED if Path(name).suffix in PACKED else ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


class _Pipe(io.RawIOBase):
    """What is written, until it is taken; it cannot be gone back to."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece: Any, /) -> int:  # noqa: ANN401  whatever holds bytes
        self._held += piece
        return len(piece)

    def taken(self) -> bytes:
        """What has been written since the last time."""
        held, self._held = bytes(self._held), bytearray()
        return held
