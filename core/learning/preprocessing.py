"""From a scene to what a model was trained on: which bands, which values, which ground distance.

Whatever is changed on the way is named: in the run's provenance and in a sentence on the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import BandError, InputError
from core.learning.spec import ModelSpec
from core.raster.bands import are_guessed
from core.raster.quantity import Quantity
from core.raster.scene import Scene, guess_bands
from core.raster.stretch import USUAL_PERCENTILES, check_has_data, parse_percentiles, scene_stretch
from core.wording import agree, count

SAME_DISTANCE = 1.25
"""Ground distances whose ratio is below this are taken as equal; networks see that much variation in training."""

AERIAL = 2.0
"""Ground distance in metres below which an image is taken for an aerial one."""

FARTHEST = 16.0
"""Ratio of ground distances from which a scene is not brought to the model's any more: windows would be thousands of
pixels wide, and nothing that the model knows would be left in them."""


@dataclass(frozen=True)
class Preprocessing:
    """How values of a scene become input of a model.

    Attributes
    ----------
    bands
        Band numbers of the scene, from 1, in the model's order.
    gain, offset
        Per band: model value = gain × scene value + offset, then clipped to the model's range.
    scale
        Model pixels per scene pixel.
    notes
        What was changed, in sentences for the user.
    """

    bands: tuple[int, ...]
    gain: tuple[float, ...]
    offset: tuple[float, ...]
    scale: float
    notes: tuple[str, ...]

    def values(self, raw: NDArray[np.generic], spec: ModelSpec) -> NDArray[np.float32]:
        """Scene values (bands, height, width) in the model's value range, float32."""
        gain = np.asarray(self.gain, dtype=np.float32)[:, None, None]
        offset = np.asarray(self.offset, dtype=np.float32)[:, None, None]
        values: NDArray[np.float32] = np.clip(raw.astype(np.float32) * gain + offset, *spec.value_range)
        return values.astype(np.float32, copy=False)


def preprocessing_of(provenance: Mapping[str, Any]) -> Preprocessing:
    """The bridge that a finished run used, from its provenance."""
    how = provenance["bridge"]
    return Preprocessing(tuple(how["bands"]), tuple(how["gain"]), tuple(how["offset"]), float(how["scale"]), ())


def preprocess(
    scene: Scene,
    spec: ModelSpec,
    bands: Sequence[int] | None = None,
    stretch: str = "auto",
    resample: str = "auto",
) -> Preprocessing:
    """Work out how a scene is brought to a model.

    Parameters
    ----------
    bands
        Band numbers of the scene in the model's order; guessed from descriptions and count when None.
    stretch
        ``"auto"`` (percentiles 2 to 98 of the valid pixels of the whole scene, when its values are not 8-bit and the
        model's are not signed), ``"none"``, or percentiles such as ``"2,98"``.
    resample
        ``"auto"`` (to the model's ground distance when both are known and differ) or ``"none"``.

    Raises
    ------
    BandError
        When the scene lacks bands.
    InputError
        When no pixel is valid, or an option is malformed.
    """
    chosen = tuple(bands) if bands is not None else guess_bands(scene, spec.bands)
    if len(chosen) != len(spec.bands):
        raise BandError(
            f"Model {spec.name} needs {count(len(spec.bands), 'band')} ({', '.join(spec.bands)}); {len(chosen)} "
            f"{agree(len(chosen), 'was', 'were')} given.",
            remedy="Name one band of the image for each.",
        )
    if outside := [band for band in chosen if not 1 <= band <= len(scene.bands)]:
        raise BandError(
            f"{scene.name} has no band {outside[0]}; it has {len(scene.bands)}.", remedy="Choose from its bands."
        )
    gain, offset, notes = _values(scene, spec, chosen, stretch)
    if bands is None and are_guessed(scene):
        taken = ", ".join(f"band {band} for {role}" for band, role in zip(chosen, spec.bands, strict=True))
        notes = (*notes, f"The file does not name its bands: {taken} (assumed from their order).")
    scale, scale_notes = scale_for(scene, spec, resample)
    return Preprocessing(chosen, gain, offset, scale, (*notes, *scale_notes))


def _values(
    scene: Scene, spec: ModelSpec, bands: tuple[int, ...], stretch: str
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[str, ...]]:
    identity = (1.0,) * len(bands), (0.0,) * len(bands)
    same_range = scene.dtype == "uint8" and spec.value_range == (0.0, 255.0)
    # A signed quantity, such as a velocity, is 0 where nothing happens: stretching would make something of nothing.
    signed = spec.value_range[0] < 0
    percentiles = None
    if stretch == "auto" and not same_range and not signed:
        percentiles = USUAL_PERCENTILES
    elif stretch not in ("auto", "none"):
        percentiles = parse_percentiles(stretch)
    if percentiles is None:
        check_has_data(scene, bands)
        if same_range:
            return (*identity, ())
        low, high = spec.value_range
        if signed and stretch == "auto":
            what = ", ".join(spec.bands)
            if tuple(spec.bands) == ("velocity",):
                found = Quantity.of(scene, "velocity", bands[0])
                note = found.note or (
                    f"Values are assumed to be velocities in mm/yr, from {low:g} to {high:g}: the file states no unit."
                )
                return (found.factor,), (found.offset,), (note,)
            note = (f"Values are assumed to be {what} in the unit that the model was trained on, from {low:g} to "
                    f"{high:g}.")
            return (*identity, (note,))
        note = f"Values were used unchanged, although the model was trained on values of {low:g}–{high:g}."
        return (*identity, (note,))
    stretched = scene_stretch(scene, bands, percentiles)
    lowest, highest = np.asarray(stretched.low), np.asarray(stretched.high)
    target_low = np.asarray(spec.stretch_low or [spec.value_range[0]] * len(bands))
    target_high = np.asarray(spec.stretch_high or [spec.value_range[1]] * len(bands))
    spread = np.where(highest > lowest, highest - lowest, 1.0)
    gain = (target_high - target_low) / spread
    offset = target_low - gain * lowest
    ranges = "; ".join(f"{_digits(a)}–{_digits(b)}" for a, b in zip(lowest, highest, strict=True))
    note = (
        f"Values ({scene.dtype}) were rescaled: in each band, percentiles {percentiles[0]:g} to "
        f"{percentiles[1]:g} of the whole image ({ranges}) were mapped to the range of the training images."
    )
    return tuple(float(v) for v in gain), tuple(float(v) for v in offset), (note,)


def _digits(value: float) -> str:
    """A value of a band with the digits that mean something, never as a power of ten.

    Examples
    --------
    >>> _digits(1290.4), _digits(23456.0), _digits(0.125), _digits(0.00005)
    ('1,290', '23,456', '0.125', '0.00005')
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return str(np.format_float_positional(value, precision=4, fractional=False, trim="-"))


def scale_for(scene: Scene, spec: ModelSpec, resample: str) -> tuple[float, tuple[str, ...]]:
    """Model pixels per scene pixel, and what is changed or to be warned of, in sentences.

    Raises
    ------
    InputError
        When the scene would have to be resampled beyond what its pixels can show, or an option is malformed.
    """
    if resample not in ("auto", "none"):
        raise InputError(f"Unknown resampling option {resample!r}.", remedy='Choose "auto" or "none".')
    distance = scene.grid.ground_distance()
    if spec.ground_distance is None:
        if distance is None or distance < AERIAL:
            return 1.0, ()
        return 1.0, (
            f"The model was trained on much finer images ({spec.sensor}); this image has {distance:.3g} m per pixel. "
            "Do not rely on this map; choose a model for such images.",
        )
    if distance is None:
        return 1.0, (
            "The image has no coordinate system, so its pixel size is unknown; the model expects "
            f"{spec.ground_distance:g} m per pixel.",
        )
    ratio = distance / spec.ground_distance
    if 1 / SAME_DISTANCE < ratio < SAME_DISTANCE:
        return 1.0, ()
    if resample == "auto" and not 1 / FARTHEST < ratio < FARTHEST:
        raise InputError(
            f"The image has {distance:.3g} m per pixel; {spec.title} was trained at {spec.ground_distance:g} m.",
            "The pixel sizes differ too much: features visible at one are not visible at the other.",
            "Choose a model for such images, resample the image first, or keep its pixel size.",
        )
    if resample == "none":
        return 1.0, (
            f"The image has {distance:.3g} m per pixel and was not resampled to the model's {spec.ground_distance:g} "
            "m.",
        )
    return ratio, (
        f"The image was resampled from {distance:.3g} m to the model's pixel size of {spec.ground_distance:g} m; the "
        "result is on the image's grid.",
    )
