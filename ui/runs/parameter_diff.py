"""What two or more runs were asked and computed with, where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.report.words import role_title
from core.runs.result import GridResult
from ui import labels
from ui.messages import tr

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.runs.result import RunResult

SAME = "–"

TITLES: Mapping[str, str] = {
    "parameters.bands": "Requested bands",
    "parameters.stretch": "Pixel values",
    "parameters.resample": "Pixel size",
    "parameters.pixel_size": "Pixel size entered by hand (m)",
    "parameters.engine": "Engine",
    "parameters.options.overlap": "Tile overlap",
    "parameters.options.turned": "Test-time augmentation",
    "parameters.options.floor": "Minimum confidence kept",
    "parameters.options.limit": "Maximum candidates per tile",
    "parameters.options.batch": "Requested batch size",
    "parameters.batch": "Tiles per batch",
    "parameters.area": "Processed area",
    "bridge.roles": "Model bands",
    "bridge.bands": "Bands used",
    "bridge.gain": "Gain per band",
    "bridge.offset": "Offset per band",
    "bridge.scale": "Model pixels per image pixel",
    "runtime.name": "Runtime",
    "runtime.threads": "Threads",
    "machine.system": "System",
    "machine.processor": "Processor",
    "machine.cores": "Cores",
    "seed": "Seed",
    "truth.name": "Reference",
    "truth.sha256": "Checksum of the reference",
}
"""What a record's entries are called; others by their own name."""

TOLD_APART = 3
"""Settings by which runs that look alike are told apart in a list; the others are counted."""


def differing(runs: Sequence[RunResult]) -> list[tuple[str, list[str]]]:
    """Title and one text for each run of whatever is not the same in all of them, in the order of the record."""
    records = [_record(run) for run in runs]
    names = dict.fromkeys(name for record in records for name in record)
    rows = []
    for name in names:
        texts = [_text(record.get(name)) for record in records]
        if name == "parameters.area":
            texts = _areas([record.get(name) for record in records])
        if len({repr(record.get(name)) for record in records}) > 1:
            rows.append((_title(name), texts))
    return rows


def told_apart(runs: Sequence[Run]) -> dict[str, str]:
    """By id of a run of which others here have the same name and model: in what its settings differ from theirs.

    Runs that no other resembles have no entry, and those that were all asked for alike an empty one. Drawn areas do not
    count, since they stand beside the name, see `ui.labels.part`.
    """
    alike: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        alike.setdefault((run.task, run.kind, run.model, run.title, labels.part(run)), []).append(run)
    said = {}
    for group in alike.values():
        if len(group) < 2:
            continue
        records = [_asked(run) for run in group]
        names = dict.fromkeys(name for record in records for name in record)
        apart = [name for name in names if len({repr(record.get(name)) for record in records}) > 1]
        for run, record in zip(group, records, strict=True):
            words = [_setting(name, record) for name in apart[:TOLD_APART]]
            if len(apart) > TOLD_APART:
                words.append(tr("{count} further settings").format(count=len(apart) - TOLD_APART))
            said[run.id] = ", ".join(words)
    return said


def same_or(apart: Mapping[str, str], run: Run) -> str:
    """What `told_apart` says of a run, in words where its settings are those of the others."""
    return apart[run.id] or tr("same settings") if run.id in apart else ""


def _asked(run: Run) -> dict[str, Any]:
    """What a run was asked for, and the names of what belongs to its data."""
    settings = _flat("parameters", {name: value for name, value in run.parameters.items() if name != "area"})
    return {role_title(one.role): one.name for one in run.inputs[1:]} | settings


def _setting(name: str, record: Mapping[str, Any]) -> str:
    """A setting, or a file beside the data, in words."""
    title, value = _title(name), record.get(name)
    title = title if title[:2].isupper() else title[:1].lower() + title[1:]
    if name not in record and not name.startswith("parameters."):
        return tr("no {name}").format(name=title)
    return f"{title} {tr('automatic') if value is None else _text(value)}"


def _record(run: RunResult) -> dict[str, Any]:
    """Everything about a run that could explain why it found something else."""
    kept = run.provenance
    model = kept.get("model") or {}
    record: dict[str, Any] = {}
    for one in run.inputs:
        title = one.role.replace("_", " ")
        record |= {title.capitalize(): one.name, f"Checksum of the {title}": one.digest[:16]}
    if isinstance(run, GridResult):
        record["Size"] = f"{run.grid.width:,} × {run.grid.height:,} px"
    record |= {
        "Model": run.model,
        "Checksum of the weights": str(model.get("weights_sha256", ""))[:16],
        "Model's own threshold": _two_digits(model.get("threshold")),
        "Model's own NMS IoU": model.get("nms_iou"),
    }
    # Of a review that is the reference, the name of the reference says all.
    reference = {name: value for name, value in (kept.get("truth") or {}).items() if name != "review"}
    for part in ("parameters", "bridge", "runtime"):
        record |= _flat(part, kept.get(part))
    record |= _flat("truth", reference) if reference else {}
    record |= _flat("seed", kept.get("seed"))
    record |= {f"Version of {name}": text for name, text in (kept.get("versions") or {}).items()}
    record |= _flat("machine", kept.get("machine"))
    record.pop("parameters.model", None)
    return record


def _two_digits(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _flat(name: str, content: Any) -> dict[str, Any]:  # noqa: ANN401  whatever JSON can hold
    if not isinstance(content, Mapping) or name == "parameters.area":
        return {name: content}
    parts = [_flat(f"{name}.{key}", value) for key, value in content.items()]
    return {key: value for part in parts for key, value in part.items()}


def _title(name: str) -> str:
    known = TITLES.get(name)
    if known is not None or "." not in name:
        return known or name
    *parts, last = name.replace("_", " ").split(".")[1:]
    return ": ".join((*parts, last)).capitalize()


def _text(value: Any) -> str:  # noqa: ANN401  whatever JSON can hold
    if value is None or value == "":
        return SAME
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(_text(one) for one in value)
    text = str(value)
    return text[:16] if len(text) == 64 and text.isalnum() else text


def _areas(outlines: Sequence[object]) -> list[str]:
    """Words for drawn areas, which nobody can read as coordinates."""
    drawn: list[str] = []
    texts = []
    for outline in outlines:
        if outline is None:
            texts.append("whole image")
            continue
        if repr(outline) not in drawn:
            drawn.append(repr(outline))
        number = drawn.index(repr(outline)) + 1
        texts.append("drawn area" if number == 1 else f"another drawn area ({number})")
    return texts
