"""Boxes of two detectors, one on the image and one on the shape of the ground, fused by a decision tree.

Each box of the image is paired with the terrain box it overlaps most; what is known of the pair, and of the ground
below it, is asked of a small tree of thresholds, whose leaf says how likely such a box is a landslide. The tree is
plain JSON: it can be read, drawn and checked, and reading it runs nothing.

References
----------
Tanatipuknon, A., Aimmanee, P., Watanabe, Y., Murata, K. T., Wakai, A., Sato, G., Hung, H. V., Tungpimolrut, K.,
Keerativittayanun, S. & Karnjana, J. (2021): Study on combining two Faster R-CNN models for landslide detection with a
classification decision tree to improve the detection performance. Journal of Disaster Research 16, 588-595,
doi:10.20965/jdr.2021.p0588.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, ModelError
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.pairing import FALSE, Pairs, assigned, pairs_of

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.raster.scene import Scene

Doubles = NDArray[np.float64]

BOX_FEATURES = ("optical_score", "terrain_score", "iou", "area", "elongation")
"""What is known of every candidate: confidence of both detectors (0 where one found nothing), overlap of their boxes,
area in m² (pixels without a coordinate system), longer side over shorter."""

GROUND_FEATURES = ("slope", "relief")
"""What an elevation model adds: mean slope in degrees and largest less smallest elevation in metres within the box."""

WORDS: Mapping[str, str] = {
    "optical_score": "confidence on the image",
    "terrain_score": "confidence on the terrain",
    "iou": "overlap of the two boxes",
    "area": "area",
    "elongation": "length-to-width ratio",
    "slope": "mean slope (°)",
    "relief": "relief (m)",
}

LARGEST_FILE = 1_000_000
MOST_NODES = 2_000


@dataclass(frozen=True)
class Candidates:
    """Boxes of two detectors joined to candidates.

    Attributes
    ----------
    boxes
        One a candidate: that of the image, which is drawn more sharply, or else that of the terrain. Scores are the
        higher of the two.
    features
        (candidates, features) in the order of `names`; NaN where the ground is not known.
    names
        Of the features.
    """

    boxes: Boxes
    features: Doubles
    names: tuple[str, ...]


def candidates_of(
    optical: Boxes, terrain: Boxes, grid: Grid, *, least: float, dem: Scene | None = None
) -> Candidates:
    """Pair the boxes of two detectors, each with at most one of the other, and describe what comes of it.

    Parameters
    ----------
    optical, terrain
        Boxes without duplicates, in pixels of `grid`.
    least
        Intersection over union from which two boxes are a pair; the surest box of the image chooses first.
    dem
        Elevation in metres; without it slope and relief are left out.
    """
    pairs = pairs_of([optical], [terrain], least)
    rank = np.empty(len(optical), dtype=np.intp)
    rank[np.argsort(-optical.scores, kind="stable")] = np.arange(len(optical))
    partner = assigned(pairs, rank, len(terrain))
    alone = np.setdiff1d(np.arange(len(terrain)), partner)
    paired = partner != FALSE
    other = np.where(paired, partner, 0)
    theirs = terrain.scores[other] if len(terrain) else np.zeros(len(optical), np.float32)
    on_terrain = np.where(paired, theirs, 0.0)
    boxes = Boxes.joined([optical, terrain.take(alone)])
    image = np.concatenate([optical.scores, np.zeros(len(alone))])
    ground = np.concatenate([on_terrain, terrain.scores[alone]])
    overlap = np.concatenate([_overlap(pairs, partner), np.zeros(len(alone))])
    columns = [image, ground, overlap, *_shape(boxes, grid)]
    if dem is not None:
        columns += ground_of(boxes, dem, grid)
    joined = Boxes.of(boxes.corners, np.maximum(image, ground), boxes.classes)
    names = BOX_FEATURES if dem is None else (*BOX_FEATURES, *GROUND_FEATURES)
    return Candidates(joined, np.stack(columns, axis=1).astype(np.float64), names)


def _overlap(pairs: Pairs, partner: NDArray[np.intp]) -> Doubles:
    """Overlap of each box with its partner; 0 without one."""
    overlap = np.zeros(len(partner))
    chosen = partner[pairs.found] == pairs.true
    overlap[pairs.found[chosen]] = pairs.overlap[chosen]
    return overlap


def _shape(boxes: Boxes, grid: Grid) -> tuple[Doubles, Doubles]:
    from core.tasks.detection.findings import ground_areas

    sides = np.maximum(boxes.corners[:, 2:] - boxes.corners[:, :2], 1e-3).astype(np.float64)
    return ground_areas(boxes, grid), sides.max(axis=1) / sides.min(axis=1)


def ground_of(boxes: Boxes, dem: Scene, grid: Grid) -> tuple[Doubles, Doubles]:
    """Mean slope (degrees) and relief (metres) of the ground in each box; NaN where the elevation is not known.

    Raises
    ------
    GridError
        When the elevation model does not lie on the scene, or has no CRS.
    """
    from rasterio.windows import Window

    from core.raster.quantity import elevation_on_grid
    from core.raster.terrain import slope_aspect

    slope, relief = np.full(len(boxes), np.nan), np.full(len(boxes), np.nan)
    low = np.floor(boxes.corners[:, :2]).astype(np.intp) - 1
    high = np.ceil(boxes.corners[:, 2:]).astype(np.intp) + 1
    low, high = np.maximum(low, 0), np.minimum(high, (grid.width, grid.height))
    with elevation_on_grid(dem, grid) as reader:
        # From top to bottom, so that a block of the file is read once.
        for at in np.argsort(low[:, 1], kind="stable"):
            (left, top), (right, bottom) = low[at], high[at]
            if right - left < 3 or bottom - top < 3:
                continue
            window = Window(left, top, right - left, bottom - top)
            patch = reader.read(window)
            elevation = np.where(patch.valid, patch.values[0].astype(np.float64), np.nan)
            if not np.isfinite(elevation[1:-1, 1:-1]).any():
                continue
            steep = slope_aspect(elevation, grid.window(window))[0]
            if np.isfinite(steep).any():
                slope[at] = np.nanmean(steep)
            relief[at] = np.nanmax(elevation[1:-1, 1:-1]) - np.nanmin(elevation[1:-1, 1:-1])
    return slope, relief


@dataclass(frozen=True)
class Node:
    """A question, or an answer.

    Attributes
    ----------
    feature, threshold
        A candidate whose feature is at most this goes left; empty for a leaf.
    left, right
        Numbers of the next nodes.
    missing_left
        Where a candidate goes whose feature is not known.
    probability, boxes
        Of a leaf: share of landslides among the boxes it was learnt from, smoothed, and how many they were.
    """

    feature: str = ""
    threshold: float = 0.0
    left: int = 0
    right: int = 0
    missing_left: bool = True
    probability: float = 0.0
    boxes: int = 0


@dataclass(frozen=True)
class FusionTree:
    """A decision tree over candidates.

    Attributes
    ----------
    name, summary
        For people.
    least
        Intersection over union from which boxes are paired.
    threshold
        Score from which a candidate counts, chosen on the boxes it was trained on, each left out once.
    nodes
        The root first; children come after their parents.
    trained
        On what, how, and with what scores.
    """

    name: str
    summary: str
    least: float
    threshold: float
    nodes: tuple[Node, ...]
    trained: Mapping[str, Any] = field(default_factory=dict)

    @property
    def features(self) -> tuple[str, ...]:
        """Features that it asks for, in their usual order."""
        asked = {node.feature for node in self.nodes}
        return tuple(name for name in (*BOX_FEATURES, *GROUND_FEATURES) if name in asked)

    @property
    def needs_ground(self) -> bool:
        """Whether it asks for slope or relief."""
        return any(name in GROUND_FEATURES for name in self.features)

    def leaves(self, candidates: Candidates) -> NDArray[np.intp]:
        """Number of the leaf of each candidate, (candidates,).

        Raises
        ------
        InputError
            When a feature is missing.
        """
        lacking = [WORDS[name] for name in self.features if name not in candidates.names]
        if lacking:
            raise InputError(
                f"The decision tree {self.name} uses {' and '.join(lacking)}.", "The image has no elevation model.",
                "Add one to the image, or choose a tree that does not need it.",
            )  # fmt: skip
        # Learnt in single precision: a value on a threshold must go the same way.
        values = candidates.features.astype(np.float32)
        at = np.zeros(len(values), dtype=np.intp)
        for number, node in enumerate(self.nodes):
            if not node.feature:
                continue
            here = np.flatnonzero(at == number)
            asked = values[here, candidates.names.index(node.feature)]
            left = np.where(np.isnan(asked), node.missing_left, asked <= node.threshold)
            at[here] = np.where(left, node.left, node.right)
        return at

    def fused(self, candidates: Candidates) -> Boxes:
        """The candidates with the tree's scores, the surest first.

        All of a leaf are equally likely; among them the surer detector decides on the order, by less than what lies
        between two leaves.
        """
        likely, leaf = np.unique([node.probability for node in self.nodes], return_inverse=True)
        steps = np.diff([0.0, *likely, 1.0])
        room = np.minimum(steps[:-1], steps[1:])[leaf][self.leaves(candidates)]
        middle = likely[leaf][self.leaves(candidates)]
        score = middle + 0.49 * room * (2.0 * candidates.boxes.scores.astype(np.float64) - 1.0)
        return Boxes.of(candidates.boxes.corners, score, candidates.boxes.classes).ordered()

    def rules(self) -> tuple[tuple[str, float, int], ...]:
        """Each leaf as a rule in words, with its probability and how many boxes it was learnt from; likeliest first."""
        found: list[tuple[str, float, int]] = []

        def walk(number: int, conditions: tuple[str, ...]) -> None:
            node = self.nodes[number]
            if not node.feature:
                found.append((" and ".join(conditions) or "always", node.probability, node.boxes))
                return
            word = WORDS[node.feature]
            walk(node.left, (*conditions, f"{word} ≤ {node.threshold:.3g}"))
            walk(node.right, (*conditions, f"{word} > {node.threshold:.3g}"))

        walk(0, ())
        return tuple(sorted(found, key=lambda rule: -rule[1]))

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `from_json` takes them."""
        nodes = [
            {
                "feature": node.feature, "at_most": node.threshold, "left": node.left, "right": node.right,
                "unknown": "left" if node.missing_left else "right",
            } if node.feature else {"probability": node.probability, "boxes": node.boxes}
            for node in self.nodes
        ]  # fmt: skip
        return {
            "format": 1, "name": self.name, "summary": self.summary, "pair_from": self.least,
            "confidence": self.threshold, "nodes": nodes, "trained": dict(self.trained),
        }  # fmt: skip

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> FusionTree:
        """Make a tree of what `to_json` gave, or somebody wrote.

        Raises
        ------
        ModelError
            When it is no such tree: an unknown feature, a number out of its range, a node that leads back.
        """
        try:
            if content["format"] != 1:
                raise ValueError(f"format {content['format']} is not supported")
            nodes = tuple(_node(number, entry) for number, entry in enumerate(content["nodes"]))
            if not 0 < len(nodes) <= MOST_NODES or any(n.feature and max(n.left, n.right) >= len(nodes) for n in nodes):
                raise ValueError("its nodes are not valid")
            return cls(
                str(content["name"])[:100], str(content["summary"])[:1000], _share(content["pair_from"]),
                _share(content["confidence"]), nodes, dict(content.get("trained", {})),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError("The decision tree is not valid.", str(error), "Train one with fuse-train.") from error

    @classmethod
    def read(cls, path: Path) -> FusionTree:
        """Read a tree from a JSON file.

        Raises
        ------
        ModelError
            When it is missing, too large, or no such tree.
        """
        try:
            if path.stat().st_size > LARGEST_FILE:
                raise ValueError("the file is too large for a decision tree")
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
            raise ModelError(
                f"The decision tree {path.name} cannot be read.", str(error), "Train one with fuse-train."
            ) from error
        if not isinstance(content, dict):
            raise ModelError(f"{path.name} is not a decision tree.", remedy="Train one with fuse-train.")
        return cls.from_json(content)


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{value!r} is not between 0 and 1")
    return float(value)


def _node(number: int, entry: Mapping[str, Any]) -> Node:
    """One node, whose children must come after it, so that no walk goes in circles."""
    if "feature" not in entry:
        return Node(probability=_share(entry["probability"]), boxes=int(entry["boxes"]))
    threshold, left, right = float(entry["at_most"]), entry["left"], entry["right"]
    if entry["feature"] not in WORDS:
        raise ValueError(f"the feature {entry['feature']!r} is unknown")
    if not math.isfinite(threshold) or entry["unknown"] not in ("left", "right"):
        raise ValueError(f"node {number} has no valid split")
    if not all(isinstance(child, int) and child > number for child in (left, right)):
        raise ValueError(f"node {number} points back to an earlier node")
    return Node(entry["feature"], threshold, left, right, entry["unknown"] == "left")
