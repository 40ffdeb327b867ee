"""Files of MintPy are read by a process of its own, so that no file can end that of the server."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError, StorageError, UnsafeFileError
from core.runs.store import Store
from core.series.columns import QuestionError
from core.series.insar import mintpy
from core.series.insar.extract import Question, answer
from core.series.insar.mintpy import points_of_h5
from tests.series.insar.cubes import GRID, write, write_eos

ROOT = Path(__file__).resolve().parents[3]


def test_a_process_of_its_own_reads_what_is_read_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_eos(tmp_path / "S1.he5")
    monkeypatch.chdir(tmp_path)  # it finds the program from anywhere
    apart = points_of_h5(path, "S1.he5")

    monkeypatch.setattr(mintpy, "read_apart", answer)
    here = points_of_h5(path, "S1.he5")

    np.testing.assert_array_equal(apart.values, here.values)
    np.testing.assert_array_equal(apart.attributes, here.attributes)
    assert apart.notes == here.notes
    assert apart.ids.tolist() == here.ids.tolist()


def test_what_it_refuses_or_asks_comes_back_in_the_same_words(tmp_path: Path) -> None:
    path = write(tmp_path / "t.h5", attributes=GRID | {"X_UNIT": "meters"})

    with pytest.raises(QuestionError, match=r"coordinate system of ours is unknown") as caught:
        points_of_h5(path, "ours")
    assert (caught.value.asks, caught.value.remedy) == ("crs", "Name the system, such as EPSG:32633 (--crs).")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match="ours is damaged"):
        points_of_h5(path, "ours")


def instead(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Another program for the process."""
    monkeypatch.setattr(mintpy, "arguments", lambda *_: [])
    run = mintpy.subprocess.run
    monkeypatch.setattr(mintpy.subprocess, "run", lambda command, **rest: run([command[0], "-c", program], **rest))


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "HDF5 library crashes on it"),
        ("import time; time.sleep(60)", "not read within 1 seconds"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "not read within 1 seconds"),
    ],
)
def test_a_file_on_which_it_crashes_or_hangs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    instead(monkeypatch, program)
    monkeypatch.setattr(mintpy, "LONGEST", 1.0)

    with pytest.raises(UnsafeFileError, match=message):
        points_of_h5(write(tmp_path / "t.h5"), "t.h5")


def test_a_fault_of_ours_is_not_taken_for_one_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead(monkeypatch, "raise KeyError('ours')")

    with pytest.raises(RuntimeError, match=r"KeyError: 'ours'"):
        points_of_h5(write(tmp_path / "t.h5"), "t.h5")


def test_what_it_finds_too_large_or_cannot_write_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "t.h5")

    def fails(error: Exception) -> None:
        def extract(_question: Question, _folder: Path) -> dict[str, object]:
            raise error

        monkeypatch.setattr("core.series.insar.extract.extract", extract)
        monkeypatch.setattr(mintpy, "read_apart", answer)

    fails(MemoryError())
    with pytest.raises(UnsafeFileError, match=r"t\.h5 needs more memory"):
        points_of_h5(path, "t.h5")
    fails(OSError(28, "No space left on device"))
    with pytest.raises(StorageError, match="cannot be written: No space left on device"):
        points_of_h5(path, "t.h5")


def test_no_other_process_opens_such_a_file() -> None:
    sources = [path for folder in ("core", "ui", "pages") for path in (ROOT / folder).rglob("*.py")]
    named = {str(path.relative_to(ROOT)) for path in sources if "open_hdf5_untrusted" in path.read_text("utf-8")}
    assert named == {"core/series/hdf5.py", "core/series/insar/extract.py"}


def test_an_upload_is_kept_and_shown_by_the_name_it_came_with(store: Store, tmp_path: Path) -> None:
    content = write_eos(tmp_path / "made.h5").read_bytes()

    record = store.upload_dataset(io.BytesIO(content), "S1_IW12_128.he5")

    assert (record.form, record.name, record.path.suffix) == ("table", "S1_IW12_128.he5", ".h5")
    shown = store.preview(record.id)
    assert (shown.rows, shown.columns[:3]) == (6, ("pid", "longitude", "latitude"))
    assert shown.head is not None
    assert len(shown.head) == 6
    with pytest.raises(InputError, match=r"cut\.he5 is damaged"):
        store.upload_dataset(io.BytesIO(content[:2_000]), "cut.he5")
