"""Band composites and contrast of a scene on the map, as its viewer chooses them; no run depends on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.serve.looks import Look
from ui.choices import words_of
from ui.looks import KeptLook, slot_of
from ui.messages import tr, tr_noop
from ui.state import Slot

if TYPE_CHECKING:
    from core.plots.colours import Legend
    from core.raster.bands import Band
    from core.raster.scene import Scene
    from core.runs.records import SceneRecord

AS_SHOWN, ONE, EACH = "page", "one", "each"
"""Composites that any image has: the page's own colours, one band, and any three."""

CONTRASTS = {
    "auto": tr_noop("Automatic"),
    "2,98": tr_noop("2–98 % of the values"),
    "0.5,99.5": tr_noop("0.5–99.5 % of the values"),
    "0,100": tr_noop("Minimum to maximum"),
    "range": tr_noop("Between two values"),
}
COLOURS = {
    "": tr_noop("Grey"), "sequential": tr_noop("Low to high (viridis)"),
    "diverging": tr_noop("Around zero (red, white, blue)"),
}  # fmt: skip


def choose(record: SceneRecord) -> None:
    """Let the viewer choose bands, contrast and brightness of a scene; the map follows at once."""
    scene = record.scene
    bands = [band for band in scene.bands if band.index != scene.alpha]
    with st.expander(tr("Image display")):
        shown = _composite(scene, bands)
        one = len(bands) < 3 or (shown is not None and len(shown) == 1)
        colours = _kept_select(tr("Colours"), COLOURS, _first_colours(bands), scene, "colours") if one else ""
        band = shown[0] if shown else bands[0].index
        look, legend = _contrast(scene, bands, colours, band)
        st.caption(tr("Changes the display only, on every map of this image. Results are not affected."))
    slot_of(scene.digest).put(KeptLook(shown, look.query, legend))


def is_velocity(band: Band) -> bool:
    """Whether a band holds velocities, by its unit or its name."""
    from core.raster.quantity import is_velocity_unit

    return is_velocity_unit(band.unit) or re.search(r"velocity|\bvel\b|\blos\b", band.name.lower()) is not None


def _first_colours(bands: Sequence[Band]) -> str:
    return "diverging" if len(bands) == 1 and is_velocity(bands[0]) else ""


def _composite(scene: Scene, bands: Sequence[Band]) -> tuple[int, ...] | None:
    """Bands to show; None for the page's own choice."""
    if len(bands) < 3:
        if len(bands) < 2:
            return None
        return (_band(tr_noop("Band"), scene, bands, bands[0].index),)
    roles = {band.role: band.index for band in reversed(bands)}
    presets: dict[str, tuple[int, ...] | None] = {AS_SHOWN: None}
    words = {AS_SHOWN: tr_noop("Natural colour"), ONE: tr_noop("One band"), EACH: tr_noop("Three bands")}
    if {"nir", "red", "green"} <= roles.keys():
        presets["false"] = (roles["nir"], roles["red"], roles["green"])
        words["false"] = tr_noop("False colour (near infrared, red, green)")
    options = {name: words[name] for name in (*presets, ONE, EACH)}
    chosen = _kept_select(tr("Bands"), options, AS_SHOWN, scene, "composite")
    if chosen == ONE:
        return (_band("Band", scene, bands, bands[0].index),)
    if chosen == EACH:
        first = zip((tr_noop("Red"), tr_noop("Green"), tr_noop("Blue")), bands, strict=False)
        return tuple(_band(name, scene, bands, band.index) for name, band in first)
    return presets[chosen]


def _band(label: str, scene: Scene, bands: Sequence[Band], first: int) -> int:
    names = {band.index: f"{band.index} · {band.name}".removesuffix(" · ") for band in bands}
    return int(_kept_select(tr(label), names, first, scene, label.lower()))


def _contrast(scene: Scene, bands: Sequence[Band], colours: str, band: int) -> tuple[Look, Legend | None]:
    """Contrast and brightness; with the legend of a band in colours."""
    chosen = _kept_select(tr("Contrast"), CONTRASTS, "auto", scene, "contrast")
    gamma = 1.0
    if colours != "diverging":
        key, kept = _place(scene, "gamma", 1.0)
        gamma = st.slider(tr("Gamma"), 0.3, 3.0, step=0.1, key=key, help=tr("Values above 1 brighten dark areas."))
        kept.put(gamma)
    if not colours and chosen != "range":
        percentiles = None if chosen == "auto" else _percentiles(chosen)
        return Look(percentiles, None, gamma), None
    low, high = _between(scene, band) if chosen == "range" else _span(scene.digest, band, chosen, scene)
    if not colours:
        return Look(None, (low, high), gamma), None
    of = next(one for one in bands if one.index == band)
    return _coloured(scene, of, colours, (low, high), gamma)


def _coloured(
    scene: Scene, band: Band, colours: str, ends: tuple[float, float], gamma: float
) -> tuple[Look, Legend]:
    """The look of one band in colours, and its legend, in millimetres a year where it holds velocities."""
    from core.plots.colours import ramp_legend
    from core.raster.quantity import Quantity
    from core.serve.looks import RAMPS

    factor, offset, title = band.scale, band.offset, band.name + (f" ({band.unit})" if band.unit else "")
    if is_velocity(band):
        said = Quantity.of(scene, "velocity", band.index)
        factor, offset = said.factor, said.offset
        title = tr_noop("Velocity (mm/year)")
        if not band.unit:
            title = tr_noop("Velocity (assumed mm/year: the file states no unit)")
    low, high = sorted(factor * end + offset for end in ends)
    if colours == "diverging":
        reach = max(abs(low), abs(high)) or 1.0
        low, high = -reach, reach
    stored = sorted((end - offset) / factor for end in (low, high))
    words = (f"{low:.3g}", "0" if colours == "diverging" else f"{(low + high) / 2:.3g}", f"{high:.3g}")
    look = Look(None, (stored[0], stored[1]), gamma, "diverging" if colours == "diverging" else "sequential")
    if gamma != 1.0:
        words = (words[0], "", words[2])
    return look, ramp_legend(title, RAMPS[colours], *words)


def _between(scene: Scene, band: int) -> tuple[float, float]:
    """Two values that the viewer gives, beginning with the ends of the scene's own."""
    from core.errors import InputError

    first = _span(scene.digest, band, "2,98", scene)
    ends = []
    for column, name, start in zip(st.columns(2), (tr_noop("From"), tr_noop("To")), first, strict=True):
        key, kept = _place(scene, f"{name.lower()}-{band}", start)
        ends.append(float(column.number_input(tr(name), key=key, format="%g")))
        kept.put(ends[-1])
    if not ends[0] < ends[1]:
        raise InputError(tr("The lower limit of the display is above the upper limit."),
                         remedy=tr("Enter the lower value first."))
    return ends[0], ends[1]


@st.cache_data(max_entries=64, show_spinner=False)
def _span(digest: str, band: int, contrast: str, _scene: Scene) -> tuple[float, float]:
    """Values of one band between which it is stretched."""
    from core.raster.stretch import scene_stretch

    del digest  # the key
    found = scene_stretch(_scene, (band,), _percentiles("2,98" if contrast in ("auto", "range") else contrast))
    low, high = found.low[0], found.high[0]
    return (low, high) if low < high else (low, low + 1.0)


def _percentiles(text: str) -> tuple[float, float]:
    from core.raster.stretch import parse_percentiles

    return parse_percentiles(text)


def _kept_select(label: str, options: dict[Any, str], first: Any, scene: Scene, name: str) -> Any:  # noqa: ANN401
    """A list whose choice is kept for the scene, also while the page is away."""
    key, kept = _place(scene, name, first)
    if st.session_state[key] not in options:
        st.session_state[key] = first
    chosen = st.selectbox(label, list(options), format_func=words_of(options), key=key)
    kept.put(chosen)
    return chosen


def _place(scene: Scene, name: str, first: Any) -> tuple[str, Slot[Any]]:  # noqa: ANN401
    """Key of a widget that begins with what was kept for the scene, and where that is kept."""
    key = f"display-{name}-{scene.digest[:12]}"
    kept: Slot[Any] = Slot(f"kept-{key}", first)
    st.session_state.setdefault(key, kept.get())
    return key, kept
