"""What the columns of a reviewed inventory hold, beside those of what its run found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from core.raster.fields import Field, field_of
from core.raster.shape_terrain import COLUMNS
from core.review.edits import REASONS
from core.review.geometry import MEASURED
from core.review.merged import MEANS, SUMMED
from core.review.state import STATUSES
from core.runs.view import options_of

if TYPE_CHECKING:
    from core.review.found import Opened
    from core.runs.view import Option

UNTOUCHED = "nobody has reviewed it yet"
NOT_THE_MODELS = "the outline was drawn or changed in the review, and the model gives no value for it"
NOT_OF_PARTS = (
    "the outline was drawn in the review, or changed other than by merging outlines of the model that do not overlap"
)

SETTINGS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "threshold": ("Probability from which a pixel counts as landslide.", {}),
    "minimum_area": ("Landslides with a smaller area are left out.", {}),
    "fill_holes": ("Area up to which holes in landslides were filled.", {}),
    "confidence": ("Confidence from which a detection counts.", {}),
    "nms_iou": ("Overlap (intersection over union) from which detections were merged into one.", {}),
    "merging": (
        "How overlapping detections were merged.",
        {"nms": "that of the highest confidence was kept", "fusion": "they were averaged by their confidence"},
    ),
}
"""Meaning and codes of settings that a review begins with."""


def review_fields(opened: Opened) -> dict[str, Field]:
    """Columns of `core.review.inventory.inventory` that a run does not have, or not with empty values."""
    options = options_of(type(opened.view))
    return {
        "status": Field(
            "Status code",
            "Result of the review, as a code. Merged outlines and the parts of split ones have the code edited.",
            codes=STATUSES),
        "status_label": Field("Status", "The status in words.", balloon=5),
        "landslide": Field(
            "Landslide (1 yes, 0 no)", "Whether the review accepts it as a landslide.",
            codes={"1": "yes (correct, outline corrected or added)", "0": "no (false alarm)"}, empty=UNTOUCHED),
        "reason": Field(
            "Reason", f"Why it is a false alarm: {'; '.join(REASONS)}; or a reviewer's own words.",
            empty="none was given", balloon=52, is_long=True),
        "note": Field("Note", "What a reviewer wrote about it.", empty="none was written", balloon=54, is_long=True),
        "reviewer": Field("Reviewer", "Name of the person who last changed it.", empty=UNTOUCHED, balloon=50),
        "reviewed": Field(
            "Reviewed", "When it was changed last; to be deleted and restored is no change.",
            "ISO 8601, in UTC (+00:00)", empty=UNTOUCHED, kind="time",
            balloon=56),
        "parents": Field(
            "Made of", "IDs of the outlines from which this one was split or merged, separated by commas.",
            empty="not the result of a split or merge"),
        "searched": Field(
            "Area searched", "Whether somebody confirmed that the whole area was searched for landslides missed by the "
            "model; the same in every row.", codes={"1": "yes", "0": "no: ground outside the outlines is unknown"}),
        **{name: _of_the_model(name) for name in _told_by_the_model(opened)},
        **{f"view_{one.name}": _setting(one, opened) for one in options},
    }  # fmt: skip


def _told_by_the_model(opened: Opened) -> list[str]:
    """Columns of what the run found that are empty for outlines of reviewers."""
    found = opened.found
    area = "area_m2" if found.grid.in_metres else "area_px"
    measured = ("id", found.table.geometry.name, area, *MEASURED, *COLUMNS)
    return [str(name) for name in found.table.columns if name not in (*measured, *found.grid.stated_size)]


def _of_the_model(name: str) -> Field:
    known = field_of(name)
    reason = NOT_OF_PARTS if name in (*SUMMED, *MEANS) else NOT_THE_MODELS
    return replace(known, empty="; or ".join(text for text in (known.empty, reason) if text))


def _setting(option: Option, opened: Opened) -> Field:
    words = option.name.replace("_", " ").capitalize()
    meaning, codes = SETTINGS.get(option.name, (f"{words}: {option.help}.", {}))
    area = option.name in ("minimum_area", "fill_holes")
    unit = ("m²" if opened.found.grid.in_metres else "px") if area else "0 to 1" if option.kind is float else ""
    return Field(
        f"Setting: {words.replace('Nms iou', 'overlap')}", f"Setting with which the review began. {meaning}", unit,
        codes=codes, kind="number" if option.kind is float else "text", digits=0 if area else 2,
    )  # fmt: skip
