"""What a report is made of: parts with typed content, which one template turns into HTML.

Nothing here holds HTML; every text is plain and escaped where it is written.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import ClassVar, Literal

Tone = Literal["warning", "note"]


@dataclass(frozen=True)
class Paragraph:
    """Running text; `lead` for the one sentence that must be read."""

    kind: ClassVar[str] = "paragraph"
    text: str
    lead: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading inside a part."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Items:
    """A list; `title` stands above it in words."""

    kind: ClassVar[str] = "items"
    items: tuple[str, ...]
    title: str = ""


@dataclass(frozen=True)
class Notice:
    """A marked box: a warning that changes how all else is read, or a note."""

    kind: ClassVar[str] = "notice"
    title: str
    text: str
    tone: Tone = "warning"


@dataclass(frozen=True)
class KeyFigure:
    """One number with its name, and a few words below it."""

    name: str
    value: str
    words: str = ""


@dataclass(frozen=True)
class KeyFigures:
    """Numbers to be seen at a glance."""

    kind: ClassVar[str] = "key_figures"
    figures: tuple[KeyFigure, ...]


@dataclass(frozen=True)
class Picture:
    """A picture with what it shows.

    Attributes
    ----------
    file, media_type
        The whole file, and what it is.
    width, height
        Its size in pixels, so that a page keeps room for it.
    alt
        What it shows, for who does not see it.
    caption
        What it shows and what its colours mean, for everybody.
    natural
        Width in CSS pixels at which its own writing has the size of the text.
    """

    file: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    alt: str
    caption: str
    natural: int

    @property
    def address(self) -> str:
        """The picture itself as an address, so that the report is one file."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.file).decode('ascii')}"


@dataclass(frozen=True)
class Pictures:
    """Pictures beside each other where there is room."""

    kind: ClassVar[str] = "pictures"
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Column:
    """Head of a column; numbers stand to the right."""

    title: str
    number: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text under heads; the first cell of a row names it."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Facts:
    """Names and what belongs to them, as a table of two columns."""

    kind: ClassVar[str] = "facts"
    caption: str
    rows: tuple[tuple[str, str], ...]


Content = Paragraph | Heading | Items | Notice | KeyFigures | Pictures | Table | Facts


@dataclass(frozen=True)
class Part:
    """One section of a report.

    Attributes
    ----------
    anchor
        Its address inside the file: lower case letters and hyphens.
    title
        Its heading.
    content
        What stands in it, in order.
    """

    anchor: str
    title: str
    content: tuple[Content, ...]
