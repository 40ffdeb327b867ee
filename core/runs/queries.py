"""Which runs a list shows: a filter as a query, and what it finds as it travels."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from core.runs.files import text
from core.runs.records import Failure, Input, Progress, Run, RunFilter, Status, StoredArtifact, moment
from core.runs.tables import InputRow, LabelRow, MemberRow, ParentRow, RunRow, StateRow, TagRow


def apply_filter(query: Select[Any], wanted: RunFilter) -> Select[Any]:
    """A query over runs, narrowed to what is wanted; states and labels are joined to it."""
    query = query.join(StateRow, StateRow.run_id == RunRow.id).join(LabelRow, LabelRow.run_id == RunRow.id)
    for column in ("task", "model", "owner"):
        if value := getattr(wanted, column):
            query = query.where(getattr(RunRow, column) == text(value))
    if wanted.dataset_id:
        query = query.where(RunRow.id.in_(select(InputRow.run_id).filter_by(dataset_id=text(wanted.dataset_id))))
    if wanted.kinds:
        query = query.where(RunRow.kind.in_(wanted.kinds))
    if wanted.statuses:
        query = query.where(StateRow.status.in_(wanted.statuses))
    if wanted.after is not None:
        query = query.where(RunRow.created >= wanted.after.timestamp())
    if wanted.before is not None:
        query = query.where(RunRow.created < wanted.before.timestamp())
    if wanted.tag:
        query = query.where(RunRow.id.in_(select(TagRow.run_id).filter_by(tag=text(wanted.tag))))
    if wanted.parent:
        query = query.where(RunRow.id.in_(select(ParentRow.run_id).filter_by(parent_id=text(wanted.parent))))
    if wanted.batch:
        query = query.where(RunRow.id.in_(select(MemberRow.run_id).filter_by(batch_id=text(wanted.batch))))
    if wanted.text:
        query = query.where(or_(*_holding(text(wanted.text).lower())))
    return query


def _holding(part: str) -> list[ColumnElement[bool]]:
    within = [func.lower(column).contains(part, autoescape=True) for column in (LabelRow.name, LabelRow.note)]
    named = select(InputRow.run_id).where(func.lower(InputRow.name).contains(part, autoescape=True))
    return [*within, RunRow.id.in_(named), RunRow.id.startswith(part, autoescape=True)]


def descendants(session: Session, identity: str, *, held: bool = False) -> list[str]:
    """Ids of a run and all runs derived from it, locked where asked so that no new ones are derived meanwhile."""
    found, new = [identity], [identity]
    while new:
        query = select(ParentRow.run_id).where(ParentRow.parent_id.in_(new))
        new = [run for run in dict.fromkeys(session.scalars(query)) if run not in found]
        if held:
            session.execute(select(RunRow.id).where(RunRow.id.in_(new)).with_for_update())
        found.extend(new)
    return found


def inputs_of(row: RunRow) -> tuple[Input, ...]:
    """The inputs of a run."""
    return tuple(Input(one.role, one.dataset_id, one.name, one.digest) for one in row.inputs)


def to_run(row: RunRow, root: Path) -> Run:
    """A row as it travels; `root` is the folder of artifacts."""
    state, label = row.state, row.label
    return Run(
        id=row.id, task=row.task, kind=row.kind, status=cast("Status", state.status),
        created=cast("Any", moment(row.created)), inputs=inputs_of(row), model=row.model,
        parameters=row.parameters, seed=row.seed, parents=tuple(parent.parent_id for parent in row.parents),
        owner=row.owner, time_limit=row.time_limit, started=moment(state.started),
        finished=moment(state.finished), heartbeat=moment(state.heartbeat), server=state.server,
        worker=state.worker, cancelling=state.cancelling,
        progress=Progress(state.done, state.total, state.words, state.left),
        failure=Failure(**state.failure) if state.failure else None,
        weights_sha256=row.weights_sha256, metrics=row.metrics, notes=tuple(row.notes),
        artifacts=tuple(
            StoredArtifact(one.role, one.digest, root / one.file, one.size, one.media_type, one.derived)
            for one in row.artifacts
        ),
        name=label.name, note=label.note, tags=tuple(tag.tag for tag in row.tags), pinned=label.pinned,
        batch=row.member.batch_id if row.member else "",
    )  # fmt: skip
