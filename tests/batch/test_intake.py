"""Files of a batch: each is read by itself, and no file, zip or name harms the others or the server."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.batch import intake
from core.batch.batches import Refused
from core.errors import InputError, UnsafeFileError
from core.runs.store import Store
from tests.factories import ramp, write_raster


def png(shade: int, side: int = 8) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), shade, np.uint8)).save(file, "PNG")
    return file.getvalue()


def zipped(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def taken(store: Store, *files: tuple[str, bytes]) -> intake.Taken:
    sources, refused = intake.expanded((name, io.BytesIO(content), len(content)) for name, content in files)
    found = intake.take_uploads(store, sources)
    return intake.Taken(found.scenes, (*refused, *found.refused), found.notes)


def names(found: intake.Taken) -> list[str]:
    return [one.scene.name for one in found.scenes]


def test_a_damaged_file_does_not_stop_the_others(quick_store: Store) -> None:
    found = taken(quick_store, ("a.png", png(1)), ("cut.png", png(2, 64)[:-40]), ("b.png", png(3)))

    assert names(found) == ["a.png", "b.png"]
    (refused,) = found.refused
    assert refused.name == "cut.png"
    assert "damaged" in refused.why


def test_the_images_of_a_zip_are_taken_by_their_names_alone(quick_store: Store, tmp_path: Path) -> None:
    files = {"../../north/a.png": png(1), "b.PNG": png(2), "notes.txt": b"x", "__MACOSX/a.png": b"x", ".c.png": b"x"}
    found = taken(quick_store, ("few.zip", zipped(**files)))

    assert names(found) == ["a.png", "b.PNG"]
    assert found.refused == ()
    assert not list(tmp_path.rglob("north"))


def test_zips_that_are_none_or_hold_no_image_are_refused(quick_store: Store) -> None:
    sources, refused = intake.expanded(
        [("no.zip", io.BytesIO(b"PK nothing"), 10), ("texts.zip", io.BytesIO(zipped(a=b"x")), 10)]
    )
    assert sources == []
    assert [one.why.split(".")[0] for one in refused] == ["no", "texts"]
    assert "damaged or not a ZIP file" in refused[0].why
    assert "holds no image" in refused[1].why


def test_a_bomb_is_refused_before_it_is_unpacked(quick_store: Store) -> None:
    found = taken(quick_store, ("bomb.zip", zipped(**{"a.png": png(1), "big.tif": bytes(3_000_000)})))

    assert names(found) == ["a.png"]
    assert "far more than its size in the ZIP" in found.refused[0].why


def test_a_zip_that_says_it_is_smaller_than_it_is_gives_no_more(quick_store: Store) -> None:
    content = bytearray(zipped(**{"a.tif": bytes(range(256)) * 40}))
    for at in (content.index(b"PK\x03\x04") + 22, content.index(b"PK\x01\x02") + 24):
        content[at : at + 4] = (100).to_bytes(4, "little")
    (source,) = intake.expanded([("a.zip", io.BytesIO(bytes(content)), 1)])[0]

    assert source.size == 100
    with source.open() as stream, pytest.raises(InputError, match="damaged"):
        stream.read(200)


def test_too_many_or_too_much_is_refused_before_anything_is_kept(
    quick_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_IMAGES", 2)
    with pytest.raises(InputError, match="3 images were given; the limit of a batch is 2"):
        taken(quick_store, *((f"{number}.png", png(number)) for number in range(3)))
    monkeypatch.setattr(intake, "MOST_BYTES", 100)
    with pytest.raises(UnsafeFileError, match="in total"):
        taken(quick_store, ("a.png", png(1)), ("b.png", png(2)))
    with pytest.raises(InputError, match="no image"):
        taken(quick_store)
    assert list(quick_store.datasets()) == []


def test_an_image_given_twice_is_one(quick_store: Store) -> None:
    found = taken(quick_store, ("a.png", png(1)), ("a.png", png(1)))
    assert names(found) == ["a.png"]
    assert found.refused == (Refused("a.png", "The same image is already in the list."),)


def test_references_are_matched_by_name_or_number(quick_store: Store) -> None:
    images = [("image_07.png", png(1)), ("north.png", png(2)), ("south.png", png(3))]
    masks = [("mask_7.png", png(0)), ("north.png", png(0)), ("west.gpkg", b"x")]
    sources = intake.expanded((name, io.BytesIO(content), 1) for name, content in images)[0]
    references = [intake.Source(name, 1, lambda file=file: io.BytesIO(file)) for name, file in masks]  # type: ignore[misc]
    found = intake.take_uploads(quick_store, sources, references=references)

    assert names(found) == ["image_07.png", "north.png", "south.png"]
    assert [one.reference is not None for one in found.scenes] == [True, True, False]
    assert found.notes == ("west.gpkg was not used as a reference: no image has the same name or number.",)


def test_images_of_a_folder_come_in_the_order_in_which_people_count(quick_store: Store, tmp_path: Path) -> None:
    for name in ("patch10.tif", "patch9.tif"):
        write_raster(tmp_path / name, ramp(8, 9 if "9" in name else 8))
    (tmp_path / "readme.txt").write_text("x")
    (tmp_path / "within").mkdir()
    paths = intake.files_in(tmp_path)
    assert [one.name for one in paths] == ["patch9.tif", "patch10.tif"]
    assert names(intake.take_files(quick_store, paths, "here")) == ["patch9.tif", "patch10.tif"]
    with pytest.raises(InputError, match="contains no"):
        intake.files_in(tmp_path / "within")
    with pytest.raises(InputError, match="cannot be read"):
        intake.files_in(tmp_path / "nowhere")
