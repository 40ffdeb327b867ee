"""What the encoder of a network makes of an image: its feature maps at about a sixteenth of the input.

Deep enough to know textures and shapes, and not yet so deep that only what speaks for a landslide is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from core.learning.runtime import use_threads
from core.learning.segmentation import Upscaled, inner_network

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from core.learning.tile_statistics import Encode


def enlarged(images: Tensor, factor: float) -> Tensor:
    """Images at the size at which a network that enlarges or reduces its input sees them."""
    if factor == 1:
        return images
    if factor < 1:
        return functional.avg_pool2d(images, round(1 / factor))
    return functional.interpolate(images, scale_factor=factor, mode="bilinear", align_corners=False)


def last_but_one(maps: Sequence[Tensor]) -> Tensor:
    """Of feature maps that become smaller the deeper they lie, the deepest of those that are larger than the last."""
    larger = [one for one in maps if one.shape[-1] > maps[-1].shape[-1] and one.shape[1]]
    return larger[-1] if larger else maps[-1]


def encoder_maps(network: nn.Module, images: Tensor) -> Tensor:
    """Feature maps (batch, channels, rows, columns) of a segmentation network's encoder; no channels without one.

    Parameters
    ----------
    network
        As `core.learning.segmentation.build_network` makes it.
    images
        (batch, bands, height, width), normalised.
    """
    encoder = getattr(inner_network(network), "encoder", None)
    if encoder is None:
        return images.new_zeros(len(images), 0, 1, 1)
    factor = network.factor if isinstance(network, Upscaled) else 1.0
    return last_but_one(encoder(enlarged(images, factor)))


def encoding(network: nn.Module, maps: Callable[[Tensor], Tensor]) -> Encode:
    """A function on arrays from one on tensors, on the accelerator when there is one.

    On the CPU one thread does it: tiles are so small that on a busy machine two waited twenty times as long for each
    other, and what comes out does not depend on how many cores there are.

    Parameters
    ----------
    network
        Whose encoder is asked, with its weights, in evaluation mode.
    maps
        From images to feature maps.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device)

    def encode(tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        before = torch.get_num_threads()
        use_threads(1)
        try:
            with torch.inference_mode():
                images = torch.from_numpy(np.ascontiguousarray(tiles)).to(device, memory_format=torch.channels_last)
                found: NDArray[np.float32] = maps(images).float().cpu().numpy()
        finally:
            use_threads(before)
        return found

    return encode
