"""What is known of the limits of a mapping model beside those that its card names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import ModelError
from ui.mapping.task import PAGE
from ui.messages import tr

if TYPE_CHECKING:
    from core.learning.store import StoredModel
    from core.tasks.mapping.result import MappingResult


def false_alarms(model: StoredModel) -> str:
    """How much a model maps where there is no fresh landslide; empty where that was not measured."""
    from core.report.words import percent

    rate = model.spec.scores.get("quiet_valley", {}).get("false_alarm_m2_per_km2")
    if rate is None:
        return ""
    if not rate:
        return tr(
            "In the synthetic sample image from before the event, which has no fresh landslides, no pixel reaches the "
            "model's threshold of {threshold:.2f}."
        ).format(threshold=model.spec.threshold)
    return tr(
        "In the synthetic sample image from before the event, which has no fresh landslides, {share} of the pixels "
        "reach the model's threshold of {threshold:.2f}: all of them are false alarms. That image has the light and "
        "vegetation of late summer, the one after the event those of autumn. The share differs from image to image."
    ).format(share=percent(rate / 1e6), threshold=model.spec.threshold)


def limits_of(result: MappingResult) -> tuple[str, ...]:
    """The same of the model of a run; nothing where the model is gone."""
    from core.learning.store import find_model

    try:
        told = false_alarms(find_model(PAGE.name, result.model))
    except ModelError:
        return ()
    return (told,) if told else ()
