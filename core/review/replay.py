"""The log of a review replayed: what its edits make of what a run found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from core.errors import InputError
from core.review.edits import Judgement, Operation
from core.review.merged import merged_values
from core.review.state import GONE, MERGED, STATUSES, Entry, Feature, Review, Status


def replayed(found: Mapping[str, Feature], log: Sequence[Entry]) -> Review:
    """Take the edits of a log in their order.

    Raises
    ------
    InputError
        When an edit concerns a feature that is not there (any more): only for a log that was never taken whole.
    """
    without = undone(log)
    state = _State(dict(found), {}, False)
    for entry in log:
        if entry.number not in without:
            state.take(entry)
    return Review(state.features, state.deleted, state.examined, tuple(log), without)


def judged(log: Sequence[Entry]) -> dict[str, str]:
    """What a log says of the model's own features, by id, in words; without outlines, so at once for any number.

    Features that a reviewer drew are left out, as are those that nobody judged, or no longer.
    """
    without, said, before, changed = undone(log), dict[str, str](), dict[str, str](), dict[str, str]()
    for entry in log:
        edit = entry.edit
        if entry.number in without:
            continue
        if edit.op == "restore":
            said |= {name: before.get(name, STATUSES["unreviewed"]) for name in edit.ids}
        if edit.op == "delete":
            before |= {name: said.get(name, STATUSES["unreviewed"]) for name in edit.ids}
        if edit.op not in ("judge", "delete", "reshape", "split", "merge"):  # labels are none of outlines
            continue
        for name in edit.ids:
            if edit.op == "judge":
                words = STATUSES[edit.judgement]
                said[name] = words if edit.judgement == "rejected" else changed.get(name, words)
            elif name in edit.made:
                said[name] = changed[name] = MERGED if edit.op == "merge" else STATUSES["edited"]
            else:
                said[name] = GONE[edit.op]
    ours = made(log)
    return {name: words for name, words in said.items() if name not in ours and words != STATUSES["unreviewed"]}


def judged_by_name(log: Sequence[Entry]) -> dict[str, str]:
    """As `judged`; of what was split or merged with the names of what it was split into, or merged with."""
    became, said = fates(log), judged(log)
    into: dict[str, list[str]] = {}
    for name, (op, names) in became.items():
        if op == "merge":
            into.setdefault(names[0], []).append(name)
    for name, words in said.items():
        if words == GONE["split"]:
            said[name] = f"split into {', '.join(became[name][1])}"
        elif words == GONE["merge"]:
            said[name] = f"merged into {became[name][1][0]}"
        elif words == MERGED and name in into:
            said[name] = f"merged with {', '.join(into[name])}"
    return said


def made(log: Sequence[Entry]) -> frozenset[str]:
    """Ids of what reviewers drew or split off, whether it is still there or not: none of the model's own."""
    return frozenset(name for entry in log for name in entry.edit.made if name not in entry.edit.ids)


def fates(log: Sequence[Entry]) -> dict[str, tuple[Operation, tuple[str, ...]]]:
    """What became of features that are no longer in the inventory, by id: what was done, and what was made of them.

    That is ``"delete"`` and nothing, ``"split"`` and the ids of the parts, or ``"merge"`` and the id of the whole.
    """
    without, said = undone(log), dict[str, tuple[Operation, tuple[str, ...]]]()
    for entry in log:
        edit = entry.edit
        if entry.number in without:
            continue
        if edit.op in GONE:
            said |= {name: (edit.op, tuple(edit.made)) for name in edit.ids}
        for name in (*edit.made, *(edit.ids if edit.op == "restore" else ())):
            said.pop(name, None)
    return said


def undone(log: Sequence[Entry]) -> frozenset[int]:
    """Numbers of the entries that are undone."""
    gone: set[int] = set()
    for entry in log:
        if entry.edit.op == "undo":
            gone.add(entry.edit.of)
        elif entry.edit.op == "redo":
            gone.discard(entry.edit.of)
    return frozenset(gone)


@dataclass
class _State:
    features: dict[str, Feature]
    deleted: dict[str, Feature]
    examined: bool
    kept: dict[str, Feature] = field(default_factory=dict)
    """What was deleted, as it was before."""

    def take(self, entry: Entry) -> None:
        """Let an entry act; an `InputError` where what it concerns is not there, or what it makes already is."""
        edit = entry.edit
        there = self.deleted if edit.op == "restore" else self.features
        missing = [name for name in edit.ids if name not in there]
        if missing:
            kept = edit.op == "restore"
            what = f"{missing[0]} is not deleted." if kept else f"There is no {missing[0]} in this review."
            raise InputError(what, remedy="Check the name, or reload the review.")
        wanted = edit.ids if edit.op == "restore" else [name for name in edit.made if name not in edit.ids]
        taken = [name for name in wanted if name in self.features]
        if taken:
            raise InputError(f"{taken[0]} is already in this review.", remedy="Reload the review.")
        match edit.op:
            case "judge" | "label":
                self._judge(entry)
            case "delete":
                for name in edit.ids:
                    one = self.kept[name] = self.features.pop(name)
                    reason = one.reason if edit.reason is None else edit.reason
                    note = one.note if edit.note is None else edit.note
                    self.deleted[name] = replace(one, reason=reason, note=note, **_by(entry))
            case "restore":
                for name in edit.ids:
                    del self.deleted[name]
                    self.features[name] = self.kept.pop(name)
            case "draw" | "reshape" | "split" | "merge":
                self._make(entry)
            case "examined":
                self.examined = edit.examined

    def _judge(self, entry: Entry) -> None:
        edit = entry.edit
        for name in edit.ids:
            one = self.features[name]
            status: Status = edit.judgement
            if edit.judgement == "confirmed" and one.origin != "model" and edit.op == "judge":
                status = one.origin
            if edit.judgement == "unreviewed" and one.origin != "model":
                status = one.origin  # somebody made its outline
            kept = one.reason if status == "rejected" and one.status == "rejected" else ""
            reason, note = edit.reason if edit.reason is not None else kept, edit.note
            note = one.note if note is None else note
            by = _by(entry)
            if status == "unreviewed" and one.origin == "model":  # as if nobody had reviewed it
                by = {"reviewer": "", "reviewed": None}
            self.features[name] = replace(one, status=status, reason=reason, note=note, **by)

    def _make(self, entry: Entry) -> None:
        from shapely.geometry import shape

        edit = entry.edit
        before = [self.features[name] for name in edit.ids]
        if edit.op != "reshape":
            for name in edit.ids:
                del self.features[name]
        origin: Literal["edited", "added"] = "added" if all(one.origin == "added" for one in before) else "edited"
        parents = before[0].parents if edit.op == "reshape" else edit.ids
        note = edit.note or _told_of(before)
        label, status, reason = edit.label, None, ""
        if edit.op != "draw":
            label, status = _label(before), _judgement(before)
        if status is not None:
            reason = "; ".join(dict.fromkeys(one.reason for one in before if one.reason and one.status == status))
        sources = _sources(before)
        for name, outline in edit.made.items():
            made = Feature(
                name, shape(dict(outline)), status or origin, reason, note, parents=parents, origin=origin, label=label,
                sources=sources,
            )  # fmt: skip
            values = merged_values(before, made.outline) if edit.op == "merge" else {}
            self.features[name] = replace(made, values=values, **_by(entry))


def _told_of(parts: Sequence[Feature]) -> str:
    """Notes of some parts together, each with the name of its part where there are several parts."""
    noted = [one for one in parts if one.note]
    return "; ".join(one.note if len(parts) == 1 else f"{one.id}: {one.note}" for one in noted)


def _any(labels: Iterable[bool | None]) -> bool | None:
    """Whether there is a landslide in what is made of some parts; None where that is not known."""
    known = set(labels)
    return True if True in known else None if None in known else False


def _label(parts: Sequence[Feature]) -> bool | None:
    """Label of what is made of some parts: landslide where one of them is labelled so."""
    return _any(one.label for one in parts)


def _judgement(parts: Sequence[Feature]) -> Judgement | None:
    """What was said of the labels of some parts, and holds of what is made of them; None where nothing does.

    The label of a whole is wrong where the reviewed labels of its parts say otherwise. It is correct where all of them
    were judged, or where a part that is labelled as landslide is.
    """
    label, reviewed = _label(parts), _any(one.reviewed_label for one in parts)
    if label is None or reviewed is None:
        return None
    if label != reviewed:
        return "rejected"
    judged = [one for one in parts if one.is_judged]
    holds = any(one.status == "confirmed" and one.label for one in judged)
    return "confirmed" if len(judged) == len(parts) or holds else None


def _sources(parts: Sequence[Feature]) -> dict[str, float]:
    """Which share of the area of some parts comes from what was found; less than 1 in total where some was drawn."""
    whole, found = sum(one.outline.area for one in parts), dict[str, float]()
    for one in parts:
        for name, share in ({one.id: 1.0} if one.origin == "model" else one.sources).items():
            found[name] = found.get(name, 0.0) + share * one.outline.area / (whole or 1.0)
    return found


def _by(entry: Entry) -> dict[str, Any]:
    return {"reviewer": entry.reviewer, "reviewed": entry.created}
