"""What two or more runs were asked and computed with, where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.runs.result import GridResult

if TYPE_CHECKING:
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
    return TITLES.get(name, name)


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
