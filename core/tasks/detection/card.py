"""Scoring a freshly trained detector once on validation, and the card that says what it is and where it fails."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.learning.loop import ProgressCallback, tell_nobody
from core.learning.pretrained import licence_words, package_behind, source_words
from core.learning.spec import ModelSpec
from core.learning.store import WEIGHTS, StoredModel, find_model
from core.plots.colours import FALSE_POSITIVE, MISSED, TRUE_POSITIVE
from core.raster.scene import Scene
from core.tasks.detection.boxes import Boxes
from core.tasks.detection.data import Labelled
from core.tasks.detection.evaluate import Evaluation, evaluate
from core.tasks.detection.families.base import build_detector
from core.tasks.detection.merge import merge
from core.tasks.detection.metrics import match
from core.tasks.detection.misses import worst_mistakes
from core.tasks.detection.options import Options
from core.tasks.detection.predict import Predictor
from core.tasks.detection.runtime import DetectorRuntime
from core.tasks.imagery.layer_tests import card_words
from core.tasks.imagery.likeness import training_images_words
from core.wording import count

FAILURES = "failures.png"
SOURCES = ("detection", "mapping")
"""Tasks whose models a training may start from."""
BASELINE = "mask-components"
QUIET_VALLEY = Path(__file__).resolve().parents[3] / "data" / "samples" / "valley_before.tif"
SCORE_NAMES = {
    "ap50": "AP50", "ap50_95": "AP50:95", "f1": "F1", "precision": "Precision", "recall": "Recall",
}  # fmt: skip


def measure_cost(model: StoredModel, runtime: DetectorRuntime, repeats: int = 10) -> dict[str, Any]:
    """Parameters, FLOPs and milliseconds of one tile; the time is the median of repeated single-tile passes.

    FLOPs are those of convolutions and products of matrices that PyTorch counts; pooling of regions is not among them.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    spec = model.spec
    detector = model.load_network(build_detector)
    tile = np.random.default_rng(0).standard_normal((1, len(spec.bands), spec.tile, spec.tile)).astype(np.float32)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        detector.detect(torch.from_numpy(tile), 0.05, 100)  # type: ignore[operator]
    options = Options()
    runtime.detect(tile, options.min_confidence, options.max_detections)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        runtime.detect(tile, options.min_confidence, options.max_detections)
        times.append(time.perf_counter() - started)
    return {
        "parameters": sum(parameter.numel() for parameter in detector.parameters()),
        "flops_per_tile": int(counter.get_total_flops()),
        "milliseconds_per_tile": round(float(np.median(times)) * 1000, 1),
        "runtime": runtime.name,
        "threads": runtime.threads,
    }


def finish(
    model: StoredModel, validation: Sequence[Labelled], runtime: DetectorRuntime, told: ProgressCallback = tell_nobody
) -> StoredModel:
    """Score on validation, measure the cost, draw the failures, and write spec and card.

    Validation is scored once for each shipped model: nothing may be chosen by what comes out here.
    """
    result = evaluate(validation, model.spec, runtime, progress=told)
    scored = {name: round(float(value), 4) for name, value in result.scores.to_json().items()}
    spec = replace(model.spec, scores={**model.spec.scores, "validation": {**scored, "images": len(validation)}})
    draw_failures(result, model.folder / FAILURES)
    return measure(StoredModel(spec, model.folder), runtime)


def measure(model: StoredModel, runtime: DetectorRuntime) -> StoredModel:
    """Measure cost and false alarms on the quiet valley, and write spec and card; validation scores stay."""
    quiet = quiet_valley(model.spec, runtime)
    scores = {**model.spec.scores, **({"quiet_valley": quiet} if quiet else {})}
    finished = StoredModel(replace(model.spec, scores=scores, cost=measure_cost(model, runtime)), model.folder)
    (model.folder / "model.toml").write_text(finished.spec.to_toml(), encoding="utf-8")
    rewrite(finished)
    return finished


def rewrite(model: StoredModel) -> None:
    """Write the card of a model that was scored on validation; one that was not has none yet."""
    if "validation" in model.spec.scores:
        (model.folder / "README.md").write_text(card(model), encoding="utf-8")


def quiet_valley(spec: ModelSpec, runtime: DetectorRuntime) -> dict[str, float] | None:
    """False alarms on the synthetic valley before its event, where nothing fresh is there to be found.

    Returns
    -------
    Boxes per km²; None for a detector that sees anything but colours at about the valley's ground distance.
    """
    from core.learning.preprocessing import SAME_DISTANCE, preprocess

    scene = Scene.open(QUIET_VALLEY)
    distance = scene.grid.ground_distance()
    if distance is None or spec.ground_distance is None or spec.bands != ("red", "green", "blue"):
        return None
    if not 1 / SAME_DISTANCE < distance / spec.ground_distance < SAME_DISTANCE:
        return None
    predictor = Predictor(scene, spec, preprocess(scene, spec), runtime, Options())
    candidates = Boxes.joined([portion.boxes for portion in predictor.candidates()])
    merged = merge(candidates, float(spec.options.get("nms_iou", 0.5)), "nms", predictor.join_distance).boxes
    false = int(np.count_nonzero(merged.scores >= spec.threshold))
    area = scene.grid.width * scene.grid.height * distance**2 / 1e6
    return {"false_alarms_per_km2": round(false / area, 2)}


def draw_failures(result: Evaluation, path: Path, each: int = 6) -> None:
    """Draw the worst misses and the worst false alarms of a validation, a row each, as a PNG."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    matches = match(result.found, result.truth)
    worst = worst_mistakes(matches, result.confidence, each)
    figure = Figure(figsize=(1.6 * each, 3.9), dpi=90, layout="constrained")
    axes = figure.subplots(2, each, squeeze=False)
    for row, mistakes, word in zip(axes, (worst.missed, worst.false), ("missed", "false alarm"), strict=True):
        for axis in row:
            axis.set_axis_off()
        for axis, mistake in zip(row, mistakes, strict=False):
            item = result.items[mistake.image]
            axis.imshow(_picture(item), interpolation="nearest")
            found, matched = result.found[mistake.image], matches.matched[mistake.image]
            sure = found.scores >= result.confidence
            missed = set(matches.missed(result.confidence)[mistake.image].tolist())
            shown = [
                *[(box, TRUE_POSITIVE if hit >= 0 else FALSE_POSITIVE)
                  for box, hit, counts in zip(found.corners, matched, sure, strict=True) if counts],
                *[(box, MISSED) for number, box in enumerate(result.truth[mistake.image].corners) if number in missed],
            ]  # fmt: skip
            for (left, top, right, bottom), colour in shown:
                this = np.allclose((left, top, right, bottom), mistake.corners)
                axis.add_patch(Rectangle(
                    (left - 0.5, top - 0.5), right - left, bottom - top, fill=False, edgecolor=colour,
                    linewidth=2.2 if this else 0.8,
                ))  # fmt: skip
            axis.set_title(f"{item.image.stem} ({word})", fontsize=7)
    figure.supxlabel("Boxes: bluish green correct, orange false alarm, sky blue missed", fontsize=8)
    figure.savefig(path)


def _picture(item: Labelled) -> NDArray[np.float64]:
    """An image for drawing: its first three bands, or its first in grey, between their 2nd and 98th percentile."""
    scene = Scene.open(item.image)
    bands = (1, 2, 3) if len(scene.bands) >= 3 else (1, 1, 1)
    with scene.reader() as reader:
        patch = reader.read(bands)
    values = np.where(patch.valid, patch.values.astype(float), np.nan)
    low, high = np.nanpercentile(values, (2, 98)) if np.isfinite(values).any() else (0.0, 1.0)
    shown: NDArray[np.float64] = np.clip((values - low) / max(high - low, 1e-9), 0, 1)
    return np.nan_to_num(shown).transpose(1, 2, 0)


def _baseline(spec: ModelSpec) -> dict[str, float]:
    """Validation scores of the mapping model's components, beside a detector of the same data; empty elsewhere."""
    try:
        other = find_model("detection", BASELINE).spec
    except ModelError:
        return {}
    same = other.name != spec.name and other.training.get("data") == spec.training.get("data")
    return dict(other.scores.get("validation", {})) if same else {}


def _score_table(spec: ModelSpec) -> list[str]:
    columns = {"Validation": spec.scores["validation"], "Tuning set": spec.scores["tuning"]}
    if baseline := _baseline(spec):
        columns["Components of a mapping model, validation"] = baseline
    lines = ["| Score | " + " | ".join(columns) + " |", "| --- |" + " ---: |" * len(columns)]
    for name, title in SCORE_NAMES.items():
        lines.append(f"| {title} | " + " | ".join(f"{scores[name]:.3f}" for scores in columns.values()) + " |")
    return lines


def _quiet_words(spec: ModelSpec) -> list[str]:
    quiet = spec.scores.get("quiet_valley")
    if quiet is None:
        return []
    return [
        "False alarms on the synthetic valley before its event, where there are no fresh landslides: "
        f"{quiet['false_alarms_per_km2']:g} detections per km².", "",
    ]  # fmt: skip


def _same_split(origin: str, training: dict[str, Any]) -> bool:
    """Whether the mapping model or detector that a training started from was fitted and chosen on the same images."""
    for task in SOURCES:
        try:
            source = find_model(task, origin).spec.training
        except ModelError:
            continue
        return all(source.get(name) == training.get(name) for name in ("images_fit", "images_tune", "split_seed"))
    return False


def _start(training: dict[str, Any]) -> str:
    origin = training["start_from"]
    if not origin:
        return "random weights"
    package = package_behind(origin, SOURCES)
    behind = f" (itself trained from {source_words(package)})" if package is not None else ""
    if not _same_split(origin, training):
        return f"{origin}, trained on other data{behind}"
    still = [part for part, pace in training.get("paces", {}).items() if pace == 0]
    kept = f", of which the weights of {', '.join(still)} did not change" if still else ""
    return f"{origin}, trained on the same split{kept}{behind}"


def _licence(spec: ModelSpec) -> list[str]:
    package = package_behind(spec.training["start_from"], SOURCES)
    derived = [licence_words(package), ""] if package is not None else []
    return ["## Licence", "", f"Weights: {spec.licence}.", "", *derived]


def card(model: StoredModel) -> str:
    """The model card as Markdown, all of it from the spec."""
    spec, training, cost = model.spec, dict(model.spec.training), model.spec.cost
    phases = "; ".join(
        f"{phase['epochs']} epochs at {phase['upscale']:g}× (best {phase['best_epoch']}, {phase['minutes']} min)"
        for phase in training["phases"]
    )
    options = ", ".join(f"{key} = {value}" for key, value in spec.options.items() if key != "yaml") or "none"
    distance = f"{spec.ground_distance:g} m" if spec.ground_distance else "varies, unknown per image"
    validation, size = spec.scores["validation"], (model.folder / WEIGHTS).stat().st_size / 1e6
    trees = f"a second stage of {spec.options['trees']} trees, fitted in one step" if "trees" in spec.options else ""
    learnt = phases or trees
    images, boxes = training["images_fit"], training["boxes_fit"]
    fitted = f"{images:,} images with {boxes:,} boxes for fitting and " if learnt else ""
    lines = [
        f"# {spec.title}", "", spec.summary, "",
        "## Scores", "",
        f"{int(validation['truth']):,} reference boxes in {int(validation['images'])} validation images. F1, "
        f"precision and recall at confidence {spec.threshold:g}; duplicates removed above an overlap (IoU) of "
        f"{spec.options['nms_iou']:g}; both values chosen on the tuning set. Average precision as in COCO, at "
        "most 100 detections per image. The model was scored on the validation set once, after all choices were "
        "made.", "",
        *_score_table(spec), "",
        *_quiet_words(spec),
        "## Limits", "", *[f"- {limit}" for limit in spec.limits], "",
        "The worst errors on validation images, the largest missed landslides and the false alarms of highest "
        "confidence:", "",
        f"![Worst validation images]({FAILURES})", "",
        "## Model", "",
        f"- Family: {spec.architecture}{f', encoder {spec.encoder}' if spec.encoder else ''}; options: {options}; "
        f"input enlarged {spec.upscale:g} times within the network",
        f"- Classes: {', '.join(spec.classes)}",
        f"- Input: {', '.join(spec.bands)}; values {spec.value_range[0]:g} to {spec.value_range[1]:g}; tiles of "
        f"{spec.tile} px; pixel size {distance}",
        f"- Sensor: {spec.sensor}",
        f"- Parameters: {cost['parameters']:,}; {cost['flops_per_tile'] / 1e9:.1f} GFLOP per tile; "
        f"{cost['milliseconds_per_tile']:g} ms per tile ({cost['runtime']}, {count(cost['threads'], 'thread')}); "
        f"weights {size:.1f} MB, {training['weights_precision']} precision",
        f"- Weights' SHA-256: `{spec.weights_sha256}`", "",
        *card_words(spec),
        "## Training", "",
        f"- Data: {training['data']}. Licence: {training['data_licence']}. {training['citation']}",
        "- Labels: boxes around 8-connected components of the masks of at least 10 pixels and 1,000 m²",
        f"- Split: {fitted}{training['images_tune']} images for tuning (seed {training['split_seed']}), "
        f"{training['images_validation']} for validation",
        f"- Start: {_start(training)}; seed {training['seed']}; {learnt or 'not trained further'}",
        *[f"- Note on the labels: {note}" for note in training.get("label_notes", ())],
        training_images_words(model),
        f"- Command: `{training['command']}`", "",
        *_licence(spec),
    ]  # fmt: skip
    return "\n".join(lines)
