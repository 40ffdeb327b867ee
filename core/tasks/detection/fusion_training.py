"""Learning the decision tree that fuses two detectors, and finding out honestly whether it helps.

Boxes of one valley are alike, so all of a valley is learnt from or scored, never both. How deep the tree may be is
chosen within the valleys learnt from, the scores come from the one left out: nested cross-validation. The tree that is
kept is then learnt from all valleys, with the settings that cross-validation over all of them prefers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.fusion import Candidates, FusionTree, Node, candidates_of
from core.tasks.detection.metrics import DetectionScores, match, scores
from core.tasks.detection.pairing import FALSE
from core.wording import agree, count

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.raster.scene import Scene

SEED = 0


@dataclass(frozen=True)
class Place:
    """Boxes of both detectors in one place, with the truth.

    Attributes
    ----------
    name
        Of the place.
    optical, terrain
        Boxes without duplicates, in pixels of `grid`.
    truth
        Boxes of the reference.
    grid, dem
        Grid of the scene, and its elevation model; None without one.
    """

    name: str
    optical: Boxes
    terrain: Boxes
    truth: Boxes
    grid: Grid
    dem: Scene | None = None


@dataclass(frozen=True)
class Settings:
    """How a tree is learnt.

    Attributes
    ----------
    depth
        Questions from the root to a leaf at most.
    leaf
        Boxes that a leaf must at least be learnt from.
    least
        Intersection over union from which boxes are paired.
    """

    depth: int = 3
    leaf: int = 20
    least: float = 0.2


TRIED = tuple(Settings(depth, leaf, least) for depth, leaf, least in product((2, 3, 4), (40, 20, 10), (0.1, 0.3)))
"""Settings to choose among, the simpler first: of equal ones the first is taken."""


@dataclass(frozen=True)
class Comparison:
    """Scores over all places: image alone, terrain alone, and both fused by trees that had not seen the place.

    Attributes
    ----------
    optical, terrain, fused
        Of all places together.
    each
        AP50 by place: of the image alone, of the terrain alone, fused.
    """

    optical: DetectionScores
    terrain: DetectionScores
    fused: DetectionScores
    each: tuple[tuple[str, float, float, float], ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        named = {"optical": self.optical, "terrain": self.terrain, "fused": self.fused}
        each = [
            {"place": place, "optical_ap50": a, "terrain_ap50": b, "fused_ap50": c} for place, a, b, c in self.each
        ]
        return {name: told.to_json() for name, told in named.items()} | {"places": each}


class _Described:
    """Candidates of the places with which of them are right, kept for each overlap that makes a pair."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = tuple(places)
        self._known: dict[float, list[tuple[Candidates, np.ndarray]]] = {}

    def at(self, least: float) -> list[tuple[Candidates, np.ndarray]]:
        """Candidates and whether each is right, place by place."""
        if least not in self._known:
            self._known[least] = [self._of(place, least) for place in self.places]
        return self._known[least]

    def _of(self, place: Place, least: float) -> tuple[Candidates, np.ndarray]:
        made = candidates_of(place.optical, place.terrain, place.grid, least=least, dem=place.dem)
        (matched,) = match([made.boxes], [place.truth], limit=None).matched
        return made, matched != FALSE


def learn(examples: Sequence[tuple[Candidates, np.ndarray]], settings: Settings) -> FusionTree:
    """Learn a tree from candidates and whether each is a landslide.

    Raises
    ------
    InputError
        When there are no candidates, or all are right, or none is.
    """
    from sklearn.tree import DecisionTreeClassifier

    names = examples[0][0].names
    if any(one.names != names for one, _ in examples):
        raise InputError("Some areas have an elevation model and some do not.", remedy="Add one to all, or to none.")
    values = np.concatenate([one.features for one, _ in examples]).astype(np.float32)
    right = np.concatenate([hits for _, hits in examples])
    if not 0 < right.sum() < len(right):
        raise InputError(
            f"{int(right.sum())} of {len(right)} {agree(len(right), 'detection', 'detections')} "
            f"{agree(int(right.sum()), 'is a landslide', 'are landslides')}: the tree needs both correct detections "
            "and false alarms.",
            remedy="Choose runs with some correct detections and some false alarms.",
        )
    tree = DecisionTreeClassifier(
        criterion="entropy", max_depth=settings.depth, min_samples_leaf=min(settings.leaf, len(right) // 2 or 1),
        random_state=SEED,
    ).fit(values, right)  # fmt: skip
    inner = tree.tree_
    nodes = []
    for number in range(inner.node_count):
        count = int(inner.n_node_samples[number])
        if inner.children_left[number] < 0:
            hits = float(inner.value[number, 0, 1]) * count
            # One right and one wrong box more: no leaf is certain because few boxes fell into it.
            nodes.append(Node(probability=round((hits + 1.0) / (count + 2.0), 6), boxes=count))
            continue
        nodes.append(
            Node(
                names[inner.feature[number]], float(inner.threshold[number]), int(inner.children_left[number]),
                int(inner.children_right[number]), bool(inner.missing_go_to_left[number]),
            )  # fmt: skip
        )
    return FusionTree("tree", "", settings.least, 0.5, tuple(nodes))


def _left_out(described: _Described, which: Sequence[int], settings: Settings) -> list[Boxes]:
    """Fused boxes of some places, each by a tree learnt from the others of them."""
    known = described.at(settings.least)
    return [
        learn([known[other] for other in which if other != one], settings).fused(known[one][0]) for one in which
    ]


def _truth(described: _Described, which: Sequence[int]) -> list[Boxes]:
    return [described.places[one].truth for one in which]


def _chosen(described: _Described, which: Sequence[int]) -> Settings:
    """Settings whose trees score best on the place left out."""
    truth = _truth(described, which)
    told = [scores(_left_out(described, which, one), truth, limit=None).ap50 for one in TRIED]
    return TRIED[int(np.argmax(np.round(told, 4)))]


def compare(places: Sequence[Place]) -> Comparison:
    """Score image, terrain and fused boxes, settings and tree chosen without the place that is scored.

    Raises
    ------
    InputError
        With fewer than three places: one is left out to score, another to choose.
    """
    return _compared(_Described(_enough(places)))


def _enough(places: Sequence[Place]) -> Sequence[Place]:
    if len(places) < 3:
        raise InputError(
            f"{count(len(places), 'area')} {agree(len(places), 'is', 'are')} too few for training.",
            "One is held out to score the tree and another to choose its depth.",
            "Give the runs of at least three areas.",
        )
    return places


def fused_apart(places: Sequence[Place]) -> list[Boxes]:
    """Fused boxes of each place, by a tree that was learnt, and its settings chosen, without that place."""
    return _apart(_Described(places))


def _apart(described: _Described) -> list[Boxes]:
    every, fused = range(len(described.places)), []
    for one in every:
        others = [other for other in every if other != one]
        settings = _chosen(described, others)
        known = described.at(settings.least)
        fused.append(learn([known[other] for other in others], settings).fused(known[one][0]))
    return fused


def _compared(described: _Described) -> Comparison:
    every, fused = range(len(described.places)), _apart(described)
    truth = _truth(described, every)
    image = [place.optical for place in described.places]
    ground = [place.terrain for place in described.places]
    each = []
    for at, place in enumerate(described.places):
        told = [scores([of[at]], [truth[at]], limit=None).ap50 for of in (image, ground, fused)]
        each.append((place.name, told[0], told[1], told[2]))
    whole = [scores(of, truth, limit=None) for of in (image, ground, fused)]
    return Comparison(whole[0], whole[1], whole[2], tuple(each))


def train_tree(places: Sequence[Place], name: str, summary: str) -> tuple[FusionTree, Comparison]:
    """Learn the tree to keep, and say how trees learnt like it do in places they have not seen.

    Its confidence is that of the highest F1 on boxes of places left out.

    Raises
    ------
    InputError
        With fewer than three places, or when there is nothing to tell apart.
    """
    described = _Described(_enough(places))
    comparison = _compared(described)
    every = range(len(places))
    settings = _chosen(described, every)
    apart = scores(_left_out(described, every, settings), _truth(described, every), limit=None)
    tree = learn(described.at(settings.least), settings)
    trained = {
        "places": [place.name for place in places],
        "boxes": sum(len(made.boxes) for made, _ in described.at(settings.least)),
        "landslides": sum(len(place.truth) for place in places),
        "depth": settings.depth, "leaf": settings.leaf,
        "nested_cross_validation": comparison.to_json(),
    }  # fmt: skip
    return replace(tree, name=name, summary=summary, threshold=round(apart.confidence, 4), trained=trained), comparison
