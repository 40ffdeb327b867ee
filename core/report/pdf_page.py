"""The pages of a PDF: A4, numbered, with bookmarks, a language and what it is of among its properties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Flowable

PAGE = (595.2756, 841.8898)
"""A4 in points."""

MARGIN = 50.0
WIDTH = PAGE[0] - 2 * MARGIN
SOFT = "#565b66"


class _Stamp:
    """A time as reportlab writes it into a document: that of the report, in place of the moment of writing."""

    def __init__(self, made: datetime) -> None:
        there = made.replace(tzinfo=UTC) if made.tzinfo is None else made.astimezone(UTC)
        self.t = there.timestamp()
        self.YMDhms = there.timetuple()[:6]
        self.dhh = self.dmm = 0


def build(
    path: Path, story: Iterable[Flowable], about: Mapping[str, Any], made: datetime, foot: str, font: str
) -> None:
    """Lay a story out on pages and write them.

    Parameters
    ----------
    about
        Title, subject, creator and keywords of the document.
    made
        When the report was made.
    foot, font
        Text at the foot of each page beside its number, and the registered font of both.
    """
    from reportlab import rl_config
    from reportlab.pdfgen.canvas import Canvas as Plain
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    from core.report.pdf_picture import Together

    class Numbered(Plain):  # type: ignore[misc]  # reportlab has no types
        """Writes its pages when all are known, so that each tells how many there are."""

        def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  as reportlab calls it
            super().__init__(*arguments, **named)
            self._doc._timeStamp = _Stamp(made)
            self._kept: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self._kept, start=1):
                self.__dict__.update(state)
                _foot(self, foot, font, f"{number} of {len(self._kept)}")
                super().showPage()
            super().save()

    class Document(BaseDocTemplate):  # type: ignore[misc]
        """Tells the table of contents, and the bookmarks, of each part."""

        def afterFlowable(self, flowable: Flowable) -> None:
            part = getattr(flowable, "part", None)
            if part is None:
                return
            anchor, markup, plain = part
            self.canv.addOutlineEntry(plain, anchor, level=0)
            self.notify("TOCEntry", (0, markup, self.page, anchor))

    rl_config.useA85 = 0  # as text, pictures would take a quarter more
    document = Document(
        str(path), pagesize=PAGE, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=46, bottomMargin=52,
        lang="en", invariant=1, displayDocTitle=1, author="", keepTogetherClass=Together, **about,
    )  # fmt: skip
    frame = Frame(MARGIN, 52, WIDTH, PAGE[1] - 98, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    document.addPageTemplates([PageTemplate(frames=[frame])])
    document.multiBuild(list(story), canvasmaker=Numbered)


def _foot(canvas: Canvas, words: str, font: str, number: str) -> None:
    canvas.setFont(font, 7.5)
    canvas.setFillColor(SOFT)
    canvas.drawString(MARGIN, 30, words)
    canvas.drawRightString(PAGE[0] - MARGIN, 30, number)
