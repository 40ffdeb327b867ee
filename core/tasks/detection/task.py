"""Detection, as it declares itself: boxes of landslides in an image, each with a confidence."""

from __future__ import annotations

from core.runs.kinds import Joint, Kind, Metric, Ref, Task
from core.tasks.imagery.roles import FURTHER_TRAINING, ROLES

_HERE = "core.tasks.detection"
_DERIVED = Ref("core.tasks.imagery.result:ImageResult")
_BOXES = Ref(f"{_HERE}.result:DetectionResult")

TASK = Task(
    name="detection",
    title="Detection",
    summary="landslides as boxes with a confidence",
    roles=ROLES,
    kinds=(
        Kind(
            "detection",
            "Detections",
            work=Ref(f"{_HERE}.run:detect_scene"),
            request=Ref(f"{_HERE}.run:Request"),
            result=_BOXES,
            working="Detecting landslides",
            primary=True,
            first=True,
            report=Ref(f"{_HERE}.report.parts:DETECTION"),
        ),
        Kind(
            "scored",
            "Detections with reference check",
            work=Ref(f"{_HERE}.run:compute_scored"),
            request=Ref(f"{_HERE}.run:Request"),
            result=_BOXES,
            working="Comparing with the reference",
            primary=True,
            again_from_parent=True,
            report=Ref(f"{_HERE}.report.parts:DETECTION"),
        ),
        Kind(
            "fused",
            "Detections of two detectors, fused",
            work=Ref(f"{_HERE}.run_fused:compute_fused"),
            result=_BOXES,
            working="Fusing the detections of two detectors",
            primary=True,
            report=Ref(f"{_HERE}.report.parts:FUSED"),
            joins=Joint(
                "fused",
                "Decision tree used for fusion",
                "Limits of the decision tree",
                "The decision tree was trained in certain areas only; elsewhere its scores are uncertain.",
            ),
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
            "outline",
            "Outline of a detection",
            work=Ref("core.tasks.joined.box_outline:compute_outline"),
            request=Ref("core.tasks.joined.box_outline:OutlineQuestion"),
            result=_DERIVED,
            working="Outlining a detection",
            group="Outlines",
            bundled_as="outlines",
            address=Ref(f"{_HERE}.addresses:outline"),
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
        Metric("precision", "Precision"),
        Metric("recall", "Recall"),
        Metric("ap50", "AP50", headline=True),
        Metric("ap50_95", "AP50:95"),
        Metric("boxes", "Detections", form="count", better=""),
        Metric("unlike_training", "Unlike training images", form="share", better="low"),
    ),
    counted="At the model's own confidence and NMS IoU, boxes of any size; AP over all confidences.",
    counted_each="At each model's own confidence and NMS IoU, boxes of any size; AP over all confidences.",
    level="Confidence",
    models="folder",
    view=Ref(f"{_HERE}.view:Choice"),
    export=Ref(f"{_HERE}.export:export_stored"),
    commands=Ref(f"{_HERE}.commands:add_commands"),
    features=Ref(f"{_HERE}.reviewed:found_features"),
    layers=Ref("core.tasks.imagery.layers:LAYERS"),
    batch=Ref(f"{_HERE}.batch:BATCH"),
    page=Ref("ui.detection.task:PAGE"),
)
