"""What must be known before a result is believed: an image made up or seen before, limits of the model, how it saw."""

from __future__ import annotations

from core.learning.training_distance import UNLIKE
from core.raster.files import one_line
from core.report.parts import Content, Items, Notice
from core.report.subject import Subject, UsedModel, joint_of, models_of
from core.report.words import sentences

TOLD_IN_BOXES = ("This scene is synthetic", "The model was trained or chosen on this very scene", UNLIKE)
"""Beginnings of a run's notes that the report tells in its own boxes."""


_WARNINGS = (
    "The model was trained or chosen on this very scene",
    "The file does not name its bands",
    "Values are used as they are, although the model was trained on",
    "The model was trained on much finer images",
    "so its ground distance is unknown",
    "and was not resampled to the model's",
    "which usually stands for no data, but",
    "no exact way between their datums",
    "m, entered by hand",
    UNLIKE,
)
"""Words of a run's notes on what was guessed or does not fit, so that the result may be wrong for that alone."""


def is_warning(note: str) -> bool:
    """Whether a note of a run changes how far its result may be relied on; others say how the scene was read."""
    return any(words in note for words in _WARNINGS)


def cautions(subject: Subject) -> list[Content]:
    """Warnings that change how everything else is read."""
    boxes: list[Content] = []
    if subject.synthetic:
        boxes.append(
            Notice(
                "Synthetic image",
                "This image was computed by a script. No satellite or aircraft took it, and it shows no real place. "
                "Nothing in this report is evidence about any place; use it to learn and to test.",
            )
        )
    if subject.seen:
        boxes.append(
            Notice(
                "The model has seen this image",
                "It was trained or chosen on this very image, so it may simply remember it. The result and its scores "
                "say nothing about how well the model does elsewhere.",
            )
        )
    return boxes + [
        Notice(UNLIKE.rstrip(":"), one_line(note.removeprefix(UNLIKE)))
        for note in subject.content.result.notes
        if note.startswith(UNLIKE)
    ]


def limits(subject: Subject, further: tuple[str, ...] = ()) -> list[Content]:
    """Known limits of each model from its card, and what else was measured of them."""
    content = [one for model in models_of(subject.content) for one in _limits(model, further)]
    joint = joint_of(subject.content)
    if joint is not None:
        content.append(Notice(joint.limits_title, joint.limits, "note"))
    return content


def _limits(model: UsedModel, further: tuple[str, ...]) -> list[Content]:
    spec = model.spec
    if spec is None:
        text = (
            f"The model “{one_line(model.name)}” is no longer on this server, so its card with its known limits "
            "cannot be quoted. Ask for it before you rely on this result."
        )
        return [Notice("Limits of the model unknown", text)]
    known = (*(sentences(limit) for limit in spec.limits), *further)
    title = f"Known limits of the model {spec.title}, from its card"
    content: list[Content] = [Items(known, title)] if known else []
    if model.changed:
        text = "The model of this name has other weights now than when this run was made. Its card may not fit the run."
        content.append(Notice("The model has changed since", text))
    return content


def bridging(subject: Subject) -> list[Content]:
    """How the image was brought to the model, in the run's own notes."""
    notes = tuple(one_line(note) for note in subject.content.result.notes if not note.startswith(TOLD_IN_BOXES))
    return [Notice("How the image was brought to the model", " ".join(notes), "note")] if notes else []
