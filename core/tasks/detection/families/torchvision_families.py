"""Detectors of torchvision: FCOS, RetinaNet, SSD-lite, Faster R-CNN and Mask R-CNN on a pyramid of our encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.learning.encoder import last_but_one
from core.tasks.detection.families.base import Detected, Detector, Target, family
from core.tasks.detection.families.pyramid import Pyramid, pyramid_of

if TYPE_CHECKING:
    from core.learning.spec import ModelSpec

FLOOR = 0.01
"""Score below which no family gives a box: what a user may ask for begins there."""

MOST = 300
"""Boxes of one window at most."""

NMS_WITHIN = 0.7
"""Overlap of duplicates that are left out within a window; more is left to what is chosen afterwards."""


class _AsItIs(nn.Module):
    """Stands where torchvision would resize and normalise: images come ready, as one batch."""

    def forward(self, images: Tensor, targets: Any = None) -> tuple[Any, Any]:  # noqa: ANN401  torchvision's own
        from torchvision.models.detection.image_list import ImageList

        height, width = images.shape[-2:]
        return ImageList(images, [(int(height), int(width))] * len(images)), targets

    def postprocess(self, result: Any, _shapes: Any, _sizes: Any) -> Any:  # noqa: ANN401
        return result


class Enlarged(Detector):
    """A detector that sees its input enlarged; boxes are in pixels of the input as it is given."""

    model: Any
    """What torchvision built, whose parts torch declares as tensors or modules."""

    background = 0
    """1 where class 0 of the library is the background."""

    def __init__(self, pyramid: Pyramid, model: nn.Module, upscale: float) -> None:
        super().__init__()
        self.model = model
        self.model.transform = _AsItIs()
        self.upscale = upscale
        self.explained = tuple(f"model.backbone.{name}" for name in pyramid.explained)

    @property
    def pyramid(self) -> Pyramid:
        """What the features come from."""
        pyramid: Pyramid = self.model.backbone
        return pyramid

    def encode(self, images: Tensor) -> Tensor:
        """See `Detector`."""
        return last_but_one(self.pyramid.encoder(self._seen(images)))

    def _seen(self, images: Tensor) -> Tensor:
        if self.upscale == 1:
            return images
        return functional.interpolate(images, scale_factor=self.upscale, mode="bilinear", align_corners=False)

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """See `Detector`."""
        wanted = [self._target(target) for target in targets]
        found: dict[str, Tensor] = self.model(self._seen(images), wanted)
        return found

    def _target(self, target: Target) -> dict[str, Tensor]:
        return {"boxes": target.boxes * self.upscale, "labels": target.labels + self.background}

    def detect(
        self, images: Tensor, min_confidence: float, max_detections: int, nms_iou: float = NMS_WITHIN
    ) -> list[Detected]:
        """See `Detector`."""
        height, width = images.shape[-2:]
        shape = int(height), int(width)
        return [
            self._detected(one, min_confidence, max_detections, nms_iou, shape)
            for one in self.model(self._seen(images))
        ]

    def _detected(
        self,
        found: dict[str, Tensor],
        min_confidence: float,
        max_detections: int,
        nms_iou: float,
        shape: tuple[int, int],
    ) -> Detected:
        from torchvision.ops import batched_nms

        boxes, scores = found["boxes"].float() / self.upscale, found["scores"].float()
        labels = found["labels"] - self.background
        # Places that have learnt nothing yet give boxes without extent.
        chosen = torch.nonzero((scores >= min_confidence) & ((boxes[:, 2:] - boxes[:, :2]) > 0).all(dim=1))[:, 0]
        if nms_iou < NMS_WITHIN:
            chosen = chosen[batched_nms(boxes[chosen], scores[chosen], labels[chosen], nms_iou)]
        chosen = chosen[scores[chosen].argsort(descending=True, stable=True)][:max_detections]
        masks = self._masks(found, chosen, shape) if "masks" in found else None
        return Detected(boxes[chosen], scores[chosen], labels[chosen], masks)

    def _masks(self, found: dict[str, Tensor], chosen: Tensor, shape: tuple[int, int]) -> Tensor:
        raise NotImplementedError

    def evidence(self, images: Tensor, box: Tensor) -> Tensor:
        """See `Detector`."""
        seen = self._seen(images)
        features = self.model.backbone(seen)
        return self._evidence(seen, features, box * self.upscale)

    def _evidence(self, seen: Tensor, features: dict[str, Tensor], box: Tensor) -> Tensor:
        raise NotImplementedError


def closest(boxes: Tensor, scores: Tensor, box: Tensor) -> Tensor:
    """Index of the raw prediction that a box came from: of those that overlap it by half, the surest, else the nearest.

    Parameters
    ----------
    boxes, scores
        (count, 4) and (count,).
    box
        (4,).
    """
    from torchvision.ops import box_iou

    with torch.no_grad():
        overlap = box_iou(box[None].to(boxes), boxes)[0]
        near = overlap >= min(0.5, float(overlap.max()))
        return torch.where(near, scores, torch.full_like(scores, -torch.inf)).argmax()


def log_odds(log_score: Tensor) -> Tensor:
    """Log-odds of a score from its logarithm; finite, since no score that counts is exactly 1."""
    return log_score - torch.log1p(-torch.exp(log_score.clamp(max=-1e-6)))


class Fcos(Enlarged):
    """FCOS: each place of a map says how far the edges of its landslide are.

    Tian, Z., Shen, C., Chen, H., He, T. (2019). FCOS: fully convolutional one-stage object detection. ICCV.
    doi:10.1109/ICCV.2019.00972
    """

    family = "fcos"

    def __init__(self, pyramid: Pyramid, upscale: float, classes: int, convolutions: int) -> None:
        from torchvision.models.detection import FCOS
        from torchvision.models.detection.anchor_utils import AnchorGenerator
        from torchvision.models.detection.fcos import FCOSHead

        places = AnchorGenerator(tuple((s,) for s in pyramid.strides), ((1.0,),) * len(pyramid.strides))
        model = FCOS(
            pyramid, classes, anchor_generator=places, score_thresh=FLOOR, nms_thresh=NMS_WITHIN,
            head=FCOSHead(pyramid.out_channels, 1, classes, num_convs=convolutions), detections_per_img=MOST,
        )  # fmt: skip
        super().__init__(pyramid, model, upscale)

    def _evidence(self, seen: Tensor, features: dict[str, Tensor], box: Tensor) -> Tensor:
        maps = list(features.values())
        given = self.model.head(maps)
        images, _ = self.model.transform(seen)
        (places,) = self.model.anchor_generator(images, maps)
        boxes = self.model.box_coder.decode(given["bbox_regression"][0], places)
        sure = functional.logsigmoid(given["cls_logits"][0].amax(dim=1))
        log_score = (sure + functional.logsigmoid(given["bbox_ctrness"][0, :, 0])) / 2
        return log_odds(log_score[closest(boxes, log_score, box)])


@family("fcos")
def _fcos(spec: ModelSpec) -> Detector:
    pyramid = pyramid_of(spec.encoder, len(spec.bands), spec.options, (4, 8, 16, 32))
    return Fcos(pyramid, spec.upscale, len(spec.classes), int(spec.options.get("convolutions", 2)))


class RetinaNet(Enlarged):
    """RetinaNet: anchors of several sizes and shapes at each place, learnt with focal loss.

    Lin, T.-Y., Goyal, P., Girshick, R., He, K., Dollár, P. (2017). Focal loss for dense object detection. ICCV.
    doi:10.1109/ICCV.2017.324
    """

    family = "retinanet"

    def __init__(self, pyramid: Pyramid, upscale: float, classes: int) -> None:
        from torchvision.models.detection import RetinaNet as Model

        model = Model(
            pyramid, classes, anchor_generator=_anchors(pyramid, (1.0, 1.6)), score_thresh=FLOOR,
            nms_thresh=NMS_WITHIN, detections_per_img=MOST, fg_iou_thresh=0.5, bg_iou_thresh=0.4,
        )  # fmt: skip
        super().__init__(pyramid, model, upscale)

    def _evidence(self, seen: Tensor, features: dict[str, Tensor], box: Tensor) -> Tensor:
        maps = list(features.values())
        given = self.model.head(maps)
        images, _ = self.model.transform(seen)
        (anchors,) = self.model.anchor_generator(images, maps)
        boxes = self.model.box_coder.decode_single(given["bbox_regression"][0], anchors)
        logits = given["cls_logits"][0].amax(dim=1)
        chosen: Tensor = logits[closest(boxes, logits, box)]
        return chosen


def _anchors(pyramid: Pyramid, octaves: tuple[float, ...]) -> Any:  # noqa: ANN401  torchvision's generator
    """Anchors three strides wide, in steps within an octave, square and twice as long either way."""
    from torchvision.models.detection.anchor_utils import AnchorGenerator

    sizes = tuple(tuple(round(3 * stride * step) for step in octaves) for stride in pyramid.strides)
    return AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))


@family("retinanet")
def _retinanet(spec: ModelSpec) -> Detector:
    pyramid = pyramid_of(spec.encoder, len(spec.bands), spec.options, (4, 8, 16, 32))
    return RetinaNet(pyramid, spec.upscale, len(spec.classes))


class SsdLite(Enlarged):
    """SSD-lite: default boxes on every map, depthwise-separable heads.

    Liu, W. et al. (2016). SSD: single shot multibox detector. ECCV. doi:10.1007/978-3-319-46448-0_2
    Sandler, M. et al. (2018). MobileNetV2: inverted residuals and linear bottlenecks. CVPR.
    doi:10.1109/CVPR.2018.00474
    """

    family = "ssdlite"
    background = 1

    def __init__(self, pyramid: Pyramid, upscale: float, classes: int, tile: int) -> None:
        from functools import partial

        from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
        from torchvision.models.detection.ssd import SSD
        from torchvision.models.detection.ssdlite import SSDLiteHead

        side = round(tile * upscale)
        # Default boxes are shares of the side: three strides of each map wide, as for RetinaNet.
        scales = [3 * stride / side for stride in (*pyramid.strides, 2 * pyramid.strides[-1])]
        boxes = DefaultBoxGenerator([[2]] * len(pyramid.strides), scales=scales)
        widths = [pyramid.out_channels] * len(pyramid.strides)
        norm = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.03)
        head = SSDLiteHead(widths, boxes.num_anchors_per_location(), classes + 1, norm)
        model = SSD(
            pyramid, boxes, (side, side), classes + 1, head=head, score_thresh=FLOOR, nms_thresh=NMS_WITHIN,
            detections_per_img=MOST, topk_candidates=1000, iou_thresh=0.45,
        )  # fmt: skip
        super().__init__(pyramid, model, upscale)
        self.side = side

    def _evidence(self, seen: Tensor, features: dict[str, Tensor], box: Tensor) -> Tensor:
        maps = list(features.values())
        given = self.model.head(maps)
        images, _ = self.model.transform(seen)
        (anchors,) = self.model.anchor_generator(images, maps)
        boxes = self.model.box_coder.decode_single(given["bbox_regression"][0], anchors)
        logits = _against_background(given["cls_logits"][0])
        chosen: Tensor = logits[closest(boxes, logits, box)]
        return chosen


def _against_background(logits: Tensor) -> Tensor:
    """Log-odds of any class against the background, of softmax logits (count, 1 + classes)."""
    return torch.logsumexp(logits[:, 1:], dim=1) - logits[:, 0]


@family("ssdlite")
def _ssdlite(spec: ModelSpec) -> Detector:
    pyramid = pyramid_of(spec.encoder, len(spec.bands), spec.options, (4, 8, 16, 32))
    return SsdLite(pyramid, spec.upscale, len(spec.classes), spec.tile)


class FasterRcnn(Enlarged):
    """Faster R-CNN: regions that may hold something, then each looked at again.

    Ren, S., He, K., Girshick, R., Sun, J. (2017). Faster R-CNN: towards real-time object detection with region
    proposal networks. IEEE TPAMI. doi:10.1109/TPAMI.2016.2577031
    """

    family = "faster-rcnn"
    background = 1

    def __init__(self, pyramid: Pyramid, upscale: float, classes: int, *, masks: bool = False) -> None:
        from torchvision.models.detection import FasterRCNN, MaskRCNN
        from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
        from torchvision.models.detection.rpn import RPNHead
        from torchvision.ops import MultiScaleRoIAlign

        names, width = [str(stride) for stride in pyramid.strides], pyramid.out_channels
        anchors = _anchors(pyramid, (1.0,))
        common: dict[str, Any] = {
            "rpn_anchor_generator": anchors,
            "rpn_head": RPNHead(width, anchors.num_anchors_per_location()[0]),
            "box_roi_pool": MultiScaleRoIAlign(names, 7, 2, canonical_scale=12 * pyramid.strides[0], canonical_level=3),
            "box_head": TwoMLPHead(width * 49, 256),
            "box_predictor": FastRCNNPredictor(256, classes + 1),
            "rpn_pre_nms_top_n_train": 600, "rpn_pre_nms_top_n_test": 600, "rpn_post_nms_top_n_train": 300,
            "rpn_post_nms_top_n_test": 300, "rpn_batch_size_per_image": 128, "box_batch_size_per_image": 128,
            "box_score_thresh": FLOOR, "box_nms_thresh": NMS_WITHIN, "box_detections_per_img": MOST,
        }  # fmt: skip
        if masks:
            from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor

            common |= {
                "mask_roi_pool": MultiScaleRoIAlign(
                    names, 14, 2, canonical_scale=12 * pyramid.strides[0], canonical_level=3
                ),
                "mask_head": MaskRCNNHeads(width, (width, width), 1),
                "mask_predictor": MaskRCNNPredictor(width, width, classes + 1),
            }  # fmt: skip
        super().__init__(pyramid, (MaskRCNN if masks else FasterRCNN)(pyramid, **common), upscale)

    def _evidence(self, seen: Tensor, features: dict[str, Tensor], box: Tensor) -> Tensor:
        # The second stage is asked about the box itself, as if the first had proposed it.
        heads, shape = self.model.roi_heads, (int(seen.shape[-2]), int(seen.shape[-1]))
        pooled = heads.box_roi_pool(features, [box[None].to(seen)], [shape])
        logits, _ = heads.box_predictor(heads.box_head(pooled))
        return _against_background(logits)[0]


@family("faster-rcnn")
def _faster_rcnn(spec: ModelSpec) -> Detector:
    pyramid = pyramid_of(spec.encoder, len(spec.bands), spec.options, (4, 8, 16, 32))
    return FasterRcnn(pyramid, spec.upscale, len(spec.classes))


class MaskRcnn(FasterRcnn):
    """Mask R-CNN: Faster R-CNN with an outline for each box (He et al. 2017, doi:10.1109/ICCV.2017.322)."""

    family = "mask-rcnn"
    has_masks = True

    def __init__(self, pyramid: Pyramid, upscale: float, classes: int) -> None:
        super().__init__(pyramid, upscale, classes, masks=True)

    def _target(self, target: Target) -> dict[str, Tensor]:
        wanted = super()._target(target)
        if target.masks is None:
            raise ValueError("Mask R-CNN is trained on masks, but these labels are boxes only.")
        height, width = (round(side * self.upscale) for side in target.masks.shape[-2:])
        masks = torch.zeros(len(target.masks), height, width, dtype=torch.uint8, device=target.boxes.device)
        if len(target.masks):
            enlarged = functional.interpolate(target.masks[None].float(), size=(height, width), mode="nearest")
            masks = enlarged[0].to(torch.uint8)
        return {**wanted, "masks": masks}

    def _masks(self, found: dict[str, Tensor], chosen: Tensor, shape: tuple[int, int]) -> Tensor:
        from torchvision.models.detection.roi_heads import paste_masks_in_image

        boxes = found["boxes"][chosen].float() / self.upscale
        pasted: Tensor = paste_masks_in_image(found["masks"][chosen].float(), boxes, shape)
        return pasted[:, 0]


@family("mask-rcnn")
def _mask_rcnn(spec: ModelSpec) -> Detector:
    pyramid = pyramid_of(spec.encoder, len(spec.bands), spec.options, (4, 8, 16, 32))
    return MaskRcnn(pyramid, spec.upscale, len(spec.classes))
