"""A table in a zip archive: read where it is the only one, refused where the archive is not what it says."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from core.errors import InputError, UnsafeFileError
from core.runs.content import recognise
from core.series.table import describe_table, is_zipped_table, read_table_untrusted

ROWS = "date,mm\n" + "".join(f"2020-01-{day:02d},{day}.5\n" for day in range(1, 21))


def archive(folder: Path, **members: str) -> Path:
    path = folder / "table.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in members.items():
            file.writestr(name, text)
    return path


def test_the_one_table_of_an_archive_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = archive(tmp_path, **{"../../evil.csv": ROWS, "about.xml": "<a/>", "__MACOSX/._evil.csv": "x"})

    info = describe_table(path)
    assert (info.suffix, info.columns, info.rows) == (".zip", ("date", "mm"), 20)
    assert read_table_untrusted(path)["mm"].tolist()[:2] == [1.5, 2.5]
    assert len(read_table_untrusted(path, rows=3)) == 3
    assert recognise(path, path.name).form == "table"
    assert sorted(one.name for one in tmp_path.parent.iterdir() if one.name == "evil.csv") == []
    with pytest.raises(InputError, match="has no sheets"):
        describe_table(path, sheet="one")


@pytest.mark.parametrize("members", [{"a.csv": ROWS, "b.csv": ROWS}, {"a.csv": ROWS, "run.sh": "x"}, {"a.xml": "<a/>"}])
def test_archives_with_anything_else_are_no_tables(tmp_path: Path, members: dict[str, str]) -> None:
    path = archive(tmp_path, **members)

    assert not is_zipped_table(path)
    with pytest.raises(InputError):
        read_table_untrusted(path)


def test_an_archive_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, **{"a.csv": "a,b\n" + "0,0\n" * 3_000_000})

    with pytest.raises(UnsafeFileError, match="when unpacked"):
        describe_table(path)


def test_a_damaged_or_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, **{"a.csv": ROWS * 50})
    content = bytearray(path.read_bytes())
    content[60:90] = b"\x00" * 30
    path.write_bytes(bytes(content))

    with pytest.raises(InputError):
        read_table_untrusted(path)
