"""What tasks and explanations know of each other: the shape of a network, and nothing of who built it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class SegmentationNetwork(Protocol):
    """A network that gives one logit per pixel; every `torch.nn.Module` with that output is one.

    Input is float32 (batch, bands, height, width), normalised; output is logits (batch, 1, height, width).
    """

    training: bool

    def __call__(self, images: Tensor, /) -> Tensor:
        """Logits of images."""
        ...

    def eval(self) -> object:
        """Switch dropout off and batch statistics to those learned."""
        ...

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget gradients."""
        ...

    def get_submodule(self, target: str) -> nn.Module:
        """Return the part of the network with a dotted name."""
        ...

    def named_modules(self) -> Iterator[tuple[str, nn.Module]]:
        """Return all parts of the network with their dotted names."""
        ...
