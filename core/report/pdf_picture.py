"""A picture with its caption on a page of a PDF, which shrinks a little rather than leave half a page empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportlab.platypus import Flowable, KeepTogether

if TYPE_CHECKING:
    from reportlab.platypus import Image

SMALLEST = 0.7
"""Share of its size below which a picture goes to the next page instead."""


class PictureWithCaption(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A picture above its caption, on one page.

    Parameters
    ----------
    image
        The picture at the size that it has where there is room.
    caption
        What stands below it.
    """

    def __init__(self, image: Image, caption: Flowable) -> None:
        super().__init__()
        self._image, self._caption = image, caption
        self._size = image.drawWidth, image.drawHeight

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Width and height that it takes of what is left of a page, all in points."""
        below = self._caption.wrap(width, height)[1] + self._caption.getSpaceBefore()
        wide, tall = self._size
        share = (height - below) / tall
        share = share if SMALLEST <= share < 1 else 1.0
        self._image.drawWidth, self._image.drawHeight = wide * share, tall * share
        return width, tall * share + below

    def can_spare(self, points: float) -> bool:
        """Whether it may be so much less tall."""
        tall: float = self._size[1]
        return tall - points >= SMALLEST * tall

    def draw(self) -> None:
        """Draw both, from the place that the page gave."""
        below = self._caption.height
        self._caption.drawOn(self.canv, 0, 0)
        self._image.drawOn(self.canv, 0, below + self._caption.getSpaceBefore())

    def getSpaceAfter(self) -> float:
        """Room below the caption, in points."""
        space: float = self._caption.getSpaceAfter()
        return space


class Together(KeepTogether):  # type: ignore[misc]
    """Headings with what they are of, on one page: a picture at their end shrinks as it would without them."""

    def split(self, width: float, height: float) -> list[Flowable]:
        """Return what is laid out in place of this, which begins with the break of a page where that is needed."""
        self.wrap(width, height)
        last = self._content[-1]
        over = self._H - height
        if over > 0 and isinstance(last, PictureWithCaption) and last.can_spare(over):
            return list(self._content)
        found: list[Flowable] = super().split(width, height)
        return found
