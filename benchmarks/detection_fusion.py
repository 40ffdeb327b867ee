"""Whether terrain helps a detector on images: learn the tree on synthetic valleys, and try it on the sample that ships.

Run ``python data/samples/make_training.py --out DATA`` first, then
``python -m benchmarks.detection_fusion --data DATA --optical MODEL --tree models/fusion/valley.json``: valleys left out
one by one, and the sample.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.results import record
from core.catalog.samples import sample
from core.jobs.perform import run_in_process
from core.raster.folder import write_json
from core.raster.relief import write_relief
from core.raster.scene import Scene
from core.runs.store import Store
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.metrics import DetectionScores, scores
from core.tasks.detection.result import DetectionResult
from core.tasks.detection.run import Request, run_detection
from core.tasks.detection.run_fused import found_boxes, learn_from, moved, order_fused

SUMMARY = "Learnt from synthetic valleys, whose elevation model is from before the event."


def searched(
    store: Store, folder: tuple[Path, Path, Path], truth: Path | None, models: tuple[str, str], name: str
) -> tuple[DetectionResult, DetectionResult]:
    """Search image and relief of one place; `folder` holds their paths and that of the elevation."""
    image, relief, dem = folder
    optical = run_detection(store, Scene.open(image, name), Request(models[0]), reference=truth, dem=dem)
    terrain = run_detection(store, Scene.open(relief, f"relief of {name}"), Request(models[1]), reference=truth)
    print(f"{name}: searched", flush=True)
    return optical, terrain


EXPLANATION = """Whether boxes on an image get better when a detector on the shape of the ground has its say, by a
decision tree. Four synthetic valleys teach the tree, each scored by a tree that has not seen it, at the confidence of
the best F1; then the sample valley, which neither tree nor terrain detector has seen, each at its own confidence.

What it says: the terrain detector alone finds next to nothing, for the elevation is from before the event and shows no
scars. What helps is the slope under each box, which the tree also knows: it drops false alarms on gravel and fields.
All of it is synthetic; real ground may be otherwise."""


def words(told: DetectionScores) -> str:
    """Scores in words."""
    return (
        f"AP50 {told.ap50:.3f}, AP50:95 {told.ap50_95:.3f}, F1 {told.f1:.3f}, precision {told.precision:.3f}, "
        f"recall {told.recall:.3f}"
    )


def _truth(result: DetectionResult) -> Boxes:
    truth = result.reference()
    return Boxes.none() if truth is None else truth


def against(boxes: Boxes, result: DetectionResult, confidence: float) -> DetectionScores:
    """Boxes beside the reference of a run."""
    return scores([boxes], [_truth(result)], confidence, limit=None)


def main() -> None:
    """Search, learn, fuse, record."""
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
        figures = {
            f"Left-out valleys, {name}": words(part)
            for name, part in (("image alone", told.optical), ("terrain alone", told.terrain), ("fused", told.fused))
        }
        shipped = sample("valley-after")
        dem = shipped.dem or shipped.path
        relief = write_relief(Scene.open(dem), Path(folder) / "relief.tif")
        optical, terrain = searched(store, (shipped.path, relief, dem), shipped.reference, models, shipped.id)
        fused = store.result(run_in_process(store, order_fused(optical, terrain, tree)), DetectionResult)
        ground = moved(found_boxes(terrain), terrain.grid, optical.grid)
        best = tree.trained["nested_cross_validation"]["optical"]["confidence"]
        figures |= {
            f"Sample valley, {name}": words(against(boxes, optical, confidence))
            for name, boxes, confidence in (
                ("image alone", found_boxes(optical), optical.confidence),
                ("image alone, at the confidence best in the four valleys", found_boxes(optical), best),
                ("terrain alone", ground, terrain.confidence),
                ("fused", found_boxes(fused), fused.confidence),
            )
        }
        figures |= {f"Rule {n}": f"{rule}: {chance:.0%} ({boxes:,} boxes)"
                    for n, (rule, chance, boxes) in enumerate(tree.rules(), start=1)}  # fmt: skip
        record("Detection with terrain", EXPLANATION, figures, ("torch", "scikit-learn"))


if __name__ == "__main__":
    main()
