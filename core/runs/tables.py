"""Rows of the store. What a run computed never changes; its state and its labels are rows of their own.

Times are seconds since 1970 in UTC, which every database keeps alike. Files are named relative to the folder of the
store that holds them, or with their absolute path where they are used in place.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Double, ForeignKey, Index, Integer, String, Text, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

ID = String(32)
DIGEST = String(64)


class Base(DeclarativeBase):
    """All tables of the store."""


class DatasetRow(Base):
    """A raster, vector layer or table that a user brought; a companion is listed with what it belongs to alone."""

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    created: Mapped[float] = mapped_column(Double, index=True)
    form: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(Text)
    file: Mapped[str] = mapped_column(Text, index=True)
    file_digest: Mapped[str] = mapped_column(DIGEST, default="", index=True)
    companion: Mapped[bool] = mapped_column(Boolean, default=False)
    origin: Mapped[str] = mapped_column(Text, default="")
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False)
    licence: Mapped[str] = mapped_column(Text, default="")
    citation: Mapped[str] = mapped_column(Text, default="")

    links: Mapped[list[LinkRow]] = relationship(cascade="all, delete-orphan", lazy="selectin", order_by="LinkRow.role")

    @property
    def companions(self) -> dict[str, str]:
        """Ids of the datasets that belong to it, by role."""
        return {link.role: link.other_id for link in self.links}


class LinkRow(Base):
    """A dataset that belongs to another one, by role: its reference, elevation or earlier scene."""

    __tablename__ = "dataset_links"

    dataset_id: Mapped[str] = mapped_column(ID, ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)
    other_id: Mapped[str] = mapped_column(ID, index=True)


class RunRow(Base):
    """What was asked of a run and, once it is done, what came of it."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    task: Mapped[str] = mapped_column(String(32), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    created: Mapped[float] = mapped_column(Double, index=True)
    owner: Mapped[str] = mapped_column(String(64), default="")
    model: Mapped[str] = mapped_column(String(128), default="", index=True)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    seed: Mapped[int | None] = mapped_column(BigInteger, default=None)
    time_limit: Mapped[float] = mapped_column(Double)
    # Known when it is done:
    weights_sha256: Mapped[str] = mapped_column(DIGEST, default="")
    metrics: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    notes: Mapped[list[str]] = mapped_column(JSON, default=list)
    provenance: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, deferred=True)
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, deferred=True)

    state: Mapped[StateRow] = relationship(cascade="all, delete-orphan", lazy="joined", innerjoin=True)
    label: Mapped[LabelRow] = relationship(cascade="all, delete-orphan", lazy="joined", innerjoin=True)
    member: Mapped[MemberRow | None] = relationship(cascade="all, delete-orphan", lazy="joined")
    inputs: Mapped[list[InputRow]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="InputRow.position"
    )
    parents: Mapped[list[ParentRow]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="ParentRow.position", foreign_keys="ParentRow.run_id"
    )
    tags: Mapped[list[TagRow]] = relationship(cascade="all, delete-orphan", lazy="selectin", order_by="TagRow.tag")
    artifacts: Mapped[list[ArtifactRow]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="ArtifactRow.role"
    )


def _run(**options: Any) -> Any:  # noqa: ANN401  what mapped_column takes and gives
    return mapped_column(ID, ForeignKey("runs.id", ondelete="CASCADE"), **options)


class StateRow(Base):
    """How far a run is: the only part of it that a worker writes while it works."""

    __tablename__ = "run_states"

    run_id: Mapped[str] = _run(primary_key=True)
    status: Mapped[str] = mapped_column(String(16), index=True)
    started: Mapped[float | None] = mapped_column(Double, default=None)
    finished: Mapped[float | None] = mapped_column(Double, default=None)
    heartbeat: Mapped[float | None] = mapped_column(Double, default=None)
    server: Mapped[str] = mapped_column(Text, default="")
    worker: Mapped[str] = mapped_column(Text, default="")
    cancelling: Mapped[bool] = mapped_column(Boolean, default=False)
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer, default=0)
    words: Mapped[str] = mapped_column(Text, default="")
    left: Mapped[float | None] = mapped_column(Double, default=None)
    failure: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True), default=None)


class LabelRow(Base):
    """What people call a run; changes nothing of what it computed."""

    __tablename__ = "run_labels"

    run_id: Mapped[str] = _run(primary_key=True)
    name: Mapped[str] = mapped_column(Text, default="")
    note: Mapped[str] = mapped_column(Text, default="")
    pinned: Mapped[bool] = mapped_column(Boolean, default=False)


class TagRow(Base):
    """A word by which a run is found."""

    __tablename__ = "run_tags"

    run_id: Mapped[str] = _run(primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)


class InputRow(Base):
    """A dataset that a run uses, by role; name and digest stay when the dataset is removed."""

    __tablename__ = "run_inputs"

    run_id: Mapped[str] = _run(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    role: Mapped[str] = mapped_column(String(64))
    dataset_id: Mapped[str] = mapped_column(ID, default="", index=True)
    name: Mapped[str] = mapped_column(Text, default="")
    digest: Mapped[str] = mapped_column(DIGEST, default="")


class ParentRow(Base):
    """The runs that a run is derived from, in order."""

    __tablename__ = "run_parents"

    run_id: Mapped[str] = _run(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    parent_id: Mapped[str] = mapped_column(ID, index=True)


class ArtifactRow(Base):
    """A file of a run; runs with equal content share one file."""

    __tablename__ = "artifacts"

    run_id: Mapped[str] = _run(primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(DIGEST)
    file: Mapped[str] = mapped_column(Text, index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(128))
    derived: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())


class BatchRow(Base):
    """Several datasets that are worked on alike; `content` is that of `core.batch.batches.Batch`."""

    __tablename__ = "batches"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    created: Mapped[float] = mapped_column(Double, index=True)
    name: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)


class MemberRow(Base):
    """The batch that a run belongs to."""

    __tablename__ = "run_batches"

    run_id: Mapped[str] = _run(primary_key=True)
    batch_id: Mapped[str] = mapped_column(ID, ForeignKey("batches.id", ondelete="CASCADE"), index=True)


class ReviewRow(Base):
    """What a reviewer corrected in what a run found; rows are only ever added."""

    __tablename__ = "review_edits"

    run_id: Mapped[str] = _run(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    created: Mapped[float] = mapped_column(Double)
    reviewer: Mapped[str] = mapped_column(Text)
    edit: Mapped[dict[str, Any]] = mapped_column(JSON)


Index("ix_run_states_waiting", StateRow.status, StateRow.heartbeat)
