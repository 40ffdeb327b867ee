"""Boxes around the parts of a mapping network's probability at every threshold, ranked by a second stage.

One threshold joins slides that touch, or tears a pale one into pieces; at another it is the other way round. So the
connected parts at many thresholds are proposed, nested as they are, and a second stage that has learnt from true boxes
says of each how well its box would fit: boosted trees over what the part and its surroundings look like.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.learning.encoder import encoder_maps
from core.learning.segmentation import build_network
from core.raster.progress import stop_between
from core.tasks.detection.families.base import Detected, Detector, Target, family
from core.tasks.detection.families.components import decoder_blocks

if TYPE_CHECKING:
    from core.learning.spec import ModelSpec

Floats = NDArray[np.float32]

THRESHOLDS = (0.08, 0.12, 0.18, 0.25, 0.32, 0.4, 0.48, 0.56, 0.64, 0.72, 0.8, 0.87, 0.93)
"""Probabilities at which parts are proposed."""

SMALLEST = 6
"""Pixels of the smallest part that is proposed; its box may be larger than ten pixels."""

FEATURES = (
    "threshold", "pixels", "height", "width", "filled share of the box", "long over short side",
    "mean probability", "highest probability", "spread of probability", "lower quartile of probability",
    "mean probability around", "highest probability around", "steepness of probability at the edge",
    "colour index inside", "colour index around", "red inside", "green inside", "blue inside", "red around",
    "green around", "blue around", "spread of colours inside", "sides on the window's edge", "pixels of the edge",
    "share left at a higher threshold", "growth at a lower threshold", "parts in the window",
    "share of the window above the threshold", "share above 0.3", "share above 0.5", "share above 0.7",
    "share above 0.85",
)  # fmt: skip
"""What the second stage looks at, in the order of its columns."""

TREES = ("feature", "split", "left", "right", "value")
"""Arrays (trees, nodes) of the second stage: at a leaf, `left` is the leaf itself."""


class Forest:
    """Boosted regression trees as plain arrays.

    Parameters
    ----------
    arrays
        (trees, nodes) by the names in `TREES`.
    base
        What is added to the sum of the leaves.
    """

    def __init__(self, arrays: dict[str, NDArray[Any]], base: float) -> None:
        self.arrays, self.base = arrays, base
        self.depth = int(arrays["feature"].shape[1]).bit_length()

    @classmethod
    def of(cls, booster: Any) -> Forest:  # noqa: ANN401  xgboost.Booster
        """The trees of a fitted XGBoost regression."""
        import json

        content = json.loads(booster.save_raw("json"))["learner"]
        trees = content["gradient_booster"]["model"]["trees"]
        base = json.loads(str(content["learner_model_param"]["base_score"]))
        nodes = max(len(tree["left_children"]) for tree in trees)
        kinds = {"feature": np.int32, "split": np.float32, "left": np.int32, "right": np.int32, "value": np.float32}
        arrays = {name: np.zeros((len(trees), nodes), dtype=kind) for name, kind in kinds.items()}
        for number, tree in enumerate(trees):
            left, right = np.asarray(tree["left_children"]), np.asarray(tree["right_children"])
            count, own = len(left), np.arange(len(left))
            # XGBoost keeps the value of a leaf where an inner node keeps its split.
            conditions = np.asarray(tree["split_conditions"], dtype=np.float32)
            arrays["feature"][number, :count] = np.where(left < 0, 0, tree["split_indices"])
            arrays["split"][number, :count] = conditions
            arrays["left"][number, :count] = np.where(left < 0, own, left)
            arrays["right"][number, :count] = np.where(left < 0, own, right)
            arrays["value"][number, :count] = np.where(left < 0, conditions, 0)
        return cls(arrays, float(base[0] if isinstance(base, list) else base))

    def __call__(self, features: Floats) -> Floats:
        """Predictions (count,) for features (count, columns), none of them NaN."""
        arrays, trees = self.arrays, np.arange(len(self.arrays["feature"]))[None]
        at = np.zeros((len(features), trees.shape[1]), dtype=np.int32)
        rows = np.arange(len(features))[:, None]
        while True:
            less = features[rows, arrays["feature"][trees, at]] < arrays["split"][trees, at]
            onwards = np.where(less, arrays["left"][trees, at], arrays["right"][trees, at])
            if np.array_equal(onwards, at):
                break
            at = onwards
        summed: Floats = (arrays["value"][trees, at].sum(axis=1) + self.base).astype(np.float32)
        return summed


def proposals(probability: Floats, colours: Floats) -> tuple[Floats, Floats, list[tuple[int, int]]]:
    """Parts of a window at all thresholds, with what the second stage is told of each.

    Parameters
    ----------
    probability
        (height, width), 0 to 1.
    colours
        (3, height, width): red, green, blue, 0 to 255.

    Returns
    -------
    Corners (count, 4), features (count, columns of `FEATURES`), and of each the numbers of its threshold and part.
    """
    from scipy import ndimage

    corners, features, origin = [], [], []
    red, green, blue = colours
    index = (red - green) / (red + green + blue + 1)
    down, across = np.gradient(ndimage.gaussian_filter(probability, 0.5))
    steepness = np.hypot(down, across)
    for number, threshold in enumerate(THRESHOLDS):
        above = probability >= threshold
        labels, count = ndimage.label(above, np.ones((3, 3)))
        pixels = np.bincount(labels.ravel(), minlength=count + 1)[1:]
        for part, place in enumerate(ndimage.find_objects(labels)):
            if pixels[part] < SMALLEST:
                continue
            corners.append((place[1].start, place[0].start, place[1].stop, place[0].stop))
            described = _described(threshold, labels == part + 1, place, probability, colours, index, steepness)
            features.append((*described[:26], count, above.mean(), *described[26:]))
            origin.append((number, part + 1))
    return (
        np.asarray(corners, dtype=np.float32).reshape(-1, 4),
        np.asarray(features, dtype=np.float32).reshape(-1, len(FEATURES)),
        origin,
    )


AROUND = 3
"""Pixels around a part's box that are looked at as well."""


def _described(
    threshold: float, part: NDArray[np.bool_], place: tuple[slice, slice], probability: Floats, colours: Floats,
    index: Floats, steepness: Floats,
) -> list[float]:  # fmt: skip
    from scipy import ndimage

    height, width = probability.shape
    top, bottom, left, right = place[0].start, place[0].stop, place[1].start, place[1].stop
    near = (slice(max(0, top - AROUND), min(height, bottom + AROUND)),
            slice(max(0, left - AROUND), min(width, right + AROUND)))  # fmt: skip
    inside = part[near]
    ring = ndimage.binary_dilation(inside, iterations=2) & ~inside
    edge = inside & ~ndimage.binary_erosion(inside, border_value=1)
    sure, around = probability[near][inside], probability[near][ring]
    rows, columns, count = bottom - top, right - left, int(inside.sum())

    def mean(values: Floats, where: NDArray[np.bool_]) -> float:
        return float(values[near][where].mean()) if where.any() else 0.0

    own = colours[:, near[0], near[1]]
    return [
        threshold, count, rows, columns, count / (rows * columns), max(rows, columns) / min(rows, columns),
        float(sure.mean()), float(sure.max()), float(sure.std()), float(np.percentile(sure, 25)),
        float(around.mean()) if around.size else 0.0, float(around.max()) if around.size else 0.0,
        mean(steepness, edge), mean(index, inside), mean(index, ring),
        *[float(own[band][inside].mean()) for band in range(3)],
        *[float(own[band][ring].mean()) if ring.any() else 0.0 for band in range(3)],
        float(own[:, inside].std()),
        float(top == 0) + float(left == 0) + float(bottom == height) + float(right == width),
        int(edge.sum()),
        float((probability[place] >= min(0.95, threshold + 0.1)).sum()) / count,
        float((probability[near] >= max(0.05, threshold - 0.1)).sum()) / count,
        *[float((sure >= level).mean()) for level in (0.3, 0.5, 0.7, 0.85)],
    ]  # fmt: skip


class ComponentTree(Detector):
    """A segmentation network whose nested parts are ranked by boosted trees.

    The score of a box is the overlap (intersection over union) that the second stage expects between it and the box of
    a true landslide.

    Parameters
    ----------
    network
        Gives logits (batch, 1, height, width) of red, green and blue.
    trees, nodes
        Size of the second stage.
    mean, deviation, value_range
        How the input was normalised: the second stage looks at colours as they are in the image.
    """

    family = "component-tree"
    has_masks = True

    def __init__(
        self,
        network: nn.Module,
        trees: int,
        nodes: int,
        mean: Sequence[float],
        deviation: Sequence[float],
        value_range: tuple[float, float],
    ) -> None:
        super().__init__()
        self.network = network
        for name in TREES:
            kind = torch.float32 if name in ("split", "value") else torch.int32
            self.register_buffer(f"second_{name}", torch.zeros(trees, nodes, dtype=kind))
        self.register_buffer("second_base", torch.zeros((), dtype=torch.float32))
        self.colours = np.asarray(mean, np.float32), np.asarray(deviation, np.float32), value_range
        self.explained = decoder_blocks(self)

    def learn(self, forest: Forest) -> None:
        """Take over a fitted second stage."""
        for name, values in forest.arrays.items():
            self.register_buffer(f"second_{name}", torch.from_numpy(values))
        self.register_buffer("second_base", torch.tensor(forest.base, dtype=torch.float32))

    @property
    def forest(self) -> Forest:
        """The second stage."""
        arrays = {name: getattr(self, f"second_{name}").cpu().numpy() for name in TREES}
        return Forest(arrays, float(self.second_base))  # type: ignore[arg-type]

    def losses(self, images: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        """Not learnt by gradients: the network is a mapping model, and the second stage is fitted at once."""
        raise NotImplementedError("The mapping model is trained separately; only the second stage is fitted here.")

    def propose(self, images: Tensor) -> list[tuple[Floats, Floats, Floats, list[tuple[int, int]]]]:
        """Probability, corners, features and origin of the proposals of each image; see `proposals`."""
        probability = torch.sigmoid(self.network(images).float())[:, 0].cpu().numpy()
        mean, deviation, (low, high) = self.colours
        normalised = images.float().cpu().numpy()
        scaled = (normalised * deviation[:, None, None] + mean[:, None, None]) * (high - low) + low
        seen = np.clip(scaled / (high - low) * 255, 0, 255)
        found = []
        for one, colours in zip(probability, seen, strict=True):
            stop_between()  # a window with thousands of parts takes seconds
            found.append((one, *proposals(one, colours)))
        return found

    def detect(
        self, images: Tensor, min_confidence: float, max_detections: int, nms_iou: float = 0.7
    ) -> list[Detected]:
        """See `Detector`."""
        forest, found = self.forest, []
        for proposed in self.propose(images):
            stop_between()
            found.append(self._detected(*proposed, forest, min_confidence, max_detections, nms_iou))
        return found

    def _detected(
        self, probability: Floats, corners: Floats, features: Floats, origin: list[tuple[int, int]], forest: Forest,
        min_confidence: float, max_detections: int, nms_iou: float,
    ) -> Detected:  # fmt: skip
        from scipy import ndimage
        from torchvision.ops import nms

        scores = np.clip(forest(features), 0, 1) if len(features) else np.empty(0, np.float32)
        boxes, sure = torch.from_numpy(corners), torch.from_numpy(scores.astype(np.float32))
        chosen = torch.nonzero(sure >= min_confidence)[:, 0]
        chosen = chosen[nms(boxes[chosen], sure[chosen], nms_iou)][:max_detections]
        maps: dict[int, NDArray[np.int32]] = {}
        masks = torch.zeros(len(chosen), *probability.shape)
        for place, number in enumerate(chosen.tolist()):
            step, part = origin[number]
            if step not in maps:
                maps[step] = ndimage.label(probability >= THRESHOLDS[step], np.ones((3, 3)))[0]
            masks[place] = torch.from_numpy((maps[step] == part).astype(np.float32))
        return Detected(boxes[chosen], sure[chosen], torch.zeros(len(chosen), dtype=torch.int64), masks)

    def encode(self, images: Tensor) -> Tensor:
        """See `Detector`."""
        return encoder_maps(self.network, images)

    def evidence(self, images: Tensor, box: Tensor) -> Tensor:
        """Mean logit of the surer half of a box's pixels: what raises it makes the part that the box is around.

        The second stage is no function that could be differentiated; it ranks what this brings forth.
        """
        logits = self.network(images)[0, 0]
        left, top, right, bottom = (int(value) for value in box.round())
        part = logits[top : max(bottom, top + 1), left : max(right, left + 1)].flatten()
        surer: Tensor = part.topk(max(1, part.numel() // 2)).values
        return surer.mean()


@family("component-tree")
def _component_tree(spec: ModelSpec) -> Detector:
    options = spec.options
    network = build_network(
        str(options["network"]), spec.encoder, len(spec.bands), options.get("network_options"), spec.upscale
    )
    return ComponentTree(
        network, int(options["trees"]), int(options["nodes"]), spec.mean, spec.deviation, spec.value_range
    )
