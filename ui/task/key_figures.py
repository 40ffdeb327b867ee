"""The few numbers of a result that stand above its map, beside the sliders that move them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import streamlit as st

from ui.messages import tr

_STYLE = """<style>
.st-key-key-figures [data-testid="stMetricValue"] { font-size: 1.35rem; line-height: 1.3; }
.st-key-key-figures [data-testid="stMetric"] { padding: 0; }
</style>"""


@dataclass(frozen=True)
class KeyFigure:
    """A number with its title, and what it counts where the title does not say so."""

    title: str
    value: str
    help: str = ""


def show_key_figures(figures: Sequence[KeyFigure], note: str = "") -> None:
    """Show numbers in a row, which wraps where the window is narrow, and below them what must be known to read them."""
    st.html(_STYLE)
    with st.container(key="key-figures", horizontal=True, gap="medium"):
        for figure in figures:
            st.metric(figure.title, figure.value, help=figure.help or None, width="content")
    if note:
        st.caption(note)


class Agreement(Protocol):
    """Scores beside a reference, NaN where undefined."""

    @property
    def precision(self) -> float:
        """Share of what was found that the reference has."""

    @property
    def recall(self) -> float:
        """Share of the reference that was found."""

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""


def agreement_figures(scores: Agreement, found: str, known: str) -> list[KeyFigure]:
    """Precision, recall and F1 as key figures.

    Parameters
    ----------
    found, known
        What is counted: of the result ("mapped pixels") and of the reference ("landslide pixels of the reference").
    """
    return [
        KeyFigure(
            tr("Precision"),
            score_text(scores.precision),
            tr("Share of the {found} that match the reference.").format(found=found),
        ),
        KeyFigure(
            tr("Recall"), score_text(scores.recall), tr("Share of the {known} that were found.").format(known=known)
        ),
        KeyFigure("F1", score_text(scores.f1), tr("Harmonic mean of precision and recall.")),
    ]


def undefined_note(scores: Agreement, what: str, found: int, known: int) -> str:
    """Which of these scores are undefined, and why; empty where none is.

    Parameters
    ----------
    what, found, known
        As `core.report.words.why_undefined` takes them.
    """
    from core.report.words import why_undefined

    values = {tr("Precision"): scores.precision, tr("Recall"): scores.recall, "F1": scores.f1}
    return why_undefined(values, what, found, known)


def score_text(value: float) -> str:
    """A score with three decimals; a dash where it is undefined."""
    return "–" if math.isnan(value) else f"{value:.3f}"


CAUTION = "Selected on the image it is scored on: check it on another image before relying on it."
"""What is to be said of a level that was found on the very reference it is scored with."""


def peak_figure(level: str, best: float, f1: float, place: str) -> KeyFigure:
    """The highest F1 on this scene and where it is, which `mark_peak` marks on the slider.

    Parameters
    ----------
    level
        What the slider is called, such as "threshold".
    best, f1
        Its value there, and the score.
    place
        What was scored, such as "this image".
    """
    about = f"For {place}, F1 is highest at {level} {best:.2f}. {CAUTION}"
    return KeyFigure(
        tr("▲ Highest F1"), tr("{score_text} at {best:.2f}").format(score_text=score_text(f1), best=best), about
    )


def mark_peak(key: str, best: float, low: float = 0.0, high: float = 1.0) -> None:
    """Mark a place below a slider by its key, as Streamlit's sliders have no marks.

    Parameters
    ----------
    key
        Of the slider.
    best
        The value that is marked.
    low, high
        Ends of the slider.
    """
    share = min(max((best - low) / (high - low), 0.0), 1.0) if high > low else 0.0
    # The middle of the thumb runs from 6 pixels behind one end of the slider to 6 before the other.
    st.html(
        f"<style>.st-key-{key} [data-testid=stSlider] {{ position: relative; }}"
        f".st-key-{key} [data-testid=stSlider]::after {{ content: '▲'; position: absolute; bottom: 0.15rem;"
        f" left: calc(6px + (100% - 12px) * {share:.4f}); transform: translateX(-50%); font-size: 0.7rem;"
        " line-height: 1; pointer-events: none; }</style>"
    )
