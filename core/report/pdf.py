"""A report as a PDF: the same parts as the HTML, laid out on pages.

Its text can be selected and searched, its fonts are inside, and nothing in it is fetched or run. All text is plain:
reportlab's markup is escaped wherever a text enters.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import core
from core.errors import StorageError
from core.raster.files import one_line
from core.raster.write import atomic_path
from core.report.parts import (
    Content,
    Facts,
    Heading,
    Items,
    KeyFigures,
    Notice,
    Paragraph,
    Part,
    Picture,
    Pictures,
    Table,
)
from core.report.pdf_page import WIDTH, build
from core.report.pdf_text import BOLD, INK, LINE, NO_BREAK, PLAIN, marked, paragraph, register_fonts, styles
from core.report.words import moment
from core.report.write import parts_of, title_of
from core.wording import tied

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

    from core.report.content import ReportInput, ReportKind

CONTENTS_FROM = 5
"""Parts from which a report has a table of contents."""

_BEFORE_UNIT = re.compile(r", (?=\S{1,8}$)")
_BREAK = re.compile("[ \n]")

_PURPOSE = (
    "SlideLens is a tool for exploration and teaching and for presenting the reasons behind a model's result to "
    "decision-makers. It does not replace a landslide inventory made by experts who know the area."
)


def write_pdf(
    content: ReportInput, kind: ReportKind, path: Path, parts: Sequence[Part] | None = None
) -> None:
    """Write the report of a run as a PDF, which appears whole or not at all; equal inputs give equal files.

    Parameters
    ----------
    content, kind
        The run and how it is reported.
    path
        The file.
    parts
        The parts of the report where they are known already; else they are made.

    Raises
    ------
    LandslideError
        When a file of the run is gone, the disk is full, or something does not fit on a page.
    """
    from reportlab.platypus.doctemplate import LayoutError

    made = parts_of(content, kind) if parts is None else parts
    title = one_line(content.name) or title_of(content, kind)
    story = [*_head(content, title_of(content, kind)), *_body(made)]
    about = {
        "title": title, "subject": title_of(content, kind), "creator": f"SlideLens {core.__version__}",
        "keywords": ["landslides", *map(one_line, content.tags)],
    }  # fmt: skip
    with atomic_path(path) as aside:
        try:
            build(aside, story, about, content.made, f"SlideLens {content.noun} {content.result.id[:8]}", PLAIN)
        except (LayoutError, ValueError) as error:  # the second from its reader of marked-up text
            raise StorageError(
                f"{path.name} could not be created: its content does not fit the pages.",
                one_line(str(error), 200), "Use the HTML report."
            ) from error


def _head(content: ReportInput, subtitle: str) -> list[Flowable]:
    from reportlab.platypus import Paragraph as Text

    address = one_line(content.address)
    title = one_line(content.name) or subtitle
    head = [paragraph("SlideLens report", "made"), paragraph(title, "title")]
    if title != subtitle:
        head.append(paragraph(subtitle, "text"))
    head.append(paragraph(f"Created {moment(content.made)} from {content.noun} {content.result.id}", "origin"))
    if address.startswith(("http://", "https://")):
        link = f'<link href="{escape(address, {chr(34): "&quot;"})}"><u>{marked(address)}</u></link>'
        head.append(Text(f"{content.invitation}: {link}", styles()["origin"]))
    elif address:
        head.append(paragraph(f"{content.invitation}: {address}", "origin"))
    if content.tags:
        head.append(paragraph(f"Tags: {', '.join(map(one_line, content.tags))}", "origin"))
    if content.note.strip():
        head.append(paragraph(content.note.strip(), "remark"))
    return head


def _body(parts: Sequence[Part]) -> Iterable[Flowable]:
    from reportlab.platypus import Spacer
    from reportlab.platypus.tableofcontents import TableOfContents

    if len(parts) >= CONTENTS_FROM:
        contents = TableOfContents(dotsMinLevel=0, levelStyles=[styles()["contents"]])
        yield Spacer(0, 8)
        yield contents
    yield Spacer(0, 8)
    yield paragraph(_PURPOSE, "origin")  # at the end it could stand on a page of its own
    figures = _Figures()
    for part in parts:
        heading = paragraph(part.title, "part", f'<a name="{escape(part.anchor)}"/>')
        heading.part = (part.anchor, marked(part.title), part.title)
        yield heading
        for item, after in zip_longest(part.content, part.content[1:]):
            shown = list(_flowables(item, figures))
            if isinstance(item, Paragraph) and isinstance(after, Pictures):
                shown[-1].keepWithNext = 1  # a heading and a sentence do not end a page whose picture is on the next
            yield from shown


class _Figures:
    """Counts the figures of a report."""

    def __init__(self) -> None:
        self._number = 0

    def caption(self, picture: Picture) -> Flowable:
        self._number += 1
        return paragraph(picture.caption, "caption", f'<font name="{BOLD}">Figure {self._number}.</font> ')


def _flowables(item: Content, figures: _Figures) -> Iterable[Flowable]:
    """What stands on the page for a piece of content."""
    match item:
        case Paragraph():
            yield paragraph(item.text, "lead" if item.lead else "text")
        case Heading():
            yield paragraph(item.text, "heading")
        case Items():
            if item.title:
                yield paragraph(item.title, "about")
            for words in item.items:
                yield paragraph(words, "item", "<bullet>\N{BULLET}</bullet>")
        case Notice():
            begin = "Warning: " if item.tone == "warning" else ""
            title = f'<font name="{BOLD}">{marked(begin + item.title)}</font><br/>'
            yield paragraph(item.text, item.tone, title)
        case KeyFigures():
            yield _key_figures(item)
        case Pictures():
            yield from _pictures(item, figures)
        case Table():
            heads = tuple(column.title for column in item.columns)
            numbers = tuple(column.number for column in item.columns)
            yield paragraph(item.caption, "about")
            yield _table((heads, *item.rows), numbers)
        case Facts():
            yield paragraph(item.caption, "about")
            yield _table(item.rows, (False, False), headed=False)


def _key_figures(item: KeyFigures) -> Flowable:
    from reportlab.platypus import Table as Laid

    lines = [((one.name, "key"), (one.value, "value"), (one.words, "key")) for one in item.figures]
    cells = [[paragraph(words, style) for words, style in ours if words] for ours in lines]
    # As many beside each other as leave the fewest places of the last row empty; those have no frame.
    across = min(range(min(5, len(cells)), min(3, len(cells)) - 1, -1), key=lambda number: -len(cells) % number)
    rows = [cells[start : start + across] for start in range(0, len(cells), across)]
    last = len(rows[-1])
    rows[-1] += [[] for _ in range(across - last)]
    laid = Laid(rows, colWidths=[WIDTH / across] * across, spaceBefore=6, spaceAfter=10)
    framed = [((0, 0), (-1, -2)), ((0, -1), (last - 1, -1))] if len(rows) > 1 else [((0, 0), (-1, -1))]
    laid.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *(("GRID", *part, 0.5, LINE) for part in framed)])
    return laid


def _pictures(item: Pictures, figures: _Figures) -> Iterable[Flowable]:
    from reportlab.platypus import Image
    from reportlab.platypus import Table as Laid

    from core.report.pdf_picture import PictureWithCaption

    def image(picture: Picture, room: float) -> Image:
        width = min(picture.natural * 0.75, room)
        height = width * picture.height / picture.width
        share = min(1.0, 620 / height)
        return Image(io.BytesIO(picture.file), width * share, height * share, hAlign="LEFT")

    half = (WIDTH - 14) / 2
    beside = len(item.pictures) > 1 and all(one.natural * 0.75 <= 1.25 * half for one in item.pictures)
    if not beside:
        for one in item.pictures:
            yield PictureWithCaption(image(one, WIDTH), figures.caption(one))
        return
    cells = [[image(one, half), figures.caption(one)] for one in item.pictures]
    for start in range(0, len(cells), 2):
        row = cells[start : start + 2] + [[]] * (2 - len(cells[start : start + 2]))
        laid = Laid([row], colWidths=[half + 14, half], hAlign="LEFT")
        laid.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
                       ("RIGHTPADDING", (0, 0), (0, 0), 14), ("RIGHTPADDING", (1, 0), (1, 0), 0)])  # fmt: skip
        yield laid


def _table(rows: Sequence[Sequence[str]], numbers: Sequence[bool], *, headed: bool = True) -> Flowable:
    """A table whose heads stand again on each page; without heads the first cell of a row names it."""
    from reportlab.platypus import LongTable

    if headed:  # a unit stays with what it is of
        rows = [[_BEFORE_UNIT.sub(f",{NO_BREAK}", words) for words in rows[0]], *rows[1:]]

    def cell(words: str, row: int, column: int) -> Flowable:
        bold = (headed and row == 0) or column == 0
        return paragraph(words, f"cell{'-bold' if bold else ''}{'-number' if numbers[column] else ''}")

    cells = [[cell(words, row, column) for column, words in enumerate(line)] for row, line in enumerate(rows)]
    widths = _widths(rows, numbers) if headed else [WIDTH * 0.3, WIDTH * 0.7]
    # A row may be taller than a page: it is cut rather than refused.
    made = LongTable(cells, colWidths=widths, repeatRows=1 if headed else 0, hAlign="LEFT", splitInRow=1, spaceAfter=10)
    made.setStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 8), ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5), ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
            *([("LINEBELOW", (0, 0), (-1, 0), 1, INK), ("VALIGN", (0, 0), (-1, 0), "BOTTOM")] if headed else []),
        ]
    )  # fmt: skip
    return made


def _widths(rows: Sequence[Sequence[str]], numbers: Sequence[bool]) -> list[float]:
    """Widths of the columns of a table: as wide as their words ask, the long ones sharing what is left."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    register_fonts()
    shown = rows[:300]

    def widest(column: int, measure: Callable[[str], Iterable[str]]) -> float:
        pieces = (piece for line in shown for piece in measure(line[column]))
        return max((stringWidth(piece, BOLD, 7.5) for piece in pieces), default=0.0) + 9

    whole = [min(widest(column, lambda text: [text]), WIDTH * 0.6) for column in range(len(numbers))]
    if sum(whole) <= WIDTH:
        spare = 1.0 if sum(whole) < WIDTH * 0.6 else WIDTH / sum(whole)
        return [width * spare for width in whole]
    least = [min(widest(column, lambda text: _BREAK.split(tied(text))), WIDTH * 0.3) for column in range(len(numbers))]
    if sum(least) >= WIDTH:
        return [width * WIDTH / sum(least) for width in least]
    room, wanted = WIDTH - sum(least), [max(0.0, a - b) for a, b in zip(whole, least, strict=True)]
    return [low + room * more / sum(wanted) for low, more in zip(least, wanted, strict=True)]


