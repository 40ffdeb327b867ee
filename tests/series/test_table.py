"""Tables are read as they were meant, and never do anything else."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError, LandslideError, UnsafeFileError
from core.series import delimited, table, workbook
from core.series.table import describe_table, is_workbook, read_table_untrusted

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def it(content: str | bytes, name: str = "table.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
        return path

    return it


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., Path]:
    """Return what makes a workbook of rows by the name of their sheet."""
    import openpyxl

    def make(hidden: tuple[str, ...] = (), **sheets: list[list[Any]]) -> Path:
        made = openpyxl.Workbook()
        made.remove(made.active)
        for name, rows in sheets.items():
            sheet = made.create_sheet(name)
            sheet.sheet_state = "hidden" if name in hidden else "visible"
            for row in rows:
                sheet.append(row)
        made.save(tmp_path / "book.xlsx")
        return tmp_path / "book.xlsx"

    return make


def changed(path: Path, parts: dict[str, str | bytes]) -> Path:
    """A workbook with some parts in place of its own."""
    with zipfile.ZipFile(path) as archive:
        contents: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**contents, **parts}.items():
            archive.writestr(name, content)
    return path


def sheet(rows: str, before: str = "") -> str:
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?>{before}<worksheet xmlns="{namespace}"><sheetData>{rows}</sheetData></worksheet>'


SHEET = "xl/worksheets/sheet1.xml"


# Text


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("date,rain,flow\n2017-01-15,4.0,1\n2017-01-16,3.5,2\n", ".csv"),
        ("date;rain;flow\n2017-01-15;4,0;1\n2017-01-16;3,5;2\n", ".csv"),
        ("date;rain;flow\n2017-01-15;4.0;1\n2017-01-16;3.5;2\n", ".csv"),
        ("date\train\tflow\n2017-01-15\t4.0\t1\n2017-01-16\t3.5\t2\n", ".tsv"),
        ("date|rain|flow\n2017-01-15|4.0|1\n2017-01-16|3.5|2\n", ".csv"),
        ("date, rain, flow\r\n2017-01-15, 4.0, 1\r\n2017-01-16, 3.5, 2\r\n\r\n", ".csv"),
        ('"date","rain","flow"\n"2017-01-15",4.0,1\n"2017-01-16",3.5,2', ".csv"),
    ],
    ids=["commas", "decimal commas", "semicolons", "tabs", "bars", "Windows", "quotes"],
)
def test_fields_are_told_apart_by_what_stands_between_them(write: Write, text: str, suffix: str) -> None:
    path = write(text)

    frame, info = read_table_untrusted(path), describe_table(path)

    assert (info.suffix, info.columns, info.rows, info.sheets) == (suffix, ("date", "rain", "flow"), 2, ())
    assert list(frame.columns) == ["date", "rain", "flow"]
    assert frame["rain"].tolist() == [4.0, 3.5]
    assert frame["flow"].tolist() == [1, 2]
    assert frame["date"].tolist() == ["2017-01-15", "2017-01-16"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_words_are_read_in_their_encoding(write: Write, encoding: str) -> None:
    path = write("Ort;Höhe\nTäsch;1449\n", encoding=encoding)

    assert read_table_untrusted(path).to_dict("list") == {"Ort": ["Täsch"], "Höhe": [1449]}


def test_lines_above_the_header_are_left_out(write: Write) -> None:
    path = write(
        "PBO Station Position Time Series.\nReference Frame, NAM08\nReference position, 42.6 North, -114.8 East\n"
        "Date, North (mm), East (mm), Quality,\n2017-01-15,0.00, 1.50, repro,\n2017-01-16,-5.47, , repro,\n"
    )

    frame = read_table_untrusted(path)

    assert list(frame.columns) == ["Date", "North (mm)", "East (mm)", "Quality"]
    assert frame["North (mm)"].tolist() == [0.0, -5.47]
    assert frame["East (mm)"].isna().tolist() == [False, True]


def test_real_records_of_instruments_are_read(shared_data: Path) -> None:
    station = read_table_untrusted(shared_data / "salmon_falls_gps" / "BLKM.pbo.nam08.csv")
    merged = describe_table(shared_data / "salmon_falls_gps" / "daily_merged.csv")
    points = read_table_untrusted(shared_data / "ecuador_lsl" / "lsl.csv")

    assert list(station.columns[:3]) == ["Date", "North (mm)", "East (mm)"]
    assert station["North (mm)"].dtype.kind == "f"
    assert merged.columns[:2] == ("date", "BASE_n_mm")
    assert len(points) == 350
    assert points["lslpts"].dtype == bool


def test_the_beginning_alone_can_be_read(write: Write, book: Callable[..., Path]) -> None:
    rows = [[number, number * 2] for number in range(5_000)]
    text = write("a,b\n" + "\n".join(f"{a},{b}" for a, b in rows))
    sheets = book(one=[["a", "b"], *rows[:50]])

    for path in (text, sheets):
        assert read_table_untrusted(path, rows=3).to_numpy().tolist() == [[0, 0], [1, 2], [2, 4]]
    assert describe_table(text).rows == 5_000
    assert describe_table(write("a,b\n")).rows == 0


@pytest.mark.parametrize("formula", ["=1+1", "=cmd|' /C calc'!A0", "@SUM(1,1)", '=HYPERLINK("http://x")', "+1-1"])
def test_what_looks_like_a_formula_stays_text(write: Write, book: Callable[..., Path], formula: str) -> None:
    quoted = formula.replace('"', '""')

    assert read_table_untrusted(write(f'a,b\n"{quoted}",1\n'))["a"].tolist() == [formula]
    made = changed(book(one=[["a"], ["x"]]), {
        SHEET: sheet(
            '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row><row r="2"><c r="A2" t="str"><f>1+1</f>'
            '<v>saved</v></c></row><row r="3"><c r="A3"><f>2+2</f></c><c r="B3"><v>7</v></c></row>'
        )
    })  # fmt: skip
    assert read_table_untrusted(made).iloc[0].tolist()[0] == "saved"


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "is empty"),
        (b"a,b\n1,\x00\n", "not a CSV, TSV or Excel table"),
        (b"\x7fELF\x02\x01\x01\x00" + bytes(64), "not a CSV, TSV or Excel table"),
        (b"<html><body>404</body></html>", "a web page or XML"),
        (b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>", "a web page or XML"),
        (b"\n\n\n", "holds no table rows"),
        (b"a,b\n1,2\n1,2,3,4\n", "Expected 2 fields"),
        (b'a,b\n1,"2\n3,4\n', "inside string"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "Excel 97"),
        (b"PK\x03\x04" + bytes(60), "not an Excel workbook"),
    ],
    ids=["empty", "NUL", "program", "HTML", "XML", "blank", "ragged", "open quote", "xls", "zip"],
)
def test_what_is_no_table_is_refused(write: Write, content: bytes, match: str) -> None:
    path = write(content)

    for ask in (describe_table, read_table_untrusted):
        with pytest.raises(LandslideError, match=match):
            ask(path)


@pytest.mark.parametrize("name", ["http://localhost/table.csv", "/vsicurl/http://localhost/table.csv", "s3://b/t.csv"])
def test_addresses_are_not_opened(name: str) -> None:
    with pytest.raises(UnsafeFileError, match="is an address"):
        read_table_untrusted(name)


def test_a_table_packed_by_a_compressor_is_not_unpacked(write: Write) -> None:
    import gzip

    path = write(gzip.compress(b"a,b\n1,2\n" * 1000), "table.csv.gz")

    with pytest.raises(InputError, match="not a table|not a CSV"):
        read_table_untrusted(path)


def test_a_table_that_is_too_large_is_refused_before_it_is_read(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: tuple[tuple[Any, str, int, str, str], ...] = (
        (delimited, "MAX_TEXT_BYTES", 10, "a,b\n1,2\n3,4\n", "the limit is 0 MB"),
        (delimited, "MAX_LINE", 50, "a,b\n1," + "2" * 60, "a line of more than 50"),
        (table, "MAX_ROWS", 10, "a,b\n" + "1,2\n" * 20, "21 rows; the limit is 10"),
        (table, "MAX_COLUMNS", 3, "a,b,c,d\n1,2,3,4\n", "4 columns; the limit is 3"),
        (table, "MAX_CELLS", 5, "a,b\n1,2\n1,2\n", "6 cells; the limit is 5"),
    )
    for module, name, most, text, match in limits:
        with monkeypatch.context() as patch:
            patch.setattr(module, name, most)
            with pytest.raises(UnsafeFileError, match=match):
                read_table_untrusted(write(text))


def test_a_line_without_an_end_is_found_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "endless.csv"
    with path.open("wb") as file:
        for _ in range(60):
            file.write(b"1," * 500_000)
    tracemalloc.start()

    with pytest.raises(UnsafeFileError, match="a line of more than"):
        read_table_untrusted(path)

    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()


# Workbooks


def test_a_workbook_is_read_by_sheet(book: Callable[..., Path]) -> None:
    from datetime import datetime

    day = datetime(2024, 5, 1, 12)
    path = book(
        hidden=("secret",), empty=[], secret=[["x"], [1]],
        rain=[["Station 7"], ["day", "mm", None], [day, 2.5, None], [day, "#N/A", None]], flow=[["m3"], [3]],
    )  # fmt: skip

    info, frame = describe_table(path), read_table_untrusted(path)

    assert info == table.TableInfo(".xlsx", ("day", "mm"), 2, ("empty", "rain", "flow"))
    assert frame["mm"].tolist()[0] == 2.5
    assert frame["mm"].isna().tolist() == [False, True]
    assert frame["day"].dtype.kind == "M"
    assert read_table_untrusted(path, sheet="flow").to_dict("list") == {"m3": [3]}
    for name in ("secret", "other"):
        with pytest.raises(InputError, match=f"no sheet '{name}'. Its sheets: empty, rain, flow"):
            read_table_untrusted(path, sheet=name)
    with pytest.raises(InputError, match="holds no rows"):
        read_table_untrusted(path, sheet="empty")


def test_columns_of_one_name_are_told_apart(book: Callable[..., Path], write: Write) -> None:
    rows = [["a", "a", "a.1"], [1, 2, 3]]

    assert len(set(read_table_untrusted(book(one=rows)).columns)) == 3
    assert len(set(read_table_untrusted(write("a,a,a.1\n1,2,3\n")).columns)) == 3


def test_a_workbook_is_told_from_other_archives(book: Callable[..., Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "shape.zip", "w") as archive:
        archive.writestr("layer.shp", b"")

    assert is_workbook(book(one=[["a"], [1]]))
    assert not is_workbook(tmp_path / "shape.zip")


BOMB = '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
FOREIGN = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("before", [BOMB, FOREIGN], ids=["entities", "another file"])
@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "[Content_Types].xml", "xl/_rels/workbook.xml.rels"])
def test_xml_that_declares_anything_is_refused(book: Callable[..., Path], part: str, before: str) -> None:
    path = book(one=[["a"], [1]])
    with zipfile.ZipFile(path) as archive:
        content = archive.read(part).decode()
    head, _, body = content.rpartition("?>")
    changed(path, {part: f"{head}?>{before}{body}" if head else before + body})

    with pytest.raises(UnsafeFileError, match="declares entities"):
        read_table_untrusted(path)


def test_a_declaration_in_another_encoding_is_refused_as_well(book: Callable[..., Path]) -> None:
    content = '<?xml version="1.0" encoding="utf-16"?>' + sheet("", BOMB).removeprefix('<?xml version="1.0"?>')
    path = changed(book(one=[["a"], [1]]), {SHEET: content.encode("utf-16")})

    with pytest.raises(UnsafeFileError, match="declares entities"):
        read_table_untrusted(path)


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(book: Callable[..., Path]) -> None:
    path = book(one=[["a"], [1]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/big.bin", "w") as member:
        for _ in range(250):
            member.write(bytes(1_000_000))
    assert path.stat().st_size < 1_000_000
    tracemalloc.start()

    with pytest.raises(UnsafeFileError, match="unpacks to 250 MB"):
        read_table_untrusted(path)

    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ('<row r="1">' + "<c/>" * 5_000 + "</row>", "columns; the limit"),
        ("<row><c/></row>" * 3_000, "more than 5,000 cells or strings"),
        ('<row r="2000000000"><c r="A2000000000"><v>1</v></c></row>', "more rows than a sheet can have"),
        ("<row>" * 70 + "</row>" * 70, "is damaged"),
        ('<row r="1"><c r="A1"><v>1</v>', "is damaged"),
        ('<row r="1"><c r="A1" t="s"><v>999</v></c></row>', "is damaged"),
    ],
    ids=["one huge row", "many rows", "a row far below", "deep", "cut off", "no such string"],
)
def test_sheets_that_would_exhaust_the_server_are_refused(
    book: Callable[..., Path], rows: str, match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_WORKBOOK_CELLS", 5_000)

    path = changed(book(one=[["a"], [1]]), {SHEET: sheet(rows)})

    with pytest.raises(LandslideError, match=match):
        read_table_untrusted(path)


def test_a_size_that_a_sheet_claims_is_not_believed(book: Callable[..., Path]) -> None:
    path = book(one=[["a"], [1]])
    with zipfile.ZipFile(path) as archive:
        content = archive.read(SHEET).decode()
    assert 'ref="A1:A2"' in content
    changed(path, {SHEET: content.replace('ref="A1:A2"', 'ref="A1:XFD1048576"')})

    assert read_table_untrusted(path).to_dict("list") == {"a": [1]}


def test_parts_that_are_no_table_may_not_be_large(book: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_OTHER_PART", 100)

    with pytest.raises(UnsafeFileError, match="that is not a table"):
        read_table_untrusted(book(one=[["a"], [1]]))


@pytest.mark.parametrize("keep", [100, 2_000, 4_000])
def test_a_workbook_that_was_cut_short_is_damaged(book: Callable[..., Path], keep: int) -> None:
    path = book(one=[["a"], *[[number] for number in range(300)]])
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(InputError):
        read_table_untrusted(path)


def test_links_to_other_files_are_not_followed(book: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "secret.xlsx").write_bytes(b"secret")
    path = book(one=[["a"], [1]])
    target = (tmp_path / "secret.xlsx").as_uri()
    links = "http://schemas.openxmlformats.org/package/2006/relationships"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/externalLinkPath"
    link = f'<Relationship Id="r1" Type="{kind}" Target="{target}" TargetMode="External"/>'
    rels = f'<Relationships xmlns="{links}">{link}</Relationships>'
    changed(path, {"xl/externalLinks/_rels/externalLink1.xml.rels": rels})

    assert read_table_untrusted(path).to_dict("list") == {"a": [1]}


def test_a_stream_of_any_kind_is_no_path(book: Callable[..., Path]) -> None:
    with pytest.raises(TypeError):
        read_table_untrusted(io.BytesIO(book(one=[["a"], [1]]).read_bytes()))  # type: ignore[arg-type]
