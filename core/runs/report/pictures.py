"""Matplotlib figures as pictures of a report."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from core.runs.report.parts import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL import Image

CSS_INCH = 96

LARGEST_PICTURE = 750_000
"""Bytes from which a picture is brought to a palette, so that a report is fit for an e-mail whatever it shows."""

COLOURS = 256

LEVEL = 7
"""Of compression; the highest takes twice as long for a few hundredths."""


def picture(figure: Figure, alt: str, caption: str, largest: int = LARGEST_PICTURE) -> Picture:
    """Draw a figure; equal figures give equal files.

    Parameters
    ----------
    figure
        Without a canvas of its own; drawn here by Agg, apart from any other thread's figures.
    alt, caption
        What it shows, for who does not see it and for everybody.
    largest
        Bytes from which it is brought to a palette.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    file = _png(drawn)
    if len(file) > largest:
        # This way of choosing keeps rare colours, such as that of a thin outline.
        file = _png(drawn.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE))
    return Picture(file, drawn.width, drawn.height, alt, caption, round(figure.get_figwidth() * CSS_INCH))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=LEVEL)
    return file.getvalue()
