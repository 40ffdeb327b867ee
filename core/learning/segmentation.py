"""Segmentation networks: every architecture and encoder that segmentation-models-pytorch builds offline.

A network takes (batch, bands, height, width) float32, normalised, and gives logits (batch, 1, height, width).
Another kind of network is one function registered with `architecture`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.errors import ModelError

if TYPE_CHECKING:
    from core.learning.spec import ModelSpec

Builder = Callable[[str, int, Mapping[str, Any]], nn.Module]
ARCHITECTURES: dict[str, Builder] = {}


def architecture(name: str) -> Callable[[Builder], Builder]:
    """Register a function ``(encoder, bands, options) -> network`` under a name that specs may use."""

    def register(builder: Builder) -> Builder:
        ARCHITECTURES[name] = builder
        return builder

    return register


class Upscaled(nn.Module):
    """A network that sees its input enlarged or reduced and gives its logits at the input's own size.

    Many landslides are a few pixels wide in a 10 m image, below the stride of an encoder's first stages, and a
    thousand pixels long in an aerial image, beyond what a network sees at once.

    Parameters
    ----------
    network
        Any segmentation network.
    factor
        Enlargement of each side, or one over a whole number for a reduction by area mean; sides times factor must
        suit the network (multiples of 32).
    """

    def __init__(self, network: nn.Module, factor: float) -> None:
        super().__init__()
        self.network = network
        self.factor = factor

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, 1, height, width) of images (batch, bands, height, width)."""
        height, width = images.shape[-2:]
        if self.factor < 1:
            seen = functional.avg_pool2d(images, round(1 / self.factor))
        else:
            seen = functional.interpolate(images, scale_factor=self.factor, mode="bilinear", align_corners=False)
        logits = self.network(seen)
        return functional.interpolate(logits, size=(height, width), mode="bilinear", align_corners=False)


def architectures() -> tuple[str, ...]:
    """Names that a spec's ``architecture`` may hold."""
    import segmentation_models_pytorch as smp

    return tuple(sorted({*ARCHITECTURES, *smp.MODEL_ARCHITECTURES_MAPPING}))


def build_network(
    name: str, encoder: str, bands: int, options: Mapping[str, Any] | None = None, upscale: float = 1.0
) -> nn.Module:
    """Build an untrained network with one output channel.

    Parameters
    ----------
    name
        One of `architectures()`.
    encoder
        Name of an encoder known to segmentation-models-pytorch; built without downloaded weights.
    bands
        Number of input bands.
    options
        Further arguments of the architecture, such as ``decoder_attention_type``.
    upscale
        Enlargement or reduction of the input inside the network; see `Upscaled`.

    Raises
    ------
    ModelError
        When the architecture or encoder is unknown, or the two do not go together.
    """
    import segmentation_models_pytorch as smp

    try:
        if name in ARCHITECTURES:
            network = ARCHITECTURES[name](encoder, bands, options or {})
        else:
            network = smp.create_model(
                name, encoder_name=encoder, encoder_weights=None, in_channels=bands, classes=1, **(options or {})
            )
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ModelError(
            f"A {name} network with encoder {encoder} cannot be built.",
            str(error),
            f"Available architectures: {', '.join(architectures())}.",
        ) from error
    return network if upscale == 1 else Upscaled(network, upscale)


def network_of(spec: ModelSpec) -> nn.Module:
    """The untrained network that a spec describes."""
    return build_network(spec.architecture, spec.encoder, len(spec.bands), spec.options, spec.upscale)


def inner_network(network: nn.Module) -> nn.Module:
    """The network without its enlargement, whose encoder and decoder have the library's own names."""
    return network.network if isinstance(network, Upscaled) else network


def normalise(values: Tensor, spec: ModelSpec) -> Tensor:
    """Values in the spec's range as the network wants them: scaled to [0, 1], less the mean, over the deviation.

    Parameters
    ----------
    values
        (batch, bands, height, width) float32 within ``spec.value_range``.
    """
    low, high = spec.value_range
    mean = torch.tensor(spec.mean, device=values.device).view(1, -1, 1, 1)
    deviation = torch.tensor(spec.deviation, device=values.device).view(1, -1, 1, 1)
    return ((values - low) / (high - low) - mean) / deviation
