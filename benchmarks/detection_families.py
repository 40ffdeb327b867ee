"""What every family of detectors reached here, those whose weights do not ship included.

Run ``python -m benchmarks.detection_families [FOLDER...]``, where each folder holds detectors as ``models/detection``
does. Nothing is computed: the scores are those that trainings and cards wrote into the descriptions.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import record
from core.learning.spec import ModelSpec
from core.learning.store import MODELS

COLOURS = ("red", "green", "blue")


def specs_in(folders: Sequence[Path]) -> list[tuple[ModelSpec, bool]]:
    """Descriptions of detectors of colour images, the best first, and whether each ships."""
    found = {}
    for folder in (MODELS / "detection", *folders):
        for path in sorted(folder.glob("*/model.toml")):
            spec = ModelSpec.from_toml(path)
            if spec.bands == COLOURS and "validation" in spec.scores:
                found.setdefault(spec.name, (spec, folder == MODELS / "detection"))
    return sorted(found.values(), key=lambda one: -one[0].scores["validation"]["ap50"])


def learnt(spec: ModelSpec) -> str:
    """How long it learnt, in words."""
    phases = spec.training["phases"]
    if not phases:
        return "not by epochs"
    epochs, minutes = (sum(phase[name] for phase in phases) for name in ("epochs", "minutes"))
    return f"{epochs} epochs, {minutes:.0f} min"


def told(spec: ModelSpec, *, ships: bool) -> str:
    """What a detector reached, in words."""
    scores, cost = spec.scores["validation"], spec.cost
    quiet = spec.scores.get("quiet_valley", {}).get("false_alarms_per_km2")
    start = spec.training["start_from"] or "random weights"
    return (
        f"AP50 **{scores['ap50']:.3f}**, AP50:95 {scores['ap50_95']:.3f}, F1 {scores['f1']:.3f} (precision "
        f"{scores['precision']:.3f}, recall {scores['recall']:.3f}, confidence {spec.threshold:.2f}); tuning AP50 "
        f"{spec.scores['tuning']['ap50']:.3f}; {spec.architecture} from {start}, "
        f"{learnt(spec)}; {cost['parameters'] / 1e6:.1f} million parameters, {cost['flops_per_tile'] / 1e9:.1f} GFLOP "
        f"a tile of {spec.tile}²; {quiet} false alarms per km² of the quiet valley; "
        f"{'ships' if ships else 'does not ship'}"
    )


EXPLANATION = """Boxes of the 396 validation patches of Landslide4Sense (1,920 of them), each detector scored once at
the confidence and overlap chosen on the tuning part. The aim was an AP50 of 0.38 for the best. All learnt on two
shared CPU cores, so minutes say little and epochs more: the detectors that start from the mapping U-Net have few of
them and are under-trained, with their encoder held still.

What was tried, judged on the tuning part only:

- Components of the mapping U-Net at one threshold, scores weighed by the tenth root of the size: AP50 0.25 to 0.29
  between thresholds 0.3 and 0.7, 0.285 at 0.35; not weighed 0.324 there. Those of the scSE U-Net,
  weighed: 0.20 to 0.25.
- The same network's components at thirteen thresholds hold 72 % of the true boxes at an overlap of 0.5, where one
  threshold holds 48 %. Boosted trees that rank them: 0.382 to 0.393 when taught whether a box fits, 0.392 to 0.404
  when taught how well it fits. Without the two features on the window as a whole 0.389, without colours too 0.387.
- The same trees on the U-Net with an ImageNet encoder, which maps better (F1 0.708 in place of 0.663): tuning AP50
  0.373, AP50:95 0.160, F1 0.470, in place of 0.398, 0.175 and 0.486. Not shipped, and not scored on validation.
- YOLO11 nano with a head at stride 4 on patches enlarged twice, mosaics of four quarters at their own scale: AP50
  0.08, 0.21, 0.25, 0.27, 0.29 after 2 to 6 epochs, 0.323 after 11.
- FCOS on the mapping U-Net's features with the whole network learning: 0.14, 0.19, 0.24, 0.23 after 1 to 4 epochs of
  ten, then stopped for want of time. YOLO's head and loss on the same features: 0.11, 0.17, 0.22 after 1 to 3 epochs.
- In half precision, boxes must be computed from features in single precision: anchors in half precision lose pixels.
- Not tried: more epochs, larger YOLOs, stride 2, patches enlarged four times, averaging over turns."""


def main() -> None:
    """Record the scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="*", help="folders with detectors that do not ship")
    arguments = parser.parse_args()
    figures = {spec.title: told(spec, ships=ships) for spec, ships in specs_in(arguments.folders)}
    record("Detection families", EXPLANATION, figures, ("torch", "torchvision", "ultralytics", "xgboost"))


if __name__ == "__main__":
    main()
