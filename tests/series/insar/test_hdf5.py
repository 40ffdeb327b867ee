"""HDF5 files of strangers: those that point elsewhere or claim too much are refused, and nothing elsewhere is read."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from core.errors import InputError, UnsafeFileError
from core.runs.content import check, recognise
from core.series.hdf5 import open_hdf5_untrusted
from core.series.table import describe_table, read_table_untrusted
from tests.series.insar.cubes import DATES, GRID, cube, write

pytestmark = pytest.mark.usefixtures("read_here")


def add(folder: Path, change: Callable[[h5py.File], None]) -> Path:
    """A time series that can be read, and a file with a secret beside it, with something added."""
    write(folder / "secret.h5", cube() * 2)
    path = write(folder / "host.h5")
    describe_table(path)  # it is what is added that is refused
    with h5py.File(path, "a") as file:
        change(file)
    return path


def external_link(file: h5py.File) -> None:
    del file["timeseries"]
    file["timeseries"] = h5py.ExternalLink("secret.h5", "/timeseries")


def soft_link(file: h5py.File) -> None:
    file.move("timeseries", "other")
    file["timeseries"] = h5py.SoftLink("/other")


def linked_group(file: h5py.File) -> None:
    file["HDFEOS"] = h5py.ExternalLink("secret.h5", "/")


def virtual(file: h5py.File) -> None:
    del file["timeseries"]
    layout = h5py.VirtualLayout((7, 3, 4), "f4")
    layout[:] = h5py.VirtualSource("secret.h5", "timeseries", (7, 3, 4))
    file.create_virtual_dataset("timeseries", layout)


def external_storage(file: h5py.File) -> None:
    del file["timeseries"]
    file.create_dataset("timeseries", (7, 3, 4), "f4", external=[("secret.h5", 0, 336)])


def inside_itself(file: h5py.File) -> None:
    file.create_group("a/b")
    file["a/b/a"] = file["a"]


def many(file: h5py.File) -> None:
    for number in range(1_100):
        file.create_group(f"g{number}")


def deep(file: h5py.File) -> None:
    file.create_group("/".join("abcdefghijklmnop"))


def claims_much(file: h5py.File) -> None:
    del file["timeseries"]
    file.create_dataset("timeseries", (4_000, 10_000, 10_000), "f4", chunks=(1, 1_000, 1_000), compression="gzip")


def large_blocks(file: h5py.File) -> None:
    del file["timeseries"]
    file.create_dataset("timeseries", (7, 3_000, 3_000), "f4", chunks=(7, 3_000, 3_000), compression="gzip")


def many_blocks(file: h5py.File) -> None:
    del file["timeseries"]
    file.create_dataset("timeseries", (7, 1_000, 1_000), "f4", chunks=(1, 2, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (external_link, r"link to another object or file \(timeseries\)"),
        (linked_group, r"link to another object or file \(HDFEOS\)"),
        (soft_link, r"link to another object or file \(timeseries\)"),
        (virtual, "takes the values of timeseries from other files"),
        (external_storage, "takes the values of timeseries from other files"),
        (inside_itself, r"group inside itself \(a/b/a\)"),
        (many, "more than 1,000 groups and datasets"),
        (deep, "groups more than 12 deep"),
        (claims_much, "declares 1,600,000 MB in timeseries"),
        (large_blocks, "in 1 block of 252 MB"),
        (many_blocks, "in 1,750,000 blocks"),
    ],
)
def test_what_points_elsewhere_or_claims_too_much_is_refused(
    tmp_path: Path, change: Callable[[h5py.File], None], message: str
) -> None:
    path = add(tmp_path, change)

    for read in (describe_table, read_table_untrusted):
        with pytest.raises(UnsafeFileError, match=message):
            read(path)


def test_a_block_whose_stream_does_not_end_at_its_size_is_refused(tmp_path: Path) -> None:
    """A stream of deflate that would become 300 MB, in a block of 0.4 MB."""
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        series = file.create_dataset("timeseries", (8, 110, 110), "f4", chunks=(8, 110, 110), compression="gzip")
        series.id.write_direct_chunk((0, 0, 0), bomb)
    assert len(bomb) < (tmp_path / "bomb.h5").stat().st_size < 1.1 * len(bomb)

    with pytest.raises(UnsafeFileError, match="more in a block of timeseries than the block may hold"):
        describe_table(tmp_path / "bomb.h5")


def test_large_blocks_that_are_what_they_say_are_read(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=(7, 200, 200)).astype("f4")
    path = write(tmp_path / "t.h5", values, attributes=GRID | {"X_STEP": "0.001", "Y_STEP": "-0.001"},
                 chunks=(7, 200, 200), compression="gzip", fletcher32=True)  # fmt: skip

    assert describe_table(path).rows == 40_000


def test_a_named_pipe_beside_the_file_is_never_opened(tmp_path: Path) -> None:
    """Opening it would wait for ever for somebody who writes into it."""
    os.mkfifo(tmp_path / "pipe")

    def pipe(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((7,), "f4", maxshape=(None,))
        layout[:] = h5py.VirtualSource(str(tmp_path / "pipe"), "timeseries", (7,), maxshape=(None,))
        file.create_virtual_dataset("v", layout)

    path = write(tmp_path / "host.h5")
    with h5py.File(path, "a") as file:
        pipe(file)

    with pytest.raises(UnsafeFileError, match="from other files"):
        describe_table(path)


def test_filters_that_are_not_read_are_named_with_a_remedy(tmp_path: Path) -> None:
    path = add(tmp_path, lambda file: file.create_dataset("x", data=np.arange(99), chunks=(9,), scaleoffset=8))

    with pytest.raises(InputError, match=r"uses a compression that cannot be read here \(x\).*h5repack"):
        describe_table(path)


@pytest.mark.parametrize("kind", [h5py.vlen_dtype(np.int32), h5py.ref_dtype, np.dtype([("a", "f4"), ("b", "f4")])])
def test_values_that_are_no_numbers_are_no_series(tmp_path: Path, kind: np.dtype) -> None:
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file.create_dataset("timeseries", (7, 3, 4), kind)
        file["date"] = np.array(DATES, dtype=np.bytes_)

    with pytest.raises(InputError, match="not a numeric cube"):
        describe_table(tmp_path / "t.h5")


@pytest.mark.parametrize("value", ["x" * 100_000, np.zeros((50, 50)), h5py.Empty("f4"), np.zeros(2)])
def test_attributes_that_are_no_single_value_are_none(tmp_path: Path, value: object) -> None:
    path = write(tmp_path / "t.h5", attributes={"WIDE": value})

    with open_hdf5_untrusted(path) as contents:
        assert len(contents.attribute("WIDE")) <= 201
        assert contents.attribute("MISSING") == ""
    with pytest.raises(InputError, match="radar coordinates"):
        describe_table(path)


def test_damage_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "t.h5", chunks=(3, 2, 2), compression="gzip", fletcher32=True)
    with h5py.File(path) as file:
        block = file["timeseries"].id.get_chunk_info(2)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[block.byte_offset + block.size // 2] ^= 0x10

    for content in (flipped, whole[:9], whole[:100], whole[: len(whole) // 2], whole[:-10]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"t\.h5 is damaged or truncated"):
            describe_table(path)


def test_the_store_takes_one_as_a_table_and_refuses_another_in_words(tmp_path: Path) -> None:
    path = write(tmp_path / "timeseries.he5")
    assert recognise(path, path.name) == recognise(path, "renamed.csv", "table")
    assert (recognise(path, path.name).form, recognise(path, path.name).suffix) == ("table", ".h5")
    check(path, "table")
    for form in ("raster", "vector"):
        with pytest.raises(InputError):
            recognise(path, path.name, form)  # type: ignore[arg-type]

    with h5py.File(tmp_path / "keras.h5", "w") as file:
        file["model_weights/dense"] = np.ones(3)
    with pytest.raises(InputError, match=r"keras\.h5 is not a MintPy time series.*it holds dense"):
        check(tmp_path / "keras.h5", "table")
    (tmp_path / "named.h5").write_text("a,b\n1,2\n")
    with pytest.raises(UnsafeFileError, match="not an HDF5 file"), open_hdf5_untrusted(tmp_path / "named.h5"):
        pass
