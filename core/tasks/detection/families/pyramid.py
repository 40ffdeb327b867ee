"""Features at several strides for detectors: an encoder of the mapping models, and what carries its deep features up.

The encoder and, for the pyramid ``"unet"``, the decoder have the names and shapes of a U-Net of
segmentation-models-pytorch, so that a trained mapping model can be what a detector starts from.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import ModelError

ATTENTION = ("", "cbam")


class Attention(nn.Module):
    """Convolutional block attention: which channels, then which places matter (CBAM).

    Woo, S., Park, J., Lee, J.-Y., Kweon, I. S. (2018). CBAM: convolutional block attention module. ECCV.
    doi:10.1007/978-3-030-01234-2_1
    """

    def __init__(self, channels: int, reduction: int = 8, kernel: int = 7) -> None:
        super().__init__()
        hidden = max(4, channels // reduction)
        self.shared = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, channels, 1)
        )
        self.places = nn.Conv2d(2, 1, kernel, padding=kernel // 2)
        # At first nothing is damped: both gates stand near one, as if the module were not there.
        nn.init.constant_(self.shared[-1].bias, 2.0)  # type: ignore[arg-type]
        nn.init.constant_(self.places.bias, 4.0)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same shape (batch, channels, rows, columns), weighted."""
        mean, most = features.mean(dim=(2, 3), keepdim=True), features.amax(dim=(2, 3), keepdim=True)
        features = features * torch.sigmoid(self.shared(mean) + self.shared(most))
        summary = torch.cat([features.mean(dim=1, keepdim=True), features.amax(dim=1, keepdim=True)], dim=1)
        weighted: Tensor = features * torch.sigmoid(self.places(summary))
        return weighted


class Pyramid(nn.Module):
    """Feature maps of equal channels at several strides.

    Parameters
    ----------
    encoder
        Name of an encoder known to segmentation-models-pytorch, whose stages have strides 2, 4, 8, 16, 32.
    bands
        Input bands.
    strides
        Strides of the maps, ascending: 2, 4, 8, 16, 32, and with `kind` ``"fpn"`` also 64.
    channels
        Channels of every map.
    kind
        ``"unet"``: the decoder of a U-Net carries deep features up, as in the mapping models; ``"fpn"``: a feature
        pyramid network (Lin et al. 2017, doi:10.1109/CVPR.2017.106).
    attention
        ``""`` or ``"cbam"``: attention on every map.

    Raises
    ------
    ModelError
        When these do not go together.
    """

    def __init__(
        self,
        encoder: str,
        bands: int,
        strides: Sequence[int],
        channels: int = 64,
        kind: str = "unet",
        attention: str = "",
    ) -> None:
        import segmentation_models_pytorch as smp

        super().__init__()
        deepest = 32 if kind == "unet" else 64
        known = kind in ("unet", "fpn") and attention in ATTENTION
        if not known or list(strides) != sorted(set(strides)) or not set(strides) <= {2, 4, 8, 16, 32, deepest}:
            raise ModelError(f"A pyramid {kind!r} with strides {list(strides)} and attention {attention!r} is not "
                             "available.")
        self.strides = tuple(strides)
        self.out_channels = channels
        self.kind = kind
        network = smp.Unet(encoder, encoder_weights=None, in_channels=bands, classes=1)
        self.encoder = network.encoder
        widths = dict(zip((1, 2, 4, 8, 16, 32), network.encoder.out_channels, strict=True))
        if kind == "unet":
            finest = self.strides[0]
            self.center = network.decoder.center
            blocks = zip(network.decoder.blocks, (16, 8, 4, 2, 1), strict=True)
            self.blocks = nn.ModuleList(block for block, stride in blocks if stride >= finest)
            carried = {16: 256, 8: 128, 4: 64, 2: 32, 32: widths[32]}
            self.lateral = nn.ModuleDict({str(s): _lateral(carried[s], channels) for s in self.strides})
        else:
            from torchvision.ops import FeaturePyramidNetwork
            from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

            self.taken = tuple(stride for stride in self.strides if stride <= 32)
            extra = LastLevelMaxPool() if 64 in self.strides else None
            self.pyramid = FeaturePyramidNetwork([widths[s] for s in self.taken], channels, extra, nn.BatchNorm2d)
        gates = {str(s): Attention(channels) if attention else nn.Identity() for s in self.strides}
        self.gates = nn.ModuleDict(gates)

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        """Maps by stride, finest first, float32: boxes are computed from them, and coordinates need its digits."""
        features = self.encoder(images)
        maps = self._up(features) if self.kind == "unet" else self._across(features)
        return OrderedDict((str(s), self.gates[str(s)](maps[s]).float()) for s in self.strides)

    def _up(self, features: list[Tensor]) -> dict[int, Tensor]:
        deep = features[1:][::-1]
        current, stride = self.center(deep[0]), 32
        maps = {32: current}
        for number, block in enumerate(self.blocks, start=1):
            stride //= 2
            skip = deep[number] if number < len(deep) else None
            current = block(current, 2 * current.shape[-2], 2 * current.shape[-1], skip)
            maps[stride] = current
        return {s: self.lateral[str(s)](maps[s]) for s in self.strides}

    def _across(self, features: list[Tensor]) -> dict[int, Tensor]:
        by_stride = dict(zip((1, 2, 4, 8, 16, 32), features, strict=True))
        made = self.pyramid(OrderedDict((str(s), by_stride[s]) for s in self.taken))
        return dict(zip(self.strides, made.values(), strict=True))

    def start_from(self, network: nn.Module) -> tuple[str, ...]:
        """Copy what a trained U-Net (or any network with the same encoder) has in common with this.

        Returns
        -------
        Beginnings of the names of parameters that were copied.

        Raises
        ------
        ModelError
            When its encoder is another.
        """
        try:
            self.encoder.load_state_dict(network.get_submodule("encoder").state_dict())
        except (AttributeError, RuntimeError) as error:
            raise ModelError("The model to start from has a different encoder.", str(error)[:300]) from error
        if self.kind != "unet" or not hasattr(network, "decoder") or not hasattr(network.decoder, "blocks"):
            return ("encoder.",)
        try:
            for mine, theirs in zip(self.blocks, network.get_submodule("decoder.blocks").children(), strict=False):
                mine.load_state_dict(theirs.state_dict())
        except RuntimeError as error:
            raise ModelError("The model to start from has a different decoder.", str(error)[:300]) from error
        return ("encoder.", "blocks.")

    @property
    def explained(self) -> tuple[str, ...]:
        """Names of the modules that class activation maps are made of: the maps, then the encoder's deeper stages."""
        return tuple(f"gates.{stride}" for stride in self.strides)


def _lateral(width: int, channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))


def pyramid_of(encoder: str, bands: int, options: Mapping[str, Any], strides: Sequence[int]) -> Pyramid:
    """The pyramid that a spec's options describe: ``strides``, ``channels``, ``pyramid``, ``attention``."""
    return Pyramid(
        encoder, bands, tuple(options.get("strides", strides)), int(options.get("channels", 64)),
        str(options.get("pyramid", "unet")), str(options.get("attention", "")),
    )  # fmt: skip
