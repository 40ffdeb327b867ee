"""Opening HDF5 files that strangers made: what they hold in themselves, and nothing that lies elsewhere.

An HDF5 file can name other files in four ways (external links, user-defined links, virtual datasets, external storage)
and can claim far more than it holds. So the whole file is looked over before a value is read, a file that names others
is refused, and what would be decoded is bounded. It is read through a stream of ours, by which the library cannot open
another file even where it is told to.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import InputError, UnsafeFileError
from core.raster.files import first_bytes, one_line, regular_file
from core.wording import agree, count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIGNATURE = b"\x89HDF\r\n\x1a\n"

MOST_OBJECTS = 1_000
"""Groups and datasets of a file, links to them counted each."""

MOST_DEPTH = 12

MOST_CHUNKS = 1_000_000

MOST_TIMES = 200
"""How many times larger than its file a dataset may be once it is decoded, beyond `FREE_BYTES`."""

FREE_BYTES = 2 * 2**30

MOST_CHUNK_BYTES = 16 * 2**20
"""Bytes of a compressed chunk once it is decoded: a chunk is decoded whole."""

MOST_PLAIN_CHUNK_BYTES = 512 * 2**20
"""Bytes of a chunk that is not compressed."""

CHECKED_BYTES = 256 * 2**10
"""Bytes of a stored chunk from which its stream is measured before the library decodes it: deflate reaches 1,032."""

MOST_TEXT = 4_096
"""Bytes of an attribute that are read."""

READ_ERRORS: tuple[type[Exception], ...] = (OSError, RuntimeError, ValueError, TypeError, LookupError, ArithmeticError)
"""Failures of the library when a file is damaged."""

_DEFLATE, _SHUFFLE, _FLETCHER, _LZF = 1, 2, 3, 32_000


def is_hdf5(path: str | os.PathLike[str]) -> bool:
    """Whether a file is HDF5 by its first bytes."""
    return first_bytes(regular_file(path), len(SIGNATURE)) == SIGNATURE


@dataclass(frozen=True)
class Array:
    """A dataset of a file.

    Attributes
    ----------
    file
        What users call the file.
    path
        Its place in the file, such as ``"quality/mask"``.
    shape
        Its size; ``()`` for a single value.
    kind
        Letter of numpy for the type of its values: ``"f"``, ``"i"``, ``"u"``, ``"b"``, ``"S"``, ``"O"`` for text of any
        length, ``""`` for anything else.
    itemsize
        Bytes of a value.
    chunks
        Size of the blocks in which it is stored; None where it is stored as a whole.
    """

    file: str
    path: str
    shape: tuple[int, ...]
    kind: str
    itemsize: int
    chunks: tuple[int, ...] | None
    _dataset: Any

    def read(self, *window: slice) -> NDArray[np.generic]:
        """Values of a window.

        Raises
        ------
        InputError
            When they cannot be decoded.
        """
        import numpy as np

        with _decoding(self.file):
            return np.asarray(self._dataset[window])

    def texts(self, longest: int = 32) -> list[str]:
        """Values of a dataset of one dimension as text, each cut off.

        Raises
        ------
        InputError
            When they cannot be read.
        """
        with _decoding(self.file):
            return [_text(self._dataset[at], longest) for at in range(self.shape[0])]

    def attribute(self, name: str) -> str:
        """An attribute of the dataset as text; empty where there is none, or it is no single value."""
        with _decoding(self.file):
            return _attribute(self._dataset, name)


@dataclass(frozen=True)
class Contents:
    """What an HDF5 file holds, all of it looked over.

    Attributes
    ----------
    file
        What users call the file.
    arrays
        Its datasets by their place, such as ``"timeseries"`` or ``"quality/mask"``.
    """

    file: str
    arrays: dict[str, Array]
    _root: Any

    def attribute(self, name: str) -> str:
        """An attribute of the file as text; empty where there is none, or it is no single value.

        Raises
        ------
        InputError
            When it cannot be read.
        """
        with _decoding(self.file):
            return _attribute(self._root, name)


@contextmanager
def open_hdf5_untrusted(path: str | os.PathLike[str], name: str = "") -> Iterator[Contents]:
    """Open an HDF5 file that strangers made.

    Parameters
    ----------
    path
        The file.
    name
        What users call it; by its own name when empty.

    Yields
    ------
    Contents
        To be used inside the ``with``.

    Raises
    ------
    UnsafeFileError
        When the file is of another kind, points to other files or to itself, or claims more than the module's limits.
    InputError
        When it is missing or damaged.
    """
    import h5py

    file = regular_file(path)
    called = name or file.name
    if not is_hdf5(file):
        raise UnsafeFileError(f"{called} is not an HDF5 file.",
                              remedy="Check which file it is.")  # fmt: skip
    with file.open("rb") as stream:
        with _decoding(called):
            root = h5py.File(stream, "r")
        try:
            with _decoding(called):
                arrays = _Walk(called, file.stat().st_size).arrays(root)
            yield Contents(called, arrays, root)
        finally:
            root.close()


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    try:
        yield
    except READ_ERRORS as error:
        raise InputError(
            f"{name} is damaged or truncated.", "Some of its values cannot be read.", "Copy or download it again."
        ) from error


class _Walk:
    """Looks over all that a file holds."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._bytes = size
        self._seen = 0

    def arrays(self, root: Any) -> dict[str, Array]:  # noqa: ANN401 - h5py has no types
        """All datasets below the root, by their place."""
        import h5py

        found: dict[str, Array] = {}
        self._group(root, "", found, frozenset({h5py.h5o.get_info(root.id).addr}))
        return found

    def _group(self, group: Any, place: str, found: dict[str, Array], above: frozenset[int]) -> None:  # noqa: ANN401
        import h5py

        self._seen += len(group)
        if self._seen > MOST_OBJECTS or len(above) > MOST_DEPTH:
            raise self._unsafe(
                f"holds more than {MOST_OBJECTS:,} groups and datasets, or groups more than {MOST_DEPTH} deep",
                "Reading them could take too much of the server's memory or time.",
            )
        for name in list(group.id):
            text = f"{place}{name.decode('utf-8', 'replace')}"
            if group.id.links.get_info(name).type != h5py.h5l.TYPE_HARD:
                raise self._unsafe(
                    f"holds a link to another object or file ({one_line(text, 80)})",
                    "Following it could make the server read files that users must not see.",
                )
            about = h5py.h5o.get_info(group.id, name)
            if about.type == h5py.h5o.TYPE_GROUP:
                if about.addr in above:
                    raise self._unsafe(f"holds a group inside itself ({one_line(text, 80)})",
                                       "Reading it would never end.")  # fmt: skip
                self._group(group[name], f"{text}/", found, above | {about.addr})
            elif about.type == h5py.h5o.TYPE_DATASET:
                found[text] = self._dataset(group[name], text)

    def _dataset(self, dataset: Any, place: str) -> Array:  # noqa: ANN401
        """A dataset whose claims are within bounds."""
        import h5py

        plan = dataset.id.get_create_plist()
        layouts = (h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED)
        if plan.get_layout() not in layouts or plan.get_external_count():
            raise self._unsafe(
                f"takes the values of {one_line(place, 80)} from other files",
                "Reading them could make the server read files that users must not see.",
            )
        kind, itemsize = _type_of(dataset)
        shape, chunks = tuple(dataset.shape or ()), dataset.chunks
        size = math.prod(shape) * itemsize
        if size > max(FREE_BYTES, MOST_TIMES * self._bytes):
            raise self._unsafe(
                f"declares {size / 1e6:,.0f} MB in {one_line(place, 80)}, far more than a file of its size can hold",
                "Decoding it could exhaust the server's memory or time.",
            )
        if chunks is not None and math.prod(shape):
            self._check_chunks(dataset, plan, place, math.prod(chunks) * itemsize)
        return Array(self._name, place, shape, kind, itemsize, chunks, dataset)

    def _check_chunks(self, dataset: Any, plan: Any, place: str, size: int) -> None:  # noqa: ANN401
        """Refuse chunks that are too many or too large, or whose streams hold more than they should."""
        filters = [plan.get_filter(at)[0] for at in range(plan.get_nfilters())]
        packed = [one for one in filters if one not in (_SHUFFLE, _FLETCHER)]
        if len(packed) > 1 or any(one not in (_DEFLATE, _LZF) for one in packed):
            raise InputError(
                f"{self._name} uses a compression that cannot be read here ({one_line(place, 80)}).",
                "Supported are deflate (gzip) and LZF, with shuffle and checksums.",
                "Save it again, for example with h5repack -f GZIP=4 IN OUT.",
            )
        number = math.prod(-(-side // step) for side, step in zip(dataset.shape, dataset.chunks, strict=True))
        if number > MOST_CHUNKS or size > (MOST_CHUNK_BYTES if packed else MOST_PLAIN_CHUNK_BYTES):
            raise self._unsafe(
                f"stores {one_line(place, 80)} in {count(number, 'block')} of {size / 1e6:,.3g} MB",
                f"Decoding {agree(number, 'it', 'them')} could exhaust the server's memory or time.",
                "Save it again in blocks of about 1 MB, for example with h5repack.",
            )
        if not packed:
            return
        stored: list[Any] = []
        dataset.id.chunk_iter(lambda info: stored.append(info) if info.size > CHECKED_BYTES else None)
        for info in stored:
            if info.size > size * 1.1 + 1_024 or packed[0] == _DEFLATE and not self._fits(dataset, info, size):
                raise self._unsafe(
                    f"holds more in a block of {one_line(place, 80)} than the block may hold",
                    "Decoding it could exhaust the server's memory.",
                )

    def _fits(self, dataset: Any, info: Any, size: int) -> bool:  # noqa: ANN401
        """Whether the stream of a chunk ends at its size; measured piece by piece, not kept."""
        _, stream = dataset.id.read_direct_chunk(info.chunk_offset)
        decoder, left, decoded = zlib.decompressobj(), stream, 0
        try:
            while left and not decoder.eof and decoded <= size + 4:
                piece = decoder.decompress(left, 1 << 20)
                left, decoded = decoder.unconsumed_tail, decoded + len(piece)
                if not piece:
                    break
        except zlib.error:
            return True  # the library will say that it is damaged, or it was stored as it is
        return decoded <= size + 4  # a checksum may stand behind the values

    def _unsafe(self, what: str, why: str, remedy: str = "Save it again with only what you need.") -> UnsafeFileError:
        return UnsafeFileError(f"{self._name} {what}.", why, remedy)


def _type_of(dataset: Any) -> tuple[str, int]:  # noqa: ANN401
    """Letter of the type of a dataset's values, and their bytes; an empty letter for what is not read here."""
    import h5py

    try:
        dtype = dataset.dtype
    except (TypeError, ValueError, RuntimeError):  # a type that numpy does not have
        return "", int(dataset.id.get_type().get_size())
    plain = dtype.kind in "fiubS" and dtype.subdtype is None
    text = dtype.kind == "O" and h5py.check_string_dtype(dtype) is not None
    return (dtype.kind if plain or text else ""), int(dtype.itemsize)


def _attribute(thing: Any, name: str) -> str:  # noqa: ANN401
    import h5py

    key = name.encode()
    if not h5py.h5a.exists(thing.id, key):
        return ""
    about = h5py.h5a.open(thing.id, key)
    if about.shape not in ((), (1,)) or about.get_storage_size() > MOST_TEXT or about.dtype.kind not in "fiubSO":
        return ""
    value = thing.attrs[name]
    return _text(value[0] if about.shape == (1,) else value, 200)


def _text(value: object, longest: int) -> str:
    if isinstance(value, bytes):
        value = value[: 4 * longest].decode("utf-8", "replace")
    return one_line(str(value)[: 4 * longest], longest)
