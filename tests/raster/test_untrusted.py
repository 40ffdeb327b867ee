import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from core.errors import InputError, LandslideError, UnsafeFileError
from core.raster import untrusted
from core.raster.scene import Scene, SceneReader
from core.raster.untrusted import open_untrusted, read_vectors_untrusted, resolve_inside, sniff

Make = Callable[..., Path]
Noise = Callable[..., np.ndarray]


def png_claiming(path: Path, width: int, height: int, interlaced: int = 0) -> Path:
    """A PNG of a hundred bytes whose header claims any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, interlaced))
    body = chunk(b"IDAT", zlib.compress(b"\x00" * 1000)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + body)
    return path


def sparse_tiff(path: Path, width: int, height: int, **profile: object) -> Path:
    """A GeoTIFF that claims any size and stores none of it."""
    settings = {
        "driver": "GTiff",
        "count": 1,
        "dtype": "uint8",
        "sparse_ok": True,
        "bigtiff": "yes",
    } | profile
    with rasterio.open(path, "w", width=width, height=height, **settings):
        pass
    return path


@pytest.mark.parametrize(("name", "driver"), [("a.tif", "GTiff"), ("a.png", "PNG"), ("a.jpg", "JPEG")])
def test_kind_is_told_by_content_not_by_name(make_raster: Make, noise: Noise, name: str, driver: str) -> None:
    path = make_raster(noise("uint8", 3), name)
    renamed = path.rename(path.with_name("image.vrt"))

    assert sniff(renamed) == driver
    assert Scene.open(renamed).driver == driver


@pytest.mark.parametrize("endianness", ["big", "little"])
@pytest.mark.parametrize("bigtiff", ["yes", "no"])
def test_every_flavour_of_tiff_is_known(
    make_raster: Make, noise: Noise, endianness: str, bigtiff: str
) -> None:
    path = make_raster(noise("uint16"), bigtiff=bigtiff, endianness=endianness)

    with Scene.open(path).reader() as reader:
        assert np.array_equal(reader.read([1]).values, noise("uint16"))


@pytest.mark.parametrize(
    "content",
    [
        b'<VRTDataset rasterXSize="5" rasterYSize="5"></VRTDataset>',
        b"<?xml version='1.0'?><wfs:FeatureCollection xmlns:gml='http://www.opengis.net/gml'/>",
        b"\x89HDF\r\n\x1a\n",
        b"PK\x03\x04",
        b"SQLite format 3\x00",
        b"GIF89a",
        b"%PDF-1.7",
        b"not an image",
    ],
)
def test_other_kinds_of_files_are_refused_under_the_name_of_an_image(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "innocent.tif"
    path.write_bytes(content)

    with pytest.raises(UnsafeFileError, match="not a GeoTIFF, PNG or JPEG"):
        Scene.open(path)


def test_vrt_that_works_elsewhere_is_refused(make_raster: Make, noise: Noise, tmp_path: Path) -> None:
    secret = make_raster(noise("uint8"), "secret.tif")
    vrt = tmp_path / "innocent.tif"
    vrt.write_text(
        '<VRTDataset rasterXSize="70" rasterYSize="45"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        f"<SourceFilename>{secret}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with rasterio.open(vrt) as dataset:
        assert (dataset.read() == noise("uint8")).all(), "GDAL itself would have read the secret"

    with pytest.raises(UnsafeFileError):
        Scene.open(vrt)


@pytest.mark.parametrize(
    "address",
    ["/vsicurl/http://127.0.0.1/a.tif", "/vsizip/a.zip/a.tif", "//vsimem/a.tif", "/VSIMEM/a", "/vsistdin/",
     "http://127.0.0.1/a.tif", "s3://bucket/a.tif", "zip+file:///a.zip!a.tif", "file:///etc/passwd"],
)  # fmt: skip
def test_addresses_are_refused(address: str) -> None:
    with pytest.raises(UnsafeFileError, match="address"):
        Scene.open(address)


def test_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.tif"
    os.mkfifo(pipe)

    for path in (pipe, Path("/dev/zero"), tmp_path):
        with pytest.raises(UnsafeFileError, match="ordinary"):
            Scene.open(path)


def test_missing_and_empty_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.tif").touch()

    with pytest.raises(InputError, match=r"no file nothing\.tif"):
        Scene.open(tmp_path / "nothing.tif")
    with pytest.raises(InputError, match=r"empty\.tif is empty"):
        Scene.open(tmp_path / "empty.tif")


@pytest.mark.parametrize("name", ["cut.tif", "cut.png", "cut.jpg"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.999])
def test_truncated_file_is_called_damaged(make_raster: Make, noise: Noise, name: str, share: float) -> None:
    path = make_raster(noise("uint8", 3, 400, 300), name)
    content = path.read_bytes()
    path.write_bytes(content[: max(12, int(len(content) * share))])

    with pytest.raises(InputError, match=r"cut.* is damaged"):
        Scene.open(path)


def test_truncated_file_is_called_damaged_inside_a_bare_reader_too(make_raster: Make, noise: Noise) -> None:
    path = make_raster(noise("uint8", 1, 400, 300), compress="deflate")
    path.write_bytes(path.read_bytes()[:-5000])

    with pytest.raises(InputError, match="damaged"), open_untrusted(path) as dataset:
        dataset.read()


def test_decompression_bombs_are_refused_by_their_headers(tmp_path: Path) -> None:
    for path in (
        png_claiming(tmp_path / "bomb.png", 100_000, 100_000),
        sparse_tiff(tmp_path / "bomb.tif", 60_000, 60_000, tiled=True),
        sparse_tiff(tmp_path / "wide.tif", 300_000, 300_000, tiled=True, blockxsize=8192, blockysize=8192),
    ):
        with pytest.raises(UnsafeFileError, match="declares"):
            Scene.open(path)


def test_block_too_large_to_decode_is_refused(make_raster: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_raster(np.zeros((3, 512, 512), "uint8"), tiled=True, blockxsize=512, blockysize=512)
    monkeypatch.setattr(untrusted, "MAX_BLOCK_BYTES", 3 * 512 * 512 - 1)

    with pytest.raises(UnsafeFileError, match="blocks of 512 by 512"):
        Scene.open(path)


def test_a_hundred_thousand_pixels_square_are_welcome_when_the_file_can_hold_them(tmp_path: Path) -> None:
    path = sparse_tiff(tmp_path / "large.tif", 100_000, 100_000, tiled=True, blockxsize=512, blockysize=512)
    with path.open("r+b") as file:
        file.truncate(10_000_000)

    with open_untrusted(path) as dataset:
        assert dataset.shape == (100_000, 100_000)


def test_absurd_number_of_bands_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeFileError, match="declares 5000 bands"):
        Scene.open(sparse_tiff(tmp_path / "bands.tif", 4, 4, count=5000))


def test_absurd_tags_are_refused(make_raster: Make, noise: Noise) -> None:
    path = make_raster(noise("uint8"))
    content = bytearray(path.read_bytes())
    start = struct.unpack_from("<I", content, 4)[0]
    for entry in range(struct.unpack_from("<H", content, start)[0]):
        place = start + 2 + 12 * entry
        if struct.unpack_from("<H", content, place)[0] in (256, 257):
            struct.pack_into("<HII", content, place + 2, 4, 1, 2_000_000_000)
    path.write_bytes(content)

    with pytest.raises(InputError, match="declares|damaged"):
        Scene.open(path)


def test_complex_values_are_refused(make_raster: Make) -> None:
    with pytest.raises(InputError, match="complex64"):
        Scene.open(make_raster(np.zeros((1, 4, 4), "complex64")))


def test_metadata_that_points_to_another_file_is_refused(make_raster: Make, noise: Noise) -> None:
    secret = make_raster(np.full((1, 100, 100), 99, "uint8"), "secret.tif")
    path = make_raster(np.full((1, 400, 400), 7, "uint8"))
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(secret))
    with rasterio.open(path) as dataset:
        assert (dataset.read(out_shape=(1, 100, 100)) == 99).all(), "GDAL itself would have read the secret"

    with pytest.raises(UnsafeFileError, match="refers to other files"):
        Scene.open(path)


def test_sidecars_change_nothing(make_raster: Make, noise: Noise) -> None:
    path = make_raster(noise("uint8"))
    make_raster(np.zeros((1, 10, 10), "uint8"), "scene.tif.ovr", driver="GTiff")
    make_raster(np.zeros((1, 45, 70), "uint8"), "scene.tif.msk", driver="GTiff")
    path.with_suffix(".tfw").write_text("10\n0\n0\n-10\n100\n100\n")
    path.with_suffix(".tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>7</NoDataValue></PAMRasterBand></PAMDataset>'
    )
    alone = make_raster(noise("uint8"), "alone.tif")

    scene = Scene.open(path)

    assert scene.digest == Scene.open(alone).digest
    assert scene.nodata is None
    with open_untrusted(path) as dataset:
        assert dataset.overviews(1) == []


class TestResolveInside:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "data"
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "a.tif").touch()
        (tmp_path / "secret.tif").touch()
        (tmp_path / "data-of-others").mkdir()
        (folder / "link.tif").symlink_to(tmp_path / "secret.tif")
        (folder / "out").symlink_to(tmp_path)
        (folder / "loop").symlink_to(folder / "loop")
        (folder / "inner.tif").symlink_to(folder / "deep" / "a.tif")
        return folder

    @pytest.mark.parametrize("relative", ["deep/a.tif", "./deep/a.tif", "inner.tif"])
    def test_finds_what_lies_inside(self, folder: Path, relative: str) -> None:
        assert resolve_inside(folder, relative) == (folder / "deep" / "a.tif").resolve()

    @pytest.mark.parametrize(
        "relative",
        ["../secret.tif", "deep/../../secret.tif", "/etc/passwd", "link.tif", "out/secret.tif", "",
         "a\x00.tif", "../data-of-others", "loop", "a" * 300, "http://x/a.tif", "deep/../deep/a.tif"],
    )  # fmt: skip
    def test_refuses_what_leads_out(self, folder: Path, relative: str) -> None:
        with pytest.raises(UnsafeFileError, match="inside the data folder"):
            resolve_inside(folder, relative)

    def test_says_what_is_missing_without_telling_where(self, folder: Path) -> None:
        with pytest.raises(InputError, match=r"no file b\.tif") as caught:
            resolve_inside(folder, "b.tif")

        assert str(folder) not in str(caught.value)


def test_every_refusal_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    path.write_bytes(b"nothing")

    with pytest.raises(LandslideError) as caught:
        Scene.open(path)

    assert caught.value.remedy


def test_a_large_interlaced_image_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = png_claiming(tmp_path / "a.png", 9_000, 9_000, interlaced=1)

    with pytest.raises(UnsafeFileError, match="interlaced PNG of 243 million bytes"):
        Scene.open(path)


@pytest.mark.parametrize("nodata", [None, 0, 9])
def test_blocks_that_were_never_written_are_not_read_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodata: int | None
) -> None:
    settings = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "nodata": nodata}
    values = np.full((2100, 2100), nodata or 0, np.uint8)
    values[600:800, 700:1100] = 5
    sparse, dense = sparse_tiff(tmp_path / "sparse.tif", 2100, 2100, **settings), tmp_path / "dense.tif"
    with rasterio.open(sparse, "r+") as file:
        file.write(values[512:1024, 512:1280], 1, window=((512, 1024), (512, 1280)))
    with rasterio.open(dense, "w", driver="GTiff", width=2100, height=2100, count=1, dtype="uint8", **settings) as file:
        file.write(values, 1)
    read: list[Window] = []
    plain = SceneReader.read_bands
    monkeypatch.setattr(SceneReader, "read_bands", lambda self, window: (read.append(window), plain(self, window))[1])

    digest = Scene.open(sparse).digest

    # Of 25 tiles two hold something; of the others, which are of four sizes, one of each size is read.
    assert len(read) == 6
    assert digest == Scene.open(dense).digest


@pytest.mark.parametrize(("code", "name"), [(50002, "JXL"), (34712, "JP2000"), (65000, "65000"), (6, "Old-JPEG")])
def test_a_codec_that_is_not_there_is_no_damage(make_raster: Make, noise: Noise, code: int, name: str) -> None:
    path = make_raster(noise("uint8"), compress=None)
    content = path.read_bytes()
    plain, other = (struct.pack("<HHIH", 259, 3, 1, number) for number in (1, code))
    assert plain in content
    path.write_bytes(content.replace(plain, other, 1))

    with pytest.raises(InputError, match=rf"uses a compression that cannot be read here \({name}\)"):
        Scene.open(path)


@pytest.mark.parametrize("suffix", [".tif", ".gpkg"])
def test_paths_that_no_disk_follows_are_no_files(tmp_path: Path, suffix: str) -> None:
    read = Scene.open if suffix == ".tif" else read_vectors_untrusted
    loop = tmp_path / f"loop{suffix}"
    loop.symlink_to(loop)
    for path in (loop, tmp_path / ("a" * 300 + suffix)):
        with pytest.raises(InputError, match="cannot be resolved"):
            read(path)


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
def test_a_name_that_is_no_text_is_said(make_raster: Make, noise: Noise, tmp_path: Path) -> None:
    named = make_raster(noise("uint8")).rename(tmp_path / os.fsdecode(b"a\xff.tif"))

    with pytest.raises(InputError, match="not UTF-8 text"):
        Scene.open(named)


@pytest.mark.parametrize("size", [(1, 2_000_000), (2_000_000, 1)])
def test_a_raster_of_a_line_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    """Each of its blocks takes as long as a whole one: a file of 200 bytes could keep the server busy for minutes."""
    with pytest.raises(UnsafeFileError, match="pixels on one side"):
        Scene.open(sparse_tiff(tmp_path / "line.tif", *size))


def test_a_coordinate_system_whose_name_is_no_text_is_an_error_for_users(
    make_raster: Make, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GDAL gives rasterio the name as it stands in the file, and rasterio takes it for UTF-8."""
    path = make_raster(noise("uint8"))

    def read_name(*where: object, **how: object) -> None:
        raise UnicodeDecodeError("utf-8", b"\x8e", 0, 1, "invalid start byte")

    monkeypatch.setattr(rasterio, "open", read_name)
    with pytest.raises(InputError, match="damaged"), open_untrusted(path):
        pass
