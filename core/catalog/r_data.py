"""Data frames in files of R (``.rda``), as the catalogue's publishers keep them.

A file of R may hold functions, environments and promises. rdata builds plain Python objects of them and evaluates
nothing; here whatever is not one data frame of numbers and factors is refused on top of it.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError, UnsafeFileError
from core.raster.files import regular_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

MAX_BYTES = 1_000_000
"""Most bytes that are read, and most that they may be unpacked to: an object of four bytes takes hundreds in Python."""

_BINARY = (b"RDX2\nX\n", b"RDX3\nX\n")
"""How a file of R in its usual (XDR) format begins once it is unpacked."""


def read_data_frame(path: Path, name: str, columns: Sequence[str]) -> DataFrame:
    """Read the one data frame of a file of R.

    Only for files whose digest is known, as `core.catalog.fetch.fetch_file` gives them: what they unpack to is
    bounded, but not what a file made for the purpose might claim inside.

    Parameters
    ----------
    path
        File as ``save()`` writes it: binary, packed by gzip, bzip2 or xz, or not at all.
    name
        Name of the data frame.
    columns
        Names of its columns, all of them and in their order.

    Returns
    -------
    pandas.DataFrame
        Numbers as floating point, and factors as text, missing where R has NA; rows counted from 0.

    Raises
    ------
    UnsafeFileError
        When it is no such file, or holds more than `MAX_BYTES`.
    InputError
        When it is missing or damaged, or holds anything else.
    """
    from rdata import conversion, parser

    file = regular_file(path)
    known: dict[str | bytes, Any] = {
        "data.frame": conversion.dataframe_constructor, "factor": conversion.factor_constructor,
    }  # fmt: skip
    content = _unpacked(file)
    try:
        parsed = parser.parse_data(content, expand_altrep=False, extension=".rda")
        found = conversion.convert(parsed, constructor_dict=known)
    except (
        ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError, OSError, RecursionError,
        TypeError, ValueError,
    ) as error:  # fmt: skip
        raise _damaged(file) from error
    return _checked(found, name, columns, file)


def _unpacked(file: Path) -> bytes:
    if file.stat().st_size > MAX_BYTES:
        raise _too_large(file)
    content = file.read_bytes()
    unpack: Any = None
    if content.startswith(b"BZh"):
        unpack = bz2.BZ2Decompressor()
    elif content.startswith(b"\xfd7zXZ\x00"):
        unpack = lzma.LZMADecompressor(memlimit=256_000_000)
    elif content.startswith(b"\x1f\x8b"):
        unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    if unpack is not None:
        try:
            content = unpack.decompress(content, MAX_BYTES + 1)
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            raise _damaged(file) from error
        if len(content) > MAX_BYTES:
            raise _too_large(file)
        if not unpack.eof:
            raise _damaged(file)
    if not content.startswith(_BINARY):
        raise UnsafeFileError(
            f"{file.name} is not an R data file.",
            "Only the binary format that R's save() writes by default can be read.",
            "Save the data again in R with save().",
        )
    return content


def _checked(found: object, name: str, columns: Sequence[str], file: Path) -> DataFrame:
    """The data frame, if there is nothing else and it is as it should be."""
    import pandas as pd

    frame = found.get(name) if isinstance(found, dict) and set(found) == {name} else None
    if not isinstance(frame, pd.DataFrame) or tuple(frame.columns) != tuple(columns):
        raise InputError(
            f"{file.name} does not hold a data frame {name} with the columns {', '.join(columns)}.",
            "The file differs from its description in the catalogue.",
            "Download it again; if the problem persists, report it.",
        )
    made = {}
    for column in columns:
        values = frame[column]
        if isinstance(values.dtype, pd.CategoricalDtype):
            made[column] = values.astype(object).to_numpy()
        elif pd.api.types.is_float_dtype(values.dtype):
            made[column] = values.to_numpy(dtype="float64")
        else:
            raise InputError(f"Column {column} of {file.name} holds neither numbers nor classes.")
    return pd.DataFrame(made)


def _too_large(file: Path) -> UnsafeFileError:
    return UnsafeFileError(
        f"{file.name} holds more than {MAX_BYTES / 1e6:.0f} MB.",
        "Reading it could exhaust the server's memory.",
        "Save only the data frame that you need.",
    )


def _damaged(file: Path) -> InputError:
    return InputError(
        f"{file.name} is damaged or holds content that cannot be read.",
        remedy="Download it again, or save it again in R."
    )
