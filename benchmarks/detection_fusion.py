"""Whether terrain helps a detector on images: learn the tree on synthetic valleys, and try it on the sample that ships.

Run ``python data/samples/make_training.py --out DATA`` first, then
``python -m benchmarks.detection_fusion --data DATA --optical MODEL --tree models/fusion/valley.json``. It prints two
tables as Markdown: valleys left out one by one, and the sample.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from core.catalog.samples import sample
from core.detection.boxes import Boxes
from core.detection.metrics import DetectionScores, scores
from core.detection.result import DetectionResult
from core.raster.folder import write_json
from core.raster.relief import write_relief
from core.raster.scene import Scene
from core.runs.detection import Request, run_detection
from core.runs.fusion import found_boxes, learn_from, moved, order_fused
from core.runs.origin import done_here
from core.runs.store import Store

SUMMARY = "Learnt from synthetic valleys, whose elevation model is from before the event."
ROWS = ("| boxes | AP50 | AP50:95 | F1 | precision | recall |", "|---|---|---|---|---|---|")


def searched(
    store: Store, folder: tuple[Path, Path, Path], truth: Path | None, models: tuple[str, str], name: str
) -> tuple[DetectionResult, DetectionResult]:
    """Search image and relief of one place; `folder` holds their paths and that of the elevation."""
    image, relief, dem = folder
    optical = run_detection(store, Scene.open(image, name), Request(models[0]), truth=truth, dem=dem)
    terrain = run_detection(store, Scene.open(relief, f"relief of {name}"), Request(models[1]), truth=truth)
    print(f"{name}: searched", flush=True)
    return optical, terrain


def row(name: str, told: DetectionScores) -> str:
    """One line of a table."""
    numbers = (told.ap50, told.ap50_95, told.f1, told.precision, told.recall)
    return f"| {name} | " + " | ".join(f"{number:.3f}" for number in numbers) + " |"


def _truth(result: DetectionResult) -> Boxes:
    truth = result.truth()
    return Boxes.none() if truth is None else truth


def against(boxes: Boxes, result: DetectionResult, confidence: float) -> DetectionScores:
    """Boxes beside the reference of a run."""
    return scores([boxes], [_truth(result)], confidence, limit=None)


def main() -> None:
    """Search, learn, fuse, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that data/samples/make_training.py made")
    parser.add_argument("--optical", required=True)
    parser.add_argument("--terrain", default="dem-fcos")
    parser.add_argument("--tree", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args()
    models = arguments.optical, arguments.terrain
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "home")
        pairs = []
        for place in sorted((arguments.data / "scenes").iterdir()):
            files = place / "after.tif", place / "relief.tif", place / "dem.tif"
            pairs.append(searched(store, files, place / "inventory.gpkg", models, place.name))
        tree, told = learn_from(store, [(one.id, two.id) for one, two in pairs], arguments.tree.stem, SUMMARY)
        arguments.tree.parent.mkdir(parents=True, exist_ok=True)
        write_json(tree.to_json(), arguments.tree)
        print(f"\n{len(pairs)} valleys, each by a tree that had not seen it; confidence of the best F1:\n")
        print(*ROWS, sep="\n")
        for name, part in (("image alone", told.optical), ("terrain alone", told.terrain), ("fused", told.fused)):
            print(row(name, part))
        shipped = sample("valley-after")
        dem = shipped.dem or shipped.path
        relief = write_relief(Scene.open(dem), Path(folder) / "relief.tif")
        optical, terrain = searched(store, (shipped.path, relief, dem), shipped.truth, models, shipped.id)
        fused = store.detection(done_here(store, order_fused(optical, terrain, tree)))
        print("\nThe sample valley, seen by neither tree nor terrain detector; each at its own confidence:\n")
        print(*ROWS, sep="\n")
        print(row("image alone", against(found_boxes(optical), optical, optical.confidence)))
        ground = moved(found_boxes(terrain), terrain.grid, optical.grid)
        print(row("terrain alone", against(ground, optical, terrain.confidence)))
        print(row("fused", against(found_boxes(fused), optical, fused.confidence)))
        best = against(found_boxes(optical), optical, tree.trained["nested_cross_validation"]["optical"]["confidence"])
        print(row("image alone, at the confidence best in the four valleys", best))
        print("\nRules of the tree:\n")
        for rule, chance, boxes in tree.rules():
            print(f"- {rule}: {chance:.0%} ({boxes} boxes)")


if __name__ == "__main__":
    main()
