"""Detectors of ultralytics: YOLO and RT-DETR, rebuilt from the architecture's YAML, with our weights and no pickle.

Only the networks and their losses are used. Training, data and weights are ours, so nothing is fetched, synchronised
or reported to anybody.
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.errors import ModelError
from core.learning.encoder import last_but_one
from core.tasks.detection.families.base import Detected, Detector, Target, family
from core.tasks.detection.families.pyramid import Attention
from core.tasks.detection.families.torchvision_families import MOST, NMS_WITHIN, closest

if TYPE_CHECKING:
    from core.learning.spec import ModelSpec

MODULES = frozenset({
    "AIFI", "Attention", "C2PSA", "C3k2", "Concat", "Conv", "Detect", "RTDETRDecoder", "RepC3", "ResNetLayer", "SPPF",
    "nn.Upsample",
})  # fmt: skip
"""Modules that an architecture may name."""

GAINS = SimpleNamespace(box=7.5, cls=0.5, dfl=1.5)
"""Weights of the terms of YOLO's loss, as the library sets them."""


def quiet_ultralytics() -> None:
    """Keep the library from talking to anybody: no settings, no telemetry, no downloads."""
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    from ultralytics import utils

    utils.ONLINE = False


def architecture_of(spec: ModelSpec) -> dict[str, Any]:
    """The architecture in a spec's option ``yaml``, with its classes.

    Raises
    ------
    ModelError
        When there is none, or it names modules that no architecture of ours needs.
    """
    import yaml

    try:
        content: dict[str, Any] = yaml.safe_load(spec.options["yaml"])
        layers = [*content["backbone"], *content["head"]]
        unknown = sorted({str(layer[2]) for layer in layers} - MODULES)
    except (KeyError, TypeError, IndexError, yaml.YAMLError) as error:
        raise ModelError(f"Model {spec.name} describes no network.", str(error)) from error
    if unknown:
        raise ModelError(f"Model {spec.name} names unknown modules: {', '.join(unknown)}.")
    # Attention is ours, and the library would not know it: it takes the place of an identity of the same width.
    return {**content, "nc": len(spec.classes)}


def _with_attention(content: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
    layers = [*content["backbone"], *content["head"]]
    places = [number for number, layer in enumerate(layers) if layer[2] == "Attention"]
    swapped = [[layer[0], layer[1], "nn.Identity", []] if layer[2] == "Attention" else layer for layer in layers]
    split = len(content["backbone"])
    return {**content, "backbone": swapped[:split], "head": swapped[split:]}, places


class Ultralytics(Detector):
    """A network of ultralytics; boxes are in pixels of the input as it is given."""

    model: Any
    """What the library built, whose layers torch declares as tensors or modules."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        quiet_ultralytics()
        content, places = _with_attention(architecture_of(spec))
        self.model = self._build(content, len(spec.bands))
        if places:
            self._attend(places, content, len(spec.bands))
        self.upscale = spec.upscale
        self.explained = tuple(f"model.model.{number}" for number in self._sources())

    def _build(self, content: dict[str, Any], bands: int) -> Any:  # noqa: ANN401  the library's own
        raise NotImplementedError

    def _attend(self, places: list[int], content: dict[str, Any], bands: int) -> None:
        """Put attention where the architecture asks for it, as wide as what comes in there."""
        widths: dict[int, int] = {}
        hooks = [
            self.model.model[number].register_forward_hook(
                lambda _module, given, _output, number=number: widths.__setitem__(number, given[0].shape[1])
            )
            for number in places
        ]
        training = self.model.training
        with torch.inference_mode():
            self.model.eval()(torch.zeros(1, bands, 64, 64))
        self.model.train(training)
        for hook in hooks:
            hook.remove()
        for number in places:
            before = self.model.model[number]
            attention = Attention(widths[number])
            attention.i, attention.f, attention.type = before.i, before.f, "Attention"  # type: ignore[assignment]
            self.model.model[number] = attention

    def _sources(self) -> tuple[int, ...]:
        """Layers that the head reads, finest first."""
        sources: list[int] = list(self.model.model[-1].f)
        return tuple(sources)

    def _seen(self, images: Tensor) -> Tensor:
        if self.upscale == 1:
            return images
        return functional.interpolate(images, scale_factor=self.upscale, mode="bilinear", align_corners=False)

    def encode(self, images: Tensor) -> Tensor:
        """See `Detector`: the backbone is the chain of layers before the first that enlarges or joins maps."""
        maps: list[Tensor] = []
        current = self._seen(images)
        for layer in self.model.model:
            if layer.f != -1 or isinstance(layer, nn.Upsample):
                break
            current = layer(current)
            maps.append(current)
        return last_but_one(maps)

    def _batch(self, seen: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Targets as the library's losses take them: centres and sides as shares of the image."""
        height, width = seen.shape[-2:]
        corners = torch.cat([target.boxes for target in targets]) * self.upscale
        low, high = corners[:, :2], corners[:, 2:]
        size = torch.tensor([width, height, width, height], device=corners.device)
        counts = torch.tensor([len(target.boxes) for target in targets])
        return {
            "img": seen,
            "batch_idx": torch.repeat_interleave(torch.arange(len(targets)), counts).to(corners),
            "cls": torch.cat([target.labels for target in targets]).to(corners),
            "bboxes": torch.cat([(low + high) / 2, high - low], dim=1) / size,
        }

    def _raw(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Corners (batch, count, 4) in pixels of the input, and logits (batch, count, classes), of all predictions."""
        raise NotImplementedError

    def detect(
        self, images: Tensor, min_confidence: float, max_detections: int, nms_iou: float = NMS_WITHIN
    ) -> list[Detected]:
        """See `Detector`."""
        height, width = images.shape[-2:]
        corners, logits = self._raw(images)
        scores, labels = torch.sigmoid(logits).max(dim=2)
        return [
            self._detected(*one, min_confidence, min(max_detections, MOST), nms_iou, (height, width))
            for one in zip(corners, scores, labels, strict=True)
        ]

    def _detected(
        self, corners: Tensor, scores: Tensor, labels: Tensor, min_confidence: float, max_detections: int,
        nms_iou: float, shape: tuple[int, int],
    ) -> Detected:  # fmt: skip
        from torchvision.ops import batched_nms, clip_boxes_to_image

        corners = clip_boxes_to_image(corners, shape)
        real = ((corners[:, 2:] - corners[:, :2]) > 0).all(dim=1)
        chosen = torch.nonzero((scores >= min_confidence) & real)[:, 0]
        chosen = chosen[scores[chosen].argsort(descending=True, stable=True)][:1000]
        chosen = chosen[batched_nms(corners[chosen], scores[chosen], labels[chosen], nms_iou)][:max_detections]
        return Detected(corners[chosen], scores[chosen], labels[chosen])

    def evidence(self, images: Tensor, box: Tensor) -> Tensor:
        """See `Detector`."""
        # What the head kept of an earlier run in inference mode cannot carry gradients: it is made anew.
        head = self.model.model[-1]
        head.shape = head.shapes = None
        corners, logits = self._raw(images)
        most = logits[0].amax(dim=1)
        chosen: Tensor = most[closest(corners[0], most, box)]
        return chosen


class Yolo(Ultralytics):
    """YOLO: one pass, anchor-free, task-aligned assignment (Jocher and Qiu 2024, Ultralytics YOLO11)."""

    family = "yolo"

    def _build(self, content: dict[str, Any], bands: int) -> Any:  # noqa: ANN401  the library's own
        from ultralytics.nn.tasks import DetectionModel

        model: Any = DetectionModel(content, ch=bands, verbose=False)  # type: ignore[no-untyped-call]
        model.args = GAINS
        return model

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """See `Detector`."""
        from ultralytics.utils.loss import v8DetectionLoss

        seen = self._seen(images)
        given = self.model(seen)
        # Distances and overlaps need more digits than half precision has.
        given = {k: [m.float() for m in v] if isinstance(v, list) else v.float() for k, v in given.items()}
        with torch.autocast(seen.device.type, enabled=False):
            # Made anew each time: it keeps tensors of the device that the network was on before.
            terms, _ = v8DetectionLoss(self.model)(given, self._batch(seen.float(), targets))
        return dict(zip(("box", "class", "distribution"), terms / len(targets), strict=True))

    def _raw(self, images: Tensor) -> tuple[Tensor, Tensor]:
        decoded, given = self.model(self._seen(images))
        centre, size = decoded[:, :2].transpose(1, 2), decoded[:, 2:4].transpose(1, 2)
        corners = torch.cat([centre - size / 2, centre + size / 2], dim=2).float() / self.upscale
        return corners, given["scores"].transpose(1, 2).float()


@family("yolo")
def _yolo(spec: ModelSpec) -> Detector:
    return Yolo(spec)


class RtDetr(Ultralytics):
    """RT-DETR: a transformer whose queries each give one box.

    Zhao, Y. et al. (2024). DETRs beat YOLOs on real-time object detection. CVPR.
    doi:10.1109/CVPR52733.2024.01605
    """

    family = "rt-detr"

    def _build(self, content: dict[str, Any], bands: int) -> Any:  # noqa: ANN401  the library's own
        from ultralytics.nn.tasks import RTDETRDetectionModel

        model: Any = RTDETRDetectionModel(content, ch=bands, verbose=False)  # type: ignore[no-untyped-call]
        return model

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """See `Detector`."""
        from ultralytics.models.utils.loss import RTDETRDetectionLoss

        self.model.criterion = RTDETRDetectionLoss(nc=self.model.model[-1].nc, use_vfl=True)
        seen = self._seen(images)
        with torch.autocast(seen.device.type, enabled=False):
            total, _ = self.model.loss(self._batch(seen.float(), targets))
        del self.model.criterion
        return {"sum": total}

    def _raw(self, images: Tensor) -> tuple[Tensor, Tensor]:
        seen = self._seen(images)
        height, width = seen.shape[-2:]
        _, (boxes, logits, *_) = self.model(seen)
        centre, size = boxes[-1][..., :2], boxes[-1][..., 2:]
        corners = torch.cat([centre - size / 2, centre + size / 2], dim=2)
        return corners * torch.tensor([width, height, width, height], device=corners.device) / self.upscale, logits[-1]


@family("rt-detr")
def _rt_detr(spec: ModelSpec) -> Detector:
    return RtDetr(spec)
