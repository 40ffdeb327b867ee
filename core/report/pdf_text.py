"""Text on the pages of a PDF: its fonts, its styles, and plain text as reportlab's markup."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from core.wording import tied

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

INK, SOFT, LINE, ACCENT, PALE = "#1b1d22", "#565b66", "#d5d8de", "#4b57a6", "#f5f6f9"
WARNING, WARNING_LINE = "#fff6e9", "#b34700"

PLAIN, BOLD = "SlideLens", "SlideLens-Bold"
"""Names under which DejaVu Sans, which comes with matplotlib, is registered."""

_SCRIPTS = (
    (re.compile("[\u3040-\u30ff]+"), "HeiseiMin-W3"),
    (re.compile("[\u1100-\u11ff\uac00-\ud7af]+"), "HYSMyeongJo-Medium"),
    (re.compile("[\u2e80-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]+"), "STSong-Light"),
)
"""Scripts that DejaVu lacks, in fonts that every PDF reader has of its own."""

NO_BREAK = "\N{NO-BREAK SPACE}"


@lru_cache(maxsize=1)
def register_fonts() -> frozenset[int]:
    """Register the fonts; the characters that they have."""
    import matplotlib
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    regular = TTFont(PLAIN, folder / "DejaVuSans.ttf")
    pdfmetrics.registerFont(regular)
    pdfmetrics.registerFont(TTFont(BOLD, folder / "DejaVuSans-Bold.ttf"))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    for _, name in _SCRIPTS:
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    return frozenset(regular.face.charToGlyph)


def marked(text: str) -> str:
    r"""Plain text as reportlab's markup: nothing in it is a tag, and each sign is in a font that has it.

    Examples
    --------
    >>> marked("a <b> & c 5 m")
    'a &lt;b&gt; &amp; c 5\xa0m'
    """
    known = register_fonts()
    parts: list[str] = []
    for line in text.split("\n"):
        shown = "".join(sign if sign.isprintable() or sign == NO_BREAK else " " for sign in tied(line))
        parts.append(_in_fonts(shown, known))
    return "<br/>".join(parts)


def _in_fonts(text: str, known: frozenset[int]) -> str:
    found = [(one.start(), one.end(), font) for pattern, font in _SCRIPTS for one in pattern.finditer(text)]
    made, at = [], 0
    for start, end, font in sorted(found):
        made += [_plain(text[at:start], known), f'<font name="{font}">{escape(text[start:end])}</font>']
        at = end
    return "".join([*made, _plain(text[at:], known)])


def _plain(text: str, known: frozenset[int]) -> str:
    return escape("".join(sign if ord(sign) in known else "\ufffd" for sign in text))


@lru_cache(maxsize=1)
def styles() -> dict[str, Any]:
    """Paragraph styles by what they are for."""
    from reportlab.lib.styles import ParagraphStyle

    register_fonts()

    def style(size: float, *, bold: bool = False, colour: str = INK, **how: Any) -> ParagraphStyle:  # noqa: ANN401
        font = BOLD if bold else PLAIN
        return ParagraphStyle("", fontName=font, fontSize=size, leading=size * 1.42, textColor=colour, **how)

    box: dict[str, Any] = {"borderPadding": 7, "borderWidth": 0.6, "leftIndent": 8, "rightIndent": 8, "spaceBefore": 11,
           "spaceAfter": 13}  # fmt: skip
    return {
        "made": style(8.5, bold=True, colour=ACCENT),
        "title": style(18, bold=True, spaceAfter=4),
        "origin": style(8, colour=SOFT, spaceAfter=1),
        "remark": style(9, leftIndent=10, spaceBefore=6, spaceAfter=6),
        "part": style(14, bold=True, colour=ACCENT, spaceBefore=18, spaceAfter=7, keepWithNext=1),
        "heading": style(10.5, bold=True, spaceBefore=9, spaceAfter=4, keepWithNext=1),
        "text": style(9, spaceAfter=6),
        "lead": style(11.5, bold=True, spaceAfter=9),
        "item": style(9, leftIndent=12, bulletIndent=2, spaceAfter=2.5),
        "caption": style(8, colour=SOFT, spaceBefore=3, spaceAfter=10),
        "about": style(9, bold=True, spaceBefore=8, spaceAfter=4, keepWithNext=1),
        "note": style(8.5, backColor=PALE, borderColor=LINE, **box),
        "warning": style(8.5, backColor=WARNING, borderColor=WARNING_LINE, **box),
        "cell": style(7.5), "cell-bold": style(7.5, bold=True), "cell-number": style(7.5, alignment=2),
        "cell-bold-number": style(7.5, bold=True, alignment=2),
        "key": style(7.5, colour=SOFT), "value": style(13, bold=True),
        "contents": style(9, leftIndent=0, rightIndent=20),
    }  # fmt: skip


def paragraph(words: str, style: str, before: str = "") -> Flowable:
    """Plain text as a paragraph.

    Parameters
    ----------
    style
        Name of one of `styles`.
    before
        Markup that stands before it.
    """
    from reportlab.platypus import Paragraph as Text

    return Text(before + marked(words), styles()[style])
