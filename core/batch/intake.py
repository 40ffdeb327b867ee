"""Taking in the files of a batch: uploads, zips of images and folders, each file by the reader of single images.

A file that cannot be used is listed with its reason and does not stop the others. Zips are bounded before anything of
them is unpacked, and no path of theirs reaches the disk.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from core.batch.batches import Refused
from core.errors import InputError, LandslideError, UnsafeFileError
from core.raster.align import reference_reader
from core.raster.files import one_line
from core.raster.progress import ProgressCallback, ignore

if TYPE_CHECKING:
    from core.runs.records import SceneRecord
    from core.runs.store import Store

MOST_IMAGES = 100
"""Images of one batch."""

MOST_BYTES = 1_000_000_000
"""Bytes of all uploads of one batch, zips unpacked."""

LARGEST_FILE = 200_000_000
"""Bytes of one upload, as of single ones."""

MOST_TIMES = 200
"""How many times larger than packed a file in a zip may be."""

MOST_MEMBERS = 1_000
"""Entries of a zip, whatever they are."""

IMAGES = frozenset({".tif", ".tiff", ".png", ".jpg", ".jpeg"})
REFERENCES = IMAGES | {".gpkg", ".geojson", ".zip"}
"""Endings of images and of reference inventories."""

LIMITS = (
    f"Up to {MOST_IMAGES} images and {MOST_BYTES / 1e9:.0f} GB in total, each up to {LARGEST_FILE / 1e6:.0f} MB; the "
    "files inside a ZIP count."
)

T = TypeVar("T")

_ZIP_ERRORS = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError,
               NotImplementedError)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A file that is given.

    Attributes
    ----------
    name
        What users call it; never a path.
    size
        Its bytes.
    open
        Gives its content, or raises why it has none.
    """

    name: str
    size: int
    open: Callable[[], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True)
class Taken:
    """What came of the files that were given.

    Attributes
    ----------
    scenes, refused
        Scenes of the store, and images that cannot be used.
    notes
        References that belong to no image, in a sentence each.
    """

    scenes: tuple[SceneRecord, ...] = ()
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()


def upload(name: str, content: BinaryIO, size: int) -> Iterator[Source]:
    """An upload as what it holds: itself, or the images in a zip.

    Raises
    ------
    InputError
        When it is a zip that cannot be read, or holds more than it may.
    """
    shown = _base(name)
    if PurePosixPath(shown).suffix.lower() != ".zip":
        yield single(name, content, size)
        return
    yield from _zipped(shown, content)


def single(name: str, content: BinaryIO, size: int) -> Source:
    """An upload as it is, also when it is a zip, as of a Shapefile."""
    return Source(_base(name), size, lambda: _Rewound(content))


class _Rewound(AbstractContextManager[BinaryIO]):
    """A stream of somebody else, from its beginning, left open."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __enter__(self) -> BinaryIO:
        self._stream.seek(0)
        return self._stream

    def __exit__(self, *_: object) -> None:
        """Leave it open."""


def _zipped(name: str, content: BinaryIO) -> list[Source]:
    """Images in a zip; other files in it are left out."""
    try:
        content.seek(0)
        archive = zipfile.ZipFile(content)
        infos = archive.infolist()
    except _ZIP_ERRORS as error:
        raise InputError(f"{name} is damaged or not a ZIP file.", remedy="Pack the images again.") from error
    if len(infos) > MOST_MEMBERS:
        raise UnsafeFileError(f"{name} holds {len(infos):,} files; the limit is {MOST_MEMBERS:,}.")
    images = [one for one in infos if _is_image(one)]
    if not images:
        raise InputError(f"{name} holds no image.", remedy="Pack GeoTIFF, PNG or JPEG images.")
    return [Source(_base(one.filename), one.file_size, _member(archive, one)) for one in images]


def _is_image(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename)
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return not info.is_dir() and not hidden and path.suffix.lower() in IMAGES


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], AbstractContextManager[BinaryIO]]:
    def unpack() -> AbstractContextManager[BinaryIO]:
        name = _base(info.filename)
        if info.file_size > MOST_TIMES * max(info.compress_size, 1_000):
            raise UnsafeFileError(
                f"{name} is {info.file_size / 1e6:,.0f} MB when unpacked, far more than its size in the ZIP file.",
                "Unpacking such files could exhaust the server's memory.", "Upload it separately.",
            )  # fmt: skip
        return cast("AbstractContextManager[BinaryIO]", _Member(archive, info, name))

    return unpack


class _Member(AbstractContextManager["_Member"]):
    """A file in a zip, which gives no more bytes than the zip says."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> None:
        self._name = name
        try:
            self._stream = archive.open(info)
        except _ZIP_ERRORS as error:
            raise self._damaged() from error

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except _ZIP_ERRORS as error:
            raise self._damaged() from error

    def _damaged(self) -> InputError:
        return InputError(f"{self._name} cannot be unpacked: the ZIP file is damaged or encrypted.",
                          remedy="Pack the images again without a password.")  # fmt: skip


def _base(name: str) -> str:
    """The name of a file without any folder, on one line."""
    return one_line(name.replace("\\", "/").rsplit("/", 1)[-1], 200) or "file without a name"


def expanded(uploads: Iterable[tuple[str, BinaryIO, int]]) -> tuple[list[Source], list[Refused]]:
    """Uploads (name, content, bytes) as images, and the zips that cannot be read."""
    sources: list[Source] = []
    refused: list[Refused] = []
    for name, content, size in uploads:
        try:
            sources.extend(upload(name, content, size))
        except LandslideError as error:
            refused.append(Refused(_base(name), str(error)))
    return sources, refused


def take_uploads(
    store: Store, sources: Sequence[Source], progress: ProgressCallback = ignore, references: Sequence[Source] = ()
) -> Taken:
    """Keep uploads as scenes of the store.

    Parameters
    ----------
    references
        Reference inventories, each of the image that `matched` finds for it.

    Raises
    ------
    InputError
        When they are too many, or too large together; nothing is kept then.
    """
    check_count(len(sources))
    total = sum(one.size for one in (*sources, *references))
    if total > MOST_BYTES:
        raise UnsafeFileError(
            f"The files hold {total / 1e9:.1f} GB in total; the limit is {MOST_BYTES / 1e9:.0f} GB at a time.",
            remedy="Use several batches, the data folder or the command line.",
        )
    known, unmatched = matched([one.name for one in sources], {one.name: one for one in references})

    def take(source: Source) -> SceneRecord:
        if source.size > LARGEST_FILE:
            raise UnsafeFileError(
                f"It holds {source.size / 1e6:,.0f} MB; the limit of an upload is {LARGEST_FILE / 1e6:.0f} MB.",
                remedy="Use the data folder or the command line.",
            )
        with source.open() as content:
            record = store.upload_scene(content, source.name)
        reference = known.get(source.name)
        if reference is None:
            return record
        suffix = PurePosixPath(reference.name).suffix.lower().replace(".tiff", ".tif").replace(".jpeg", ".jpg")
        with reference.open() as content:
            return store.attach(
                record.id, "reference", content, suffix, lambda path: reference_reader(path, record.scene.grid),
                name=reference.name,
            )  # fmt: skip

    taken = _taken([(one.name, partial(take, one)) for one in sources], progress)
    return replace(taken, notes=unmatched)


def take_files(
    store: Store, paths: Sequence[Path], origin: str, progress: ProgressCallback = ignore,
    references: Path | None = None,
) -> Taken:  # fmt: skip
    """Register files that stay where they are as scenes of the store.

    Parameters
    ----------
    origin
        Where they come from, in words.
    references
        Folder of reference inventories, each of the image that `matched` finds for it.

    Raises
    ------
    InputError
        When they are too many, or there is no such folder.
    """
    check_count(len(paths))
    found = {} if references is None else {one.name: one for one in files_in(references, REFERENCES)}
    known, unmatched = matched([one.name for one in paths], found)

    def take(path: Path) -> SceneRecord:
        return store.add_scene(path, path.name, reference=known.get(path.name), origin=origin)

    taken = _taken([(one.name, partial(take, one)) for one in paths], progress)
    return replace(taken, notes=unmatched)


def check_count(number: int) -> None:
    """Refuse more images than a batch may have.

    Raises
    ------
    InputError
        When they are too many, or none.
    """
    if not number:
        raise InputError("The files include no image.", remedy="Choose GeoTIFF, PNG or JPEG images.")
    if number > MOST_IMAGES:
        raise InputError(f"{number:,} images were given; the limit of a batch is {MOST_IMAGES}.",
                         remedy="Use several batches.")  # fmt: skip


def _taken(jobs: Sequence[tuple[str, Callable[[], SceneRecord]]], progress: ProgressCallback) -> Taken:
    scenes: dict[str, SceneRecord] = {}
    refused: list[Refused] = []
    for number, (name, take) in enumerate(jobs):
        progress(number, len(jobs))
        try:
            record = take()
            record.scene.digest  # noqa: B018  reads every pixel, so that a file that was cut short is refused here
        except LandslideError as error:
            refused.append(Refused(name, str(error)))
            continue
        if record.id in scenes:
            refused.append(Refused(name, "The same image is already in the list."))
        scenes.setdefault(record.id, record)
    progress(len(jobs), len(jobs))
    return Taken(tuple(scenes.values()), tuple(refused))


def files_in(folder: Path, endings: frozenset[str] = IMAGES) -> list[Path]:
    """Files of a folder with one of some endings, in the order in which people count; folders in it are left out.

    Raises
    ------
    InputError
        When there is no such folder, or none of its files has such an ending.
    """
    try:
        found = [one for one in folder.iterdir() if one.suffix.lower() in endings and not one.name.startswith(".")]
        files = [one for one in found if one.is_file()]
    except OSError as error:
        what = f"The folder {folder.name} cannot be read."
        raise InputError(what, error.strerror or "", "Check its name.") from error
    if not files:
        raise InputError(f"The folder {folder.name} contains no {', '.join(sorted(endings))} file.",
                         remedy="Choose a folder of images.")  # fmt: skip
    return sorted(files, key=lambda one: natural(one.name))


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key that orders names as people count.

    Examples
    --------
    >>> sorted(["patch10.png", "patch9.png", "a.png"], key=natural)
    ['a.png', 'patch9.png', 'patch10.png']
    """
    parts = re.findall(r"\d+|\D+", name.lower())
    return tuple((0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part) for part in parts)


def matched(images: Sequence[str], references: Mapping[str, T]) -> tuple[dict[str, T], tuple[str, ...]]:
    """Which reference belongs to which image, by names, and the references that belong to none.

    They have the same name but for the ending, or else the same last number.

    Examples
    --------
    >>> matched(["image_7.png", "north.tif"], {"mask_7.png": 1, "north.gpkg": 2, "south.gpkg": 3})[0]
    {'image_7.png': 1, 'north.tif': 2}
    """
    found: dict[str, T] = {}
    used: set[str] = set()
    for key in (_stem, _last_number):
        by_key: dict[str, list[str]] = {}
        for name in references:
            by_key.setdefault(key(name), []).append(name)
        alike: dict[str, int] = {}
        for image in images:
            alike[key(image)] = alike.get(key(image), 0) + 1
        for image in images:
            names = [one for one in by_key.get(key(image), []) if one not in used]
            if image not in found and key(image) and len(names) == 1 and alike[key(image)] == 1:
                found[image] = references[names[0]]
                used.add(names[0])
    unused = (name for name in references if name not in used)
    return found, tuple(f"{name} was not used as a reference: no image has the same name or number." for name in unused)


def _stem(name: str) -> str:
    return name.rpartition(".")[0].lower()


def _last_number(name: str) -> str:
    numbers = re.findall(r"\d+", _stem(name))
    return numbers[-1].lstrip("0") or "0" if numbers else ""
