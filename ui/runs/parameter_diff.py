"""What two or more runs were asked and computed with, where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from core.runs.kinds import role_title
from core.runs.result import GridResult
from core.wording import setting_words, within
from ui import labels
from ui.messages import tr, tr_noop

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.runs.result import RunResult

SAME = "–"

TITLES: Mapping[str, str] = {
    "parameters.bands": tr_noop("Requested bands"),
    "parameters.stretch": tr_noop("Pixel values"),
    "parameters.resample": tr_noop("Pixel size"),
    "parameters.pixel_size": tr_noop("Pixel size entered by hand (m)"),
    "parameters.engine": tr_noop("Engine"),
    "parameters.options.overlap": tr_noop("Tile overlap"),
    "parameters.options.turned": tr_noop("Test-time augmentation"),
    "parameters.options.floor": tr_noop("Minimum confidence kept"),
    "parameters.options.limit": tr_noop("Maximum candidates per tile"),
    "parameters.options.batch": tr_noop("Requested batch size"),
    "parameters.batch": tr_noop("Tiles per batch"),
    "parameters.area": tr_noop("Processed area"),
    "parameters.plan.horizon": tr_noop("Steps ahead"),
    "parameters.plan.models": tr_noop("Models"),
    "parameters.plan.refit": tr_noop("Refit after … forecasts"),
    "parameters.plan.window": tr_noop("Training window (steps)"),
    "parameters.plan.known_future": tr_noop("Known in advance"),
    "parameters.plan.intervals": tr_noop("Intervals"),
    "parameters.plan.features": tr_noop("Most informative features"),
    "bridge.roles": tr_noop("Model bands"),
    "bridge.bands": tr_noop("Bands used"),
    "bridge.gain": tr_noop("Gain per band"),
    "bridge.offset": tr_noop("Offset per band"),
    "bridge.scale": tr_noop("Model pixels per image pixel"),
    "runtime.name": tr_noop("Runtime"),
    "runtime.threads": tr_noop("Threads"),
    "machine.system": tr_noop("System"),
    "machine.processor": tr_noop("Processor"),
    "machine.cores": tr_noop("Cores"),
    "seed": tr_noop("Seed"),
    "truth.name": tr_noop("Reference"),
    "truth.sha256": tr_noop("Checksum of the reference"),
}
"""What a record's entries are called; others by their own name."""

PARTS: Mapping[str, str] = {
    "bridge": tr_noop("Preprocessing"), "runtime": tr_noop("Runtime"), "truth": tr_noop("Reference"),
    "machine": tr_noop("Machine"),
}  # fmt: skip
"""Parts of a record whose name is needed to understand those of its entries; `TITLES` do without."""

ZERO: Mapping[str, str] = {
    "parameters.plan.refit": tr_noop("automatic"),
    "parameters.plan.window": tr_noop("all"),
    "parameters.plan.features": tr_noop("all"),
}
"""What a zero stands for."""

AREA = "parameters.area"

TOLD_APART = 3
"""Settings by which runs that look alike are told apart in a list; the others are counted."""

LONGEST = 40
"""Characters of a value in a list of runs; a longer one is cut."""


def differing(task: str, runs: Sequence[RunResult]) -> list[tuple[str, list[str]]]:
    """Title and one text for each run of a task of whatever is not the same in all, in the order of the record."""
    records = [_record(task, run) for run in runs]
    names = dict.fromkeys(name for record in records for name in record)
    rows = []
    for name in names:
        texts = [_text(name, record.get(name)) for record in records]
        if name == AREA:
            texts = _areas([record.get(name) for record in records])
        if len({repr(record.get(name)) for record in records}) > 1:
            rows.append((_title(name), texts))
    return rows


def told_apart(runs: Sequence[Run]) -> dict[str, str]:
    """By id of a run of which others here have the same name and model: in what its data and settings differ.

    Runs that no other resembles have no entry, and those that were all asked for alike an empty one. Whether a run was
    limited to a drawn area stands beside its name, see `ui.labels.part`: here only which of several areas it was.
    """
    alike: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        alike.setdefault((run.task, run.kind, run.model, run.title, labels.part(run)), []).append(run)
    said = {}
    for group in alike.values():
        if len(group) < 2:
            continue
        records = [_asked(run) for run in group]
        for record, area in zip(records, _numbered([run.parameters.get("area") for run in group]), strict=True):
            record[AREA] = tr("drawn area {number}").format(number=area)
        names = dict.fromkeys(name for record in records for name in record)
        apart = [name for name in names if len({repr(record.get(name, _Missing)) for record in records}) > 1]
        apart = [name for name in apart if _says_more(name, apart, records)]
        shown = len(apart) if len(apart) == TOLD_APART + 1 else TOLD_APART  # one more takes no more room than its count
        for run, record in zip(group, records, strict=True):
            words = [_setting(name, record) for name in apart[:shown]]
            if len(apart) > shown:
                words.append(tr("{count} further settings").format(count=len(apart) - shown))
            said[run.id] = ", ".join(words)
    return said


def same_or(apart: Mapping[str, str], run: Run) -> str:
    """What `told_apart` says of a run, in words where its settings are those of the others."""
    return apart[run.id] or tr("same settings") if run.id in apart else ""


class _Missing:
    """What a record does not have, unlike what it has as None."""


CHECKSUM = " SHA-256"


def _says_more(name: str, apart: Sequence[str], records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a difference is one: checksums are, where all are known and the names of the files are the same."""
    if not name.endswith(CHECKSUM):
        return True
    return name.removesuffix(CHECKSUM) not in apart and all(record.get(name) for record in records)


def _asked(run: Run) -> dict[str, Any]:
    """What a run was asked for, and the names and checksums of its data; those of one role together."""
    files: dict[str, Any] = {}
    for role in dict.fromkeys(one.role for one in run.inputs):
        title, same = tr(role_title(role)), [one for one in run.inputs if one.role == role]
        files[title] = [one.name for one in same]
        files[f"{title}{CHECKSUM}"] = [one.digest[:8] for one in same] if all(one.digest for one in same) else None
    return files | _flat("parameters", run.parameters)


def _setting(name: str, record: Mapping[str, Any]) -> str:
    """A setting, or a file beside the data, in words."""
    if name == AREA:
        return str(record[name])
    title = _title(name)
    title = within(title)
    if name not in record:
        form = tr("{name} not recorded") if name.startswith("parameters.") else tr("no {name}")
        return form.format(name=title)
    value = record[name]
    text = _cut(tr("automatic") if value is None else _text(name, value))
    is_file = f"{name}{CHECKSUM}" in record and len(value) == 1
    return text if is_file else f"{title} {text}"  # the name of a file says enough


def _cut(text: str) -> str:
    """A text of at most `LONGEST` characters, between words where it has any: half a number would be another one."""
    between = shorten(text, LONGEST, placeholder=" …")
    return between if len(between) > 1 + len("…") or len(text) <= LONGEST else f"{text[:LONGEST - 1]}…"


def _record(task: str, run: RunResult) -> dict[str, Any]:
    """Everything about a run that could explain why it found something else."""
    kept = run.provenance
    model = kept.get("model") or {}
    record: dict[str, Any] = {}
    for role in dict.fromkeys(one.role for one in run.inputs):
        title, same = tr(role_title(role)), [one for one in run.inputs if one.role == role]
        record |= {title: [one.name for one in same],
                   tr("{title}: checksum").format(title=title): [one.digest[:16] for one in same]}  # fmt: skip
    if isinstance(run, GridResult):
        record[tr("Size")] = f"{run.grid.width:,} × {run.grid.height:,} px"
    record |= {
        tr("Model"): labels.model_title(task, run.model) if run.model else "",
        tr("Checksum of the weights"): str(model.get("weights_sha256", ""))[:16],
        tr("Model's own threshold"): _two_digits(model.get("threshold")),
        tr("Model's own NMS IoU"): model.get("nms_iou"),
    }
    # Of a review that is the reference, the name of the reference says all.
    reference = {name: value for name, value in (kept.get("truth") or {}).items() if name != "review"}
    for part in ("parameters", "bridge", "runtime"):
        record |= _flat(part, kept.get(part))
    record |= _flat("truth", reference) if reference else {}
    record |= _flat("seed", kept.get("seed"))
    record |= {tr("Version of {name}").format(name=name): text for name, text in (kept.get("versions") or {}).items()}
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
        return tr(known or name)
    part, *rest = name.split(".")
    words = ": ".join((*([tr(PARTS[part])] if part in PARTS else []), *(setting_words(one) for one in rest)))
    return words[:1].upper() + words[1:]


def _text(name: str, value: Any) -> str:  # noqa: ANN401  whatever JSON can hold
    if value is None or value == "":
        return SAME
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if value == 0 and name in ZERO:
        return tr(ZERO[name])
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        if not value:
            return tr("none")
        return ", ".join(_text(name, one) for one in value)
    text = str(value)
    return text[:16] if len(text) == 64 and text.isalnum() else text


def _areas(outlines: Sequence[object]) -> list[str]:
    """Words for drawn areas, which nobody can read as coordinates."""
    several = max(_numbered(outlines), default=0) > 1
    return [
        tr("whole image") if not number else tr("drawn area {number}").format(number=number) if several
        else tr("drawn area")
        for number in _numbered(outlines)
    ]  # fmt: skip


def _numbered(outlines: Sequence[object]) -> list[int]:
    """A number for each outline, the same for the same, from 1 in the order in which they come; 0 for none."""
    drawn = list(dict.fromkeys(repr(outline) for outline in outlines if outline))
    return [drawn.index(repr(outline)) + 1 if outline else 0 for outline in outlines]
