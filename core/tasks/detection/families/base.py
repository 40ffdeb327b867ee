"""What every family of detectors can do: learn, detect in a batch of windows, and say how much speaks for a box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from core.errors import ModelError

if TYPE_CHECKING:
    from core.learning.spec import ModelSpec


@dataclass(frozen=True)
class Target:
    """What is to be found in one image.

    Attributes
    ----------
    boxes
        (count, 4) float32: left, top, right, bottom in pixels of the image as it is given to the detector.
    labels
        (count,) int64: class from 0.
    masks
        (count, height, width) bool, for families that learn outlines; None without.
    """

    boxes: Tensor
    labels: Tensor
    masks: Tensor | None = None


@dataclass(frozen=True)
class Detected:
    """What was found in one image, the surest first.

    Attributes
    ----------
    boxes
        (count, 4) float32 in pixels of the image as it was given to the detector, within it.
    scores
        (count,) float32 between 0 and 1.
    labels
        (count,) int64: class from 0.
    masks
        (count, height, width) probability, of families that give outlines; None of the others.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    masks: Tensor | None = None


class Detector(nn.Module):
    """A detector of any family.

    Images are float32 (batch, bands, height, width), normalised, sides multiples of 32. Whatever a family needs of its
    own (enlargement of small images, lists in place of batches) happens inside.
    """

    family: str
    """Name under which specs ask for it."""

    explained: tuple[str, ...] = ()
    """Dotted names of modules whose output has places (channels, rows, columns), from fine to coarse: what class
    activation maps are made of."""

    has_masks = False
    """Whether `detect` gives outlines beside boxes."""

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Terms whose sum is to be made small, by name. In training mode only."""
        raise NotImplementedError

    def detect(
        self, images: Tensor, min_confidence: float, max_detections: int, nms_iou: float = 0.7
    ) -> list[Detected]:
        """Boxes of each image with a score of at least `min_confidence`, at most `max_detections` of them.

        Duplicates that overlap by more than `nms_iou` are left out where the family has any. In evaluation mode only.
        """
        raise NotImplementedError

    def encode(self, images: Tensor) -> Tensor:
        """Feature maps (batch, channels, rows, columns) of the encoder, at about a sixteenth of the input.

        What training images look like is told by them; no channels where a detector has no encoder.
        """
        return images.new_zeros(len(images), 0, 1, 1)

    def evidence(self, images: Tensor, box: Tensor) -> Tensor:
        """How much speaks for a landslide in a box, as one number that can be differentiated by every activation.

        Parameters
        ----------
        images
            (1, bands, height, width).
        box
            (4,) in pixels of the image: one that `detect` gave.

        Returns
        -------
        A scalar in units of the score's logit: that of the raw prediction that is closest to the box, or for a second
        stage that of the box itself.
        """
        raise NotImplementedError


Builder = Callable[["ModelSpec"], Detector]
FAMILIES: dict[str, Builder] = {}


def family(name: str) -> Callable[[Builder], Builder]:
    """Register a function from a spec to an untrained detector under the name that specs use as architecture."""

    def register(builder: Builder) -> Builder:
        FAMILIES[name] = builder
        return builder

    return register


def build_detector(spec: ModelSpec) -> Detector:
    """The untrained detector that a spec describes.

    Raises
    ------
    ModelError
        When its family is unknown, or its options do not fit it.
    """
    # Each module registers its families when it is imported.
    from core.tasks.detection.families import component_tree, components, torchvision_families, ultralytics_families

    del component_tree, components, torchvision_families, ultralytics_families
    builder = FAMILIES.get(spec.architecture)
    if builder is None:
        known = ", ".join(sorted(FAMILIES))
        raise ModelError(f"Unknown detector family {spec.architecture!r}.", remedy=(
            f"Available families: {known}."
        ))
    try:
        return builder(spec)
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ModelError(f"The detector {spec.architecture} cannot be built for {spec.name}.", str(error)) from error
