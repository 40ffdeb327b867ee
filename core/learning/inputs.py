"""What a network is shown of a scene: windows at its own ground distance, values as in its training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.learning.preprocessing import Preprocessing
from core.learning.spec import ModelSpec
from core.raster.area import window_of
from core.raster.scene import Scene, SceneReader
from core.raster.windows import STEP, Region, WindowPlan, pad_to

PIXELS_AT_ONCE = 262_144
"""Pixels of a forward pass: a quarter of a million, where CPUs are busy and caches not yet spilled."""

MOST_WINDOWS = 32
"""Windows of a forward pass at most."""


def input_step(spec: ModelSpec) -> int:
    """What sides of a model's input are multiples of: more than 32 where the network reduces its input first."""
    return STEP if spec.upscale >= 1 else round(STEP / spec.upscale)


def plan_of(scene: Scene, spec: ModelSpec, bridge: Preprocessing, overlap: float) -> WindowPlan:
    """Windows of a model over a whole scene."""
    height, width = scene.grid.shape
    return WindowPlan.over(height, width, spec.tile, overlap, bridge.scale, input_step(spec))


def usual_batch(plan: WindowPlan) -> int:
    """Windows per forward pass where nothing else was chosen."""
    return max(1, min(MOST_WINDOWS, PIXELS_AT_ONCE // (plan.network_height * plan.network_width)))


def read_window(
    reader: SceneReader, spec: ModelSpec, bridge: Preprocessing, plan: WindowPlan, window: Region
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Normalised values of a window at the network's size, and which scene pixels in it are valid.

    Pixels without data are given the training mean, which is 0 after normalisation, so that they neither enter
    a statistic nor draw an edge of their own colour.

    Returns
    -------
    Values (bands, network_height, network_width) float32 and validity (window_height, window_width), both
    padded by reflection where the window reaches past the scene.
    """
    patch = reader.read(bridge.bands, window_of(window.intersection(plan.whole)))
    low, high = spec.value_range
    mean = np.asarray(spec.mean, dtype=np.float32)[:, None, None]
    deviation = np.asarray(spec.deviation, dtype=np.float32)[:, None, None]
    values = bridge.values(np.where(patch.valid, patch.values, 0), spec)
    values = ((values - low) / (high - low) - mean) / deviation
    values = np.where(patch.valid, values, np.float32(0))
    padded = pad_to(values, window.height, window.width)
    valid = pad_to(patch.valid, window.height, window.width)
    return resized(padded, plan.network_height, plan.network_width), valid


def resized(values: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Resize the last two axes: area mean when shrinking, bilinear when enlarging."""
    if values.shape[-2:] == (height, width):
        return values
    import torch
    from torch.nn import functional

    tensor = torch.from_numpy(np.ascontiguousarray(values)).reshape(-1, 1, *values.shape[-2:])
    shrinks = height < values.shape[-2]
    changed = functional.interpolate(
        tensor, size=(height, width), mode="bilinear", align_corners=False, antialias=shrinks
    )
    result: NDArray[np.float32] = changed.reshape(*values.shape[:-2], height, width).numpy()
    return result
