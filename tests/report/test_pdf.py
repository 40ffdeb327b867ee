"""A report is also a PDF: numbered pages, heads on each, text that can be found, whatever the names in it are."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from core.report.content import ReportInput, ReportKind
from core.report.parts import (
    Column,
    Facts,
    Heading,
    Items,
    KeyFigure,
    KeyFigures,
    Notice,
    Paragraph,
    Part,
    Picture,
    Pictures,
    Table,
)
from core.report.pdf import write_pdf
from core.report.pdf_text import marked
from core.runs.records import Input
from core.runs.result import RunResult

HOSTILE = '<para><img src="/etc/passwd"/></b> & &amp; <a href="javascript:x">' + "x" * 300


def content(**changes: object) -> ReportInput:
    result = RunResult(id="0123abcd" * 4, kind="k", folder=Path(), inputs=(Input("scene", "", HOSTILE, ""),))
    return ReportInput("mapping", "mapping", result, datetime(2026, 1, 1, tzinfo=UTC), **changes)  # type: ignore[arg-type]


def picture() -> Picture:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), (200, 120, 40)).save(file, "PNG")
    return Picture(file.getvalue(), "image/png", 60, 40, "alt", HOSTILE, 400)


def everything() -> Iterator[Part]:
    yield Part("first", HOSTILE, (
        Paragraph(HOSTILE, lead=True), Heading("Heading"), Items((HOSTILE,), "Title"), Notice("Look", HOSTILE * 5),
        KeyFigures((KeyFigure("a", "1", "b"),) * 5), Pictures((picture(), picture())), Pictures((picture(),)),
        Facts("Facts", (("SHA-256", "a" * 640),)),
    ))  # fmt: skip
    rows = tuple((f"row {number}", f"{number:,}") for number in range(150))
    yield Part("second", "Table", (Table("Caption", (Column("Name"), Column("Number", number=True)), rows),))
    yield Part("third", "Tall", (Table("Caption", (Column("Name"), Column("Words")), (("a", "word " * 4000),)),))
    for name in ("fourth", "fifth"):
        yield Part(name, name.capitalize(), (Paragraph("Text"),))


def written(path: Path, of: ReportInput) -> bytes:
    write_pdf(of, ReportKind("Map of", None, lambda _: everything()), path)  # type: ignore[arg-type]
    return path.read_bytes()


def test_pages_are_numbered_titled_and_linked(tmp_path: Path) -> None:
    file = written(tmp_path / "a.pdf", content(address='https://example.org/?run=1&b="<x>', tags=("a<b",), note="A\nB"))

    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", file))
    assert pages >= 6  # 150 rows and 4,000 words do not fit on fewer
    assert re.search(rb"/Count %d\b" % pages, file)
    assert b"/Lang (en)" in file
    assert b"D:20260101000000+00'00'" in file  # when the report was made
    assert re.search(rb"/DisplayDocTitle true", file)
    assert b"/URI (https://example.org/?run=1&b=\"<x>)" in file
    assert b"javascript" not in b"".join(re.findall(rb"/URI \(.*?\)", file))
    assert len(re.findall(rb"/Title \(", file)) == 1 + 5  # of the document, and a bookmark for each part
    assert b"/ToUnicode" in file  # what is shown can be selected as text


def test_equal_reports_are_equal_files(tmp_path: Path) -> None:
    assert written(tmp_path / "a.pdf", content()) == written(tmp_path / "b.pdf", content())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<b> & "c"', '&lt;b&gt; &amp; "c"'),
        ("5 m", "5\N{NO-BREAK SPACE}m"),
        ("a\nb", "a<br/>b"),
        ("\x00\x07\x1b[31m", "   [31m"),
        ("汶川 slide", '<font name="STSong-Light">汶川</font> slide'),
        ("さ", '<font name="HeiseiMin-W3">さ</font>'),
        ("\N{EGYPTIAN HIEROGLYPH A001}", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_text_is_never_markup_and_every_sign_has_a_font(text: str, expected: str) -> None:
    assert marked(text) == expected


@pytest.mark.parametrize(("left", "expected"), [(500, 200), (210, 200), (180, 170), (151, 141), (149, 200)])
def test_a_picture_shrinks_a_little_to_end_a_page_and_else_begins_the_next(left: float, expected: float) -> None:
    from reportlab.platypus import Image as Shown
    from reportlab.platypus import Spacer

    from core.report.pdf_picture import PictureWithCaption

    shown = Shown(io.BytesIO(picture().file), 300, 200)
    both = PictureWithCaption(shown, Spacer(0, 10))
    assert both.wrap(400, left) == (400, expected + 10)
    assert (shown.drawWidth, shown.drawHeight) == pytest.approx((300 * expected / 200, expected))
    assert both.wrap(400, 500) == (400, 210), "a page later it has its own size"


@pytest.mark.parametrize(("empty", "pages"), [(300, 1), (540, 1), (565, 1), (600, 2)])
def test_a_picture_shrinks_below_its_heading_as_well(tmp_path: Path, empty: float, pages: int) -> None:
    """Of 744 points of a page, heading and caption take about 26; a picture of 200 may shrink to 140."""
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Image as Shown
    from reportlab.platypus import Paragraph as Text
    from reportlab.platypus import Spacer

    from core.report.pdf_page import build
    from core.report.pdf_picture import PictureWithCaption

    heading = Text("Heading", ParagraphStyle("", fontName="Helvetica", keepWithNext=1, spaceAfter=4))
    shown = Shown(io.BytesIO(picture().file), 300, 200)
    story = [Spacer(0, empty), heading, PictureWithCaption(shown, Spacer(0, 10))]
    made = datetime(2026, 1, 1, tzinfo=UTC)
    build(tmp_path / "made.pdf", story, {}, made, "foot", "Helvetica")
    assert len(re.findall(rb"/Type /Page\b", (tmp_path / "made.pdf").read_bytes())) == pages
    assert shown.drawHeight == (200 if empty == 300 or pages == 2 else pytest.approx(744 - empty - 26, abs=2))


def test_a_sentence_stays_with_the_picture_that_it_introduces() -> None:
    from core.report.pdf import _body

    drawn = Pictures((picture(),))
    story = list(_body([Part("a", "A", (Paragraph("First."), Paragraph("Then."), drawn, Paragraph("Last.")))]))
    held = {one.getPlainText(): bool(one.getKeepWithNext()) for one in story if hasattr(one, "getPlainText")}
    assert [held[words] for words in ("A", "First.", "Then.", "Last.")] == [True, False, True, False]


def test_heads_of_tables_keep_their_units_and_have_room_for_them() -> None:
    from core.report.pdf import _widths
    from core.report.pdf_text import NO_BREAK, register_fonts

    register_fonts()
    heads = [f"Latitude,{NO_BREAK}°", "Share of the polygon that was mapped before"]
    narrow = _widths([heads, ["46.1", "words " * 90]], (True, False))
    alone = _widths([[heads[0], "x"], ["46.1", "x"]], (True, False))
    assert narrow[0] >= alone[0] - 1e-6
