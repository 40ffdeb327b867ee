"""What tasks and explanations know of each other: the shape of a network, and nothing of who built it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class ExplainedNetwork(Protocol):
    """What every explanation needs of a network, whatever comes out of it; every `torch.nn.Module` has it."""

    training: bool

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


@runtime_checkable
class SegmentationNetwork(ExplainedNetwork, Protocol):
    """A network that gives one logit per pixel; every `torch.nn.Module` with that output is one.

    Input is float32 (batch, bands, height, width), normalised; output is logits (batch, 1, height, width).
    """

    def __call__(self, images: Tensor, /) -> Tensor:
        """Logits of images."""
        ...


class FoundBoxes(Protocol):
    """What a detector found in one image, the surest first."""

    @property
    def boxes(self) -> Tensor:
        """Left, top, right, bottom in pixels of the image, (count, 4) float32."""

    @property
    def scores(self) -> Tensor:
        """Confidence between 0 and 1, (count,) float32."""


@runtime_checkable
class BoxEvidence(ExplainedNetwork, Protocol):
    """A detector that says in one number how much speaks for a box."""

    @property
    def explained(self) -> tuple[str, ...]:
        """Dotted names of modules whose output has places, from fine to coarse."""

    def evidence(self, images: Tensor, box: Tensor) -> Tensor:
        """Scalar, in units of the score's logit and differentiable, for a box (4,) in pixels of images (1, …)."""
        ...

    def detect(self, images: Tensor, floor: float, limit: int, nms_iou: float = 0.7) -> Sequence[FoundBoxes]:
        """Boxes of each image with a score of at least `floor`, at most `limit` of them."""
        ...
