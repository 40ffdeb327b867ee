"""Mapping, as it declares itself: a probability of landslide for every pixel of an image."""

from __future__ import annotations

from core.runs.kinds import Kind, Metric, Ref, Task
from core.tasks.imagery.roles import FURTHER_TRAINING, ROLES

_HERE = "core.tasks.mapping"
_DERIVED = Ref("core.tasks.imagery.result:ImageResult")

TASK = Task(
    name="mapping",
    title="Mapping",
    summary="landslides as polygons, from every pixel of an image",
    roles=ROLES,
    kinds=(
        Kind(
            "mapping",
            "Map",
            work=Ref(f"{_HERE}.run:map_scene"),
            request=Ref(f"{_HERE}.run:Request"),
            result=Ref(f"{_HERE}.result:MappingResult"),
            working="Mapping landslides",
            primary=True,
            first=True,
            report=Ref(f"{_HERE}.report.parts:MAPPING"),
            shards=Ref(f"{_HERE}.run_shards:shards_of"),
        ),
        Kind(
            "scored",
            "Map with reference check",
            work=Ref(f"{_HERE}.run_scored:compute_scored"),
            request=Ref(f"{_HERE}.run:Request"),
            result=Ref(f"{_HERE}.result:MappingResult"),
            working="Comparing with the reference",
            primary=True,
            again_from_parent=True,
            report=Ref(f"{_HERE}.report.parts:MAPPING"),
        ),
        Kind(
            "change",
            "Difference between two maps",
            work=Ref(f"{_HERE}.run_change:compute_difference"),
            result=_DERIVED,
            working="Comparing two maps",
            group="Differences",
            report=Ref(f"{_HERE}.report.parts:CHANGE"),
            address=Ref(f"{_HERE}.addresses:change"),
        ),
        Kind(
            "explanation",
            "Explanation",
            work=Ref(f"{_HERE}.run_explanation:compute_explanation"),
            request=Ref("core.tasks.imagery.explanation:ExplanationRequest"),
            result=_DERIVED,
            working="Explaining",
            group="Explanations",
            bundled_as="explanations",
            explains=True,
            address=Ref("core.tasks.imagery.addresses:explanation"),
        ),
        Kind(
            "outlines",
            "Outlines of a large map",
            work=Ref(f"{_HERE}.run_outlines:compute_outlines"),
            request=Ref(f"{_HERE}.run_outlines:OutlinesRequest"),
            result=_DERIVED,
            working="Outlining landslides",
            group="Outlines",
            bundled_as="outlines",
            address=Ref(f"{_HERE}.addresses:outlines"),
        ),
        Kind(
            "evaluation",
            "Evaluation of a model",
            work=Ref(f"{_HERE}.run_model:evaluate"),
            request=Ref(f"{_HERE}.run_model:EvaluationRequest"),
            working="Scoring a model",
            group="Models",
        ),
        Kind(
            "training",
            "Training of a model",
            work=Ref(f"{_HERE}.run_model:train"),
            request=Ref("core.tasks.imagery.model_runs:TrainingRequest"),
            working="Training a model",
            group="Models",
            titles=FURTHER_TRAINING,
        ),
    ),
    metrics=(
        Metric("f1", "F1", headline=True),
        Metric("iou", "IoU"),
        Metric("precision", "Precision"),
        Metric("recall", "Recall"),
        Metric("area_share", "Above threshold", form="share", better=""),
        Metric("unlike_training", "Unlike training images", form="share", better="low"),
    ),
    counted="At the model's own threshold. Pixels are counted before minimum area and hole filling; shares are of the "
            "image, or of the drawn area if one was mapped.",
    counted_each="At each model's own threshold. Pixels are counted before minimum area and hole filling; shares are "
                 "of the image, or of the drawn area if one was mapped.",
    level="Threshold",
    models="folder",
    view=Ref(f"{_HERE}.view:Choice"),
    features=Ref(f"{_HERE}.reviewed:found_features"),
    layers=Ref("core.tasks.imagery.layers:LAYERS"),
    export=Ref(f"{_HERE}.export:export_stored"),
    commands=Ref(f"{_HERE}.commands:add_commands"),
    batch=Ref(f"{_HERE}.batch:BATCH"),
    page=Ref("ui.mapping.task:PAGE"),
)
