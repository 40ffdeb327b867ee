"""Files of R: one data frame of numbers and factors comes back as it was; anything else is refused."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdata

from core.catalog.r_data import MAX_BYTES, read_data_frame
from core.errors import InputError, LandslideError, UnsafeFileError

FRAME = pd.DataFrame(
    {"x": [1.5, -2.0, 1e300], "slid": pd.Categorical(["TRUE", "FALSE", "TRUE"])}, index=pd.RangeIndex(1, 4)
)
COLUMNS = ("x", "slid")


def saved(path: Path, **objects: object) -> bytes:
    rdata.write_rda(path, objects, compression="gzip")
    path.write_bytes(content := gzip.decompress(path.read_bytes()))
    return content


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_numbers_and_factors_come_back_whatever_packs_them(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.rda"
    path.write_bytes(pack(saved(path, lsl=FRAME)))

    found = read_data_frame(path, "lsl", COLUMNS)

    assert found.x.tolist() == [1.5, -2.0, 1e300]
    assert found.slid.tolist() == ["TRUE", "FALSE", "TRUE"]


@pytest.mark.parametrize(
    "objects",
    [
        {"other": FRAME},
        {"lsl": FRAME, "more": 1.0},
        {"lsl": np.array([1.0, 2.0])},
        {"lsl": FRAME.rename(columns={"x": "y"})},
        {"lsl": FRAME.assign(more=1.0)},
        {"lsl": FRAME.assign(x=np.array([1, 2, 3], np.int32))},
    ],
)
def test_other_content_is_refused(tmp_path: Path, objects: dict[str, object]) -> None:
    saved(tmp_path / "a.rda", **objects)
    with pytest.raises(InputError, match=r"a\.rda"):
        read_data_frame(tmp_path / "a.rda", "lsl", COLUMNS)


@pytest.mark.parametrize(
    "content",
    [b"", b"RDA2\nA\n2\n", b"GIF89a", gzip.compress(b"none"), gzip.compress(gzip.compress(b"RDX2\nX\n"))],
    ids=["empty", "text", "picture", "packed", "packed twice"],  # what is packed holds the time of day
)
def test_what_is_no_binary_file_of_r_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.rda").write_bytes(content)
    with pytest.raises(UnsafeFileError, match="not an R data file"):
        read_data_frame(tmp_path / "a.rda", "lsl", COLUMNS)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_what_unpacks_to_more_than_the_limit_is_not_parsed(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "a.rda").write_bytes(pack(b"RDX2\nX\n" + bytes(MAX_BYTES)))
    with pytest.raises(UnsafeFileError, match="more than 1 MB"):
        read_data_frame(tmp_path / "a.rda", "lsl", COLUMNS)


def test_sequences_that_only_say_how_long_they_are_are_not_laid_out(tmp_path: Path) -> None:
    # Row names from 0 are written as such a sequence.
    saved(tmp_path / "a.rda", lsl=FRAME.set_index(pd.RangeIndex(0, 3)))
    with pytest.raises(InputError, match="content that cannot be read"):
        read_data_frame(tmp_path / "a.rda", "lsl", COLUMNS)


def test_a_file_cut_short_anywhere_is_an_error_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.rda"
    whole = saved(path, lsl=FRAME)
    for length in range(7, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(LandslideError):
            read_data_frame(path, "lsl", COLUMNS)
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        path.write_bytes(pack(whole)[:-20])
        with pytest.raises(LandslideError):
            read_data_frame(path, "lsl", COLUMNS)
