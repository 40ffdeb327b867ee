"""Scoring a freshly trained model once on validation, and the card that says what it is and where it fails."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ModelError
from core.learning.loop import ProgressCallback, tell_nobody
from core.learning.metrics import NODATA_CODE, Confusion, threshold_code
from core.learning.pairs import Pair
from core.learning.pretrained import is_package, licence_words, package_behind, source_words
from core.learning.runtime import Runtime
from core.learning.segmentation import network_of
from core.learning.spec import ModelSpec
from core.learning.store import WEIGHTS, StoredModel, find_model
from core.tasks.imagery.layer_tests import card_words
from core.tasks.imagery.likeness import training_images_words
from core.tasks.mapping.baseline import THRESHOLD, code_threshold
from core.tasks.mapping.evaluate import Evaluation, PairScore, evaluate, predict_codes
from core.tasks.mapping.options import Options

TASK = "mapping"
FAILURES = "failures.png"
QUIET_VALLEY = Path(__file__).resolve().parents[3] / "data" / "samples" / "valley_before.tif"
SCORE_NAMES = {
    "f1": "F1", "iou": "IoU", "miou": "mIoU", "precision": "Precision", "recall": "Recall",
    "oa": "Overall accuracy", "kappa": "Kappa",
}  # fmt: skip


def measure_cost(model: StoredModel, runtime: Runtime, repeats: int = 10) -> dict[str, Any]:
    """Parameters, FLOPs and milliseconds of one tile; the time is the median of repeated single-tile passes."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    spec = model.spec
    network = model.load_network(network_of)
    shape = (1, len(spec.bands), spec.tile, spec.tile)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(shape))
    tile = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    runtime.logits(tile)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        runtime.logits(tile)
        times.append(time.perf_counter() - started)
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "flops_per_tile": int(counter.get_total_flops()),
        "milliseconds_per_tile": round(float(np.median(times)) * 1000, 1),
        "runtime": runtime.name,
        "threads": runtime.threads,
    }


def finish(
    model: StoredModel, validation: Sequence[Pair], runtime: Runtime, told: ProgressCallback = tell_nobody
) -> StoredModel:
    """Score on validation, measure the cost, draw the failures, and write spec and card.

    Validation is scored once for each shipped model: nothing may be chosen by what comes out here. `told` is called
    with the images done and all, each counted twice: as it is, and rotated or mirrored.
    """
    spec, count = model.spec, len(validation)
    result = evaluate(validation, spec, runtime, progress=lambda done, _: told(done, 2 * count))
    test_time_augmentation = evaluate(
        validation,
        spec,
        runtime,
        Options(test_time_augmentation=True),
        progress=lambda done, _: told(count + done, 2 * count),
    )
    scores: dict[str, Any] = {
        **spec.scores,
        "validation": _rounded(result.confusion),
        "validation_turned": _rounded(test_time_augmentation.confusion),
        "baseline": _rounded(Confusion.at(result.baseline, code_threshold(THRESHOLD))),
    }
    draw_failures(_worst(result), spec, runtime, model.folder / FAILURES)
    return measure(StoredModel(replace(spec, scores=scores), model.folder), runtime)


def measure(model: StoredModel, runtime: Runtime) -> StoredModel:
    """Measure cost and false alarms on the quiet valley, and write spec and card; validation scores stay."""
    spec = model.spec
    quiet = quiet_valley(spec, runtime)
    scores = {**spec.scores, **({"quiet_valley": quiet} if quiet else {})}
    finished = StoredModel(replace(spec, scores=scores, cost=measure_cost(model, runtime)), model.folder)
    (model.folder / "model.toml").write_text(finished.spec.to_toml(), encoding="utf-8")
    rewrite(finished)
    return finished


def rewrite(model: StoredModel) -> None:
    """Write the card of a model that was scored on validation; one that was not has none yet."""
    if "validation" in model.spec.scores:
        (model.folder / "README.md").write_text(card(model), encoding="utf-8")


def quiet_valley(spec: ModelSpec, runtime: Runtime) -> dict[str, float] | None:
    """False alarms on the synthetic valley before its event, where nothing fresh is there to be found.

    Returns
    -------
    Area mapped per area of the scene, m² per km²; None for a model whose ground distance is not the valley's.
    """
    from core.learning.preprocessing import SAME_DISTANCE, preprocess
    from core.raster.scene import Scene
    from core.tasks.mapping.predict import Predictor

    scene = Scene.open(QUIET_VALLEY)
    distance = scene.grid.ground_distance()
    if distance is None or spec.ground_distance is None:
        return None
    if not 1 / SAME_DISTANCE < distance / spec.ground_distance < SAME_DISTANCE:
        return None
    codes = predict_codes(Predictor(scene, spec, preprocess(scene, spec), runtime, Options()))
    found = np.count_nonzero((codes != NODATA_CODE) & (codes >= threshold_code(spec.threshold)))
    return {"false_alarm_m2_per_km2": round(1e6 * float(found) / float(np.count_nonzero(codes != NODATA_CODE)))}


def _rounded(confusion: Confusion) -> dict[str, float]:
    return {name: round(value, 4) for name, value in confusion.scores().items()}


def _worst(result: Evaluation, count: int = 3) -> tuple[tuple[str, PairScore], ...]:
    """The pairs with the most missed and with the most falsely mapped pixels."""
    at = [(Confusion.at(score.counts, result.threshold), score) for score in result.pairs]
    missed = sorted(at, key=lambda item: -item[0].false_negative)[:count]
    false = sorted(at, key=lambda item: -item[0].false_positive)[:count]
    return tuple([("most missed", score) for _, score in missed] + [("most false alarms", score) for _, score in false])


def draw_failures(worst: Sequence[tuple[str, PairScore]], spec: ModelSpec, runtime: Runtime, path: Path) -> None:
    """Draw image, truth and outcome of the worst pairs, one row each, as a PNG."""
    from matplotlib.figure import Figure

    from core.learning.preprocessing import preprocess
    from core.plots.colours import FALSE_POSITIVE, MISSED, TRUE_POSITIVE
    from core.raster.scene import Scene
    from core.tasks.mapping.predict import Predictor

    figure = Figure(figsize=(6.6, 2.2 * len(worst)), dpi=90, layout="constrained")
    axes = figure.subplots(len(worst), 3, squeeze=False)
    for row, (kind, score) in zip(axes, worst, strict=True):
        scene = Scene.open(score.pair.image)
        predictor = Predictor(scene, spec, preprocess(scene, spec), runtime, Options())
        found = predict_codes(predictor) / 254 >= spec.threshold
        with scene.reader() as reader, Scene.open(score.pair.mask).reader() as mask:
            image = np.clip(reader.read((1, 2, 3)).values.transpose(1, 2, 0).astype(float) / 140, 0, 1)
            real = mask.read((1,)).values[0] > 0
        outcome = image * 0.5
        for where, colour in ((found & real, TRUE_POSITIVE), (found & ~real, FALSE_POSITIVE), (real & ~found, MISSED)):
            outcome[where] = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        confusion = Confusion.at(score.counts, spec.threshold)
        titles = (f"{score.pair.image.stem} ({kind})", "reference", f"F1 {confusion.f1:.2f}")
        pictures = (image, np.where(real[..., None], 1.0, image * 0.4), outcome)
        for axis, picture, title in zip(row, pictures, titles, strict=True):
            axis.imshow(picture, interpolation="nearest")
            axis.set_title(title, fontsize=8)
            axis.set_axis_off()
    figure.supxlabel("Outcome: bluish green correct, orange false alarm, sky blue missed", fontsize=8)
    figure.savefig(path)


def _score_table(spec: ModelSpec) -> list[str]:
    columns = {
        "Validation": spec.scores["validation"],
        "Validation, test-time augmentation": spec.scores["validation_turned"],
        "Tuning set": spec.scores["tuning"],
        "Colour index": spec.scores["baseline"],
    }
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
        f"{quiet['false_alarm_m2_per_km2']:,.0f} m² per km².", "",
    ]  # fmt: skip


def _start(training: Mapping[str, Any]) -> str:
    """What a training started from, in words."""
    origin = training["start_from"]
    package = package_behind(origin, (TASK,))
    if not origin:
        return "random weights"
    if package is not None and is_package(origin):
        return f"encoder of {source_words(package)}"
    split = "on the same split" if _same_split(origin, training) else "on other data"
    behind = f", itself trained from {source_words(package)}" if package is not None else ""
    return f"encoder of {origin}, trained {split}{behind}"


def _same_split(origin: str, training: Mapping[str, Any]) -> bool:
    """Whether the model that a training started from was fitted and chosen on the same images."""
    try:
        source = find_model(TASK, origin).spec.training
    except ModelError:
        return False
    return all(source.get(name) == training.get(name) for name in ("data", "images_fit", "images_tune", "split_seed"))


def _licence(spec: ModelSpec) -> list[str]:
    package = package_behind(spec.training["start_from"], (TASK,))
    derived = [licence_words(package), ""] if package is not None else []
    return ["## Licence", "", f"Weights: {spec.licence}.", "", *derived]


def card(model: StoredModel) -> str:
    """The model card as Markdown, all of it from the spec."""
    spec, training, cost = model.spec, model.spec.training, model.spec.cost
    phases = "; ".join(
        f"{phase['epochs']} epochs at {phase['upscale']:g}× (best {phase['best_epoch']}, {phase['minutes']} min)"
        for phase in training["phases"]
    )
    options = ", ".join(f"{key} = {value}" for key, value in spec.options.items()) or "none"
    loss = " + ".join(f"{v.get('weight', 1):g} × {name.replace('_', '-')}" for name, v in training["loss"].items())
    distance = f"{spec.ground_distance:g} m" if spec.ground_distance else "varies, unknown per image"
    start = _start(training)
    size = (model.folder / WEIGHTS).stat().st_size / 1e6
    lines = [
        f"# {spec.title}", "", spec.summary, "",
        "## Scores", "",
        f"Pixels of all {training['images_validation']} validation images pooled, at the threshold "
        f"{spec.threshold:g} chosen on the tuning set. The model was scored on the validation set once, after all "
        "choices were made. The colour index, (R − G) / (R + G + B + 1) ≥ 0.12, is a baseline without training.", "",
        *_score_table(spec), "",
        *_quiet_words(spec),
        "## Limits", "", *[f"- {limit}" for limit in spec.limits], "",
        "The worst validation images, by missed and by false-alarm pixels:", "",
        f"![Worst validation images]({FAILURES})", "",
        "## Model", "",
        f"- Architecture: {spec.architecture}, encoder {spec.encoder}, options: {options}; input enlarged "
        f"{spec.upscale:g} times within the network",
        f"- Input: {', '.join(spec.bands)}; values {spec.value_range[0]:g}–{spec.value_range[1]:g}; tiles of "
        f"{spec.tile} px; pixel size {distance}",
        f"- Sensor: {spec.sensor}",
        f"- Parameters: {cost['parameters']:,}; {cost['flops_per_tile'] / 1e9:.1f} GFLOP per tile; "
        f"{cost['milliseconds_per_tile']:g} ms per tile ({cost['runtime']}, {cost['threads']} threads); weights "
        f"{size:.1f} MB, {training['weights_precision']} precision",
        f"- Weights' SHA-256: `{spec.weights_sha256}`", "",
        *card_words(spec),
        "## Training", "",
        f"- Data: {training['data']}. Licence: {training['data_licence']}. {training['citation']}",
        f"- Split: {training['images_fit']:,} images for fitting and {training['images_tune']} for choosing epoch and "
        f"threshold (seed {training['split_seed']}), {training['images_validation']} for validation",
        f"- Start: {start}; "
        f"seed {training['seed']}; loss {loss}; {phases}",
        training_images_words(model),
        f"- Command: `{training['command']}`", "",
        *_licence(spec),
    ]  # fmt: skip
    return "\n".join(lines)
