"""Parts of a map of probability at every threshold, and the trees that rank them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.tasks.detection.boxes import overlaps
from core.tasks.detection.families.base import build_detector
from core.tasks.detection.families.component_tree import FEATURES, THRESHOLDS, ComponentTree, Forest, proposals
from tests.factories import tiny_spec

xgboost = pytest.importorskip("xgboost")


def hills() -> np.ndarray:
    """Two sure landslides joined by a pale bridge, and a pale one alone."""
    probability = np.full((64, 64), 0.02, np.float32)
    probability[10:20, 5:15] = 0.9
    probability[10:20, 25:40] = 0.7
    probability[13:16, 15:25] = 0.3
    probability[40:50, 40:52] = 0.35
    return probability


def test_slides_that_touch_are_proposed_together_and_apart() -> None:
    corners, features, origin = proposals(hills(), np.full((3, 64, 64), 100, np.float32))

    boxes = {tuple(int(value) for value in box) for box in corners}
    assert {(5, 10, 15, 20), (25, 10, 40, 20), (5, 10, 40, 20), (40, 40, 52, 50)} <= boxes
    assert features.shape == (len(corners), len(FEATURES))
    assert np.isfinite(features).all()
    assert {number for number, _ in origin} <= set(range(len(THRESHOLDS)))


def test_a_part_is_told_as_it_is() -> None:
    colours = np.full((3, 64, 64), 100, np.float32)
    colours[0, 10:20, 5:15] = 200
    corners, features, _ = proposals(hills(), colours)
    column = {name: number for number, name in enumerate(FEATURES)}

    own = features[[tuple(box) == (5, 10, 15, 20) for box in corners.tolist()]]

    assert len(own)
    assert own[:, column["pixels"]] == pytest.approx(100)
    assert own[:, column["filled share of the box"]] == pytest.approx(1)
    assert own[:, column["red inside"]] == pytest.approx(200)
    assert own[:, column["red around"]] == pytest.approx(100)
    assert own[:, column["mean probability"]] == pytest.approx(0.9)
    assert own[:, column["sides on the window's edge"]] == pytest.approx(0)


def test_an_empty_window_proposes_nothing() -> None:
    corners, features, origin = proposals(np.zeros((32, 32), np.float32), np.zeros((3, 32, 32), np.float32))

    assert corners.shape == (0, 4)
    assert features.shape == (0, len(FEATURES))
    assert not origin


def booster(rows: int = 400, columns: int = 5) -> tuple[object, np.ndarray]:
    random = np.random.default_rng(0)
    features = random.normal(size=(rows, columns)).astype(np.float32)
    wanted = features[:, 0] * (features[:, 1] > 0) + 0.3
    told = xgboost.DMatrix(features, label=wanted)
    return xgboost.train({"max_depth": 4, "eta": 0.2, "seed": 0}, told, 25), features


def test_trees_kept_as_arrays_say_what_xgboost_says() -> None:
    fitted, features = booster()

    mine = Forest.of(fitted)(features)

    assert mine == pytest.approx(fitted.predict(xgboost.DMatrix(features)), abs=1e-5)  # type: ignore[attr-defined]


def detector() -> ComponentTree:
    random = np.random.default_rng(1)
    features = random.uniform(0, 1, (500, len(FEATURES))).astype(np.float32)
    # Trees that like what is sure: the score is the mean probability.
    wanted = features[:, FEATURES.index("mean probability")]
    fitted = xgboost.train({"max_depth": 3, "eta": 0.3, "seed": 0}, xgboost.DMatrix(features, label=wanted), 30)
    forest = Forest.of(fitted)
    trees, nodes = forest.arrays["feature"].shape
    spec = tiny_spec(
        "tree", task="detection", architecture="component-tree", encoder="mobilenet_v2", classes=("landslide",),
        options={"network": "unet", "trees": trees, "nodes": nodes},
    )  # fmt: skip
    built = build_detector(spec)
    assert isinstance(built, ComponentTree)
    built.learn(forest)
    return built.eval()


class Given(torch.nn.Module):
    """Logits of a map that is known."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        known = torch.from_numpy(hills()).expand(len(images), 1, 64, 64)
        return torch.logit(known)


def test_the_surer_part_is_ranked_first_and_its_outline_is_itself() -> None:
    tree = detector()
    tree.network = Given()

    with torch.inference_mode():
        (found,) = tree.detect(torch.zeros(1, 3, 64, 64), 0.01, 50)

    assert found.boxes[0].tolist() == [5, 10, 15, 20]
    assert found.masks is not None
    assert found.masks[0].sum() == 100
    assert bool((found.scores[:-1] >= found.scores[1:]).all())


def test_duplicates_are_left_out_as_asked() -> None:
    tree = detector()
    tree.network = Given()

    with torch.inference_mode():
        (found,) = tree.detect(torch.zeros(1, 3, 64, 64), 0.0, 50, 0.2)

    shared = overlaps(found.boxes.numpy(), found.boxes.numpy())
    assert np.triu(shared, 1).max() <= 0.2 + 1e-6


def test_the_second_stage_is_kept_with_the_weights() -> None:
    tree = detector()
    other = detector()
    other.learn(Forest({name: np.zeros_like(values) for name, values in tree.forest.arrays.items()}, 0.0))

    other.load_state_dict(tree.state_dict(), strict=True)

    assert np.array_equal(other.forest.arrays["value"], tree.forest.arrays["value"])
    assert other.forest.base == tree.forest.base
