"""Trees learnt from places; what a place is scored by never saw it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from core.errors import InputError
from core.raster.grid import Grid
from core.raster.scene import Scene
from core.raster.write import write_array
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.fusion import Candidates
from core.tasks.detection.fusion_training import Place, Settings, compare, fused_apart, learn, train_tree

GRID = Grid(400, 300, Affine(10, 0, 680_000, 0, -10, 5_000_000), CRS.from_epsg(32633))


def drawn(seed: int, count: int) -> np.ndarray:
    """Boxes that lie apart, (count, 4), in random order."""
    rng = np.random.default_rng(seed)
    places = rng.permutation(20 * 15)[:count]
    left, top = places % 20 * 20.0, places // 20 * 20.0
    return np.stack([left, top, left + 10, top + 12], axis=1)


def place(seed: int, dem: Scene | None = None, *, helpful: bool = True) -> Place:
    """A place where half of 80 boxes of the image are right, with scores that tell nothing.

    The terrain's boxes are those that are right where it is helpful, and any where it is not.
    """
    rng = np.random.default_rng(seed)
    corners = drawn(seed, 80)
    right = np.arange(80) < 40
    scores = rng.uniform(0.4, 0.6, 80)
    terrain = corners[right] if helpful else corners[rng.permutation(80)[:40]]
    return Place(
        f"place {seed}", Boxes.of(corners, scores), Boxes.of(terrain + 1.0, rng.uniform(0.4, 0.6, 40)),
        Boxes.of(corners[right]), GRID, dem,
    )  # fmt: skip


def test_a_helpful_terrain_makes_order_of_chance() -> None:
    told = compare([place(seed) for seed in range(3)])

    assert told.optical.ap50 == pytest.approx(0.5, abs=0.12)
    assert told.fused.ap50 > 0.95
    assert [name for name, *_ in told.each] == ["place 0", "place 1", "place 2"]
    assert told.to_json()["fused"]["ap50"] == told.fused.ap50


def test_a_terrain_of_chance_is_not_made_out_to_help() -> None:
    told = compare([place(seed, helpful=False) for seed in range(4)])

    assert told.fused.ap50 < told.optical.ap50 + 0.1


def test_the_ground_tells_false_alarms_on_the_plain(tmp_path: Path) -> None:
    # Steep in the west, level in the east; the right ones lie in the west.
    columns = np.arange(400.0)
    dem = np.repeat(np.minimum(columns, 200.0)[None] * 6.0, 300, axis=0).astype(np.float32)
    scene = Scene.open(write_array(tmp_path / "dem.tif", GRID, dem))
    places = []
    for seed in range(3):
        made = place(seed, scene, helpful=False)
        west = made.optical.corners[:, 2] < 195
        places.append(replace(made, truth=Boxes.of(made.optical.corners[west]), terrain=Boxes.none()))

    tree, told = train_tree(places, "plain", "")

    assert told.fused.ap50 > 0.95 > told.optical.ap50
    assert set(tree.features) & {"slope", "relief"}
    assert tree.trained["places"] == ["place 0", "place 1", "place 2"]


def test_nothing_of_a_place_enters_the_tree_that_scores_it() -> None:
    places = [place(seed) for seed in range(3)]
    upside_down = replace(places[0], truth=Boxes.of(places[0].optical.corners[40:]))

    before, after = fused_apart(places), fused_apart([upside_down, *places[1:]])

    np.testing.assert_array_equal(before[0].scores, after[0].scores)
    assert not np.array_equal(before[1].scores, after[1].scores)


def candidates(values: np.ndarray) -> Candidates:
    corners = [(20.0 * i, 0.0, 20.0 * i + 5, 5.0) for i in range(len(values))]
    return Candidates(Boxes.of(corners, np.full(len(values), 0.5)), values, ("optical_score", "slope"))


def test_the_tree_is_that_of_scikit_learn_also_where_values_are_not_known() -> None:
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(3)
    values = rng.uniform(0, 1, (300, 2))
    values[::7, 1] = np.nan
    right = (values[:, 0] + np.nan_to_num(values[:, 1], nan=0.9) + rng.normal(0, 0.1, 300)) > 1.0

    ours = learn([(candidates(values), right)], Settings(depth=3, leaf=10))
    theirs = DecisionTreeClassifier(criterion="entropy", max_depth=3, min_samples_leaf=10, random_state=0)
    theirs.fit(values.astype(np.float32), right)

    fresh = rng.uniform(0, 1, (200, 2))
    fresh[::5, 1] = np.nan
    leaves = ours.leaves(candidates(fresh))
    np.testing.assert_array_equal(leaves, theirs.apply(fresh.astype(np.float32)))
    for leaf in np.unique(leaves):
        node, here = ours.nodes[leaf], theirs.apply(values.astype(np.float32)) == leaf
        assert node.boxes == here.sum()
        assert node.probability == pytest.approx((right[here].sum() + 1) / (here.sum() + 2), abs=1e-5)


def test_two_places_are_too_few() -> None:
    with pytest.raises(InputError, match="2 areas are too few"):
        train_tree([place(0), place(1)], "few", "")


def test_boxes_that_are_all_wrong_teach_nothing() -> None:
    places = [replace(place(seed), truth=Boxes.none()) for seed in range(3)]
    with pytest.raises(InputError, match="0 of 80 detections are landslides"):
        train_tree(places, "none", "")


def test_places_with_and_without_elevation_do_not_mix(tmp_path: Path) -> None:
    scene = Scene.open(write_array(tmp_path / "dem.tif", GRID, np.zeros(GRID.shape, np.float32)))
    with pytest.raises(InputError, match="elevation"):
        train_tree([place(0), place(1), place(2, scene), place(3)], "mixed", "")
