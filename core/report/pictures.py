"""Matplotlib figures as pictures of a report."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from core.report.parts import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CSS_INCH = 96

LARGEST_PICTURE = 750_000
"""Bytes of a PNG from which a picture becomes a JPEG, so that a report is fit for an e-mail whatever it shows."""

LEVEL = 7
"""Of compression; the highest takes twice as long for a few hundredths."""

QUALITY = 88


def picture(figure: Figure, alt: str, caption: str, largest: int = LARGEST_PICTURE) -> Picture:
    """Draw a figure; equal figures give equal files.

    Parameters
    ----------
    figure
        Without a canvas of its own; drawn here by Agg, apart from any other thread's figures.
    alt, caption
        What it shows, for who does not see it and for everybody.
    largest
        Bytes of a PNG from which it becomes a JPEG.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())  # type: ignore[no-untyped-call]
    file, media_type = io.BytesIO(), "image/png"
    drawn.save(file, "PNG", compress_level=LEVEL)
    if file.tell() > largest:
        # Colours at full resolution: they have a meaning, and thin outlines would lose it.
        file, media_type = io.BytesIO(), "image/jpeg"
        drawn.save(file, "JPEG", quality=QUALITY, subsampling=0)
    natural = round(figure.get_figwidth() * CSS_INCH)
    return Picture(file.getvalue(), media_type, drawn.width, drawn.height, alt, caption, natural)
