"""Which runs a list shows: a filter as a query."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from core.runs.files import text
from core.runs.records import RunFilter
from core.runs.tables import LabelRow, ParentRow, RunRow, StateRow, TagRow


def narrowed(query: Select[Any], wanted: RunFilter) -> Select[Any]:
    """A query over runs, narrowed to what is wanted; states and labels are joined to it."""
    query = query.join(StateRow, StateRow.run_id == RunRow.id).join(LabelRow, LabelRow.run_id == RunRow.id)
    for column in ("task", "model", "scene_id", "owner"):
        if value := getattr(wanted, column):
            query = query.where(getattr(RunRow, column) == text(value))
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
    if wanted.text:
        query = query.where(or_(*_holding(text(wanted.text).lower())))
    return query


def _holding(part: str) -> list[ColumnElement[bool]]:
    within = [
        func.lower(column).contains(part, autoescape=True) for column in (RunRow.scene, LabelRow.name, LabelRow.note)
    ]
    return [*within, RunRow.id.startswith(part, autoescape=True)]
