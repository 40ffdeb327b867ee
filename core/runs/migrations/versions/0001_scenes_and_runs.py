"""Scenes, series, runs with their state, and artifacts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.String(32)
DIGEST = sa.String(64)


def _text(name: str, *, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, index=index)


def _run(*, primary_key: bool = True) -> sa.Column[str]:
    return sa.Column("run_id", ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=primary_key)


def _origin() -> list[sa.Column[Any]]:
    return [_text("origin"), sa.Column("synthetic", sa.Boolean, nullable=False), _text("licence"), _text("citation")]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "scenes",
        sa.Column("id", ID, primary_key=True),
        sa.Column("created", sa.Double, nullable=False, index=True),
        _text("name"),
        _text("file"),
        sa.Column("file_digest", DIGEST, nullable=False, index=True),
        _text("truth"),
        _text("dem"),
        sa.Column("before", ID, nullable=False),
        *_origin(),
    )
    op.create_table(
        "series",
        sa.Column("id", ID, primary_key=True),
        sa.Column("created", sa.Double, nullable=False, index=True),
        _text("name"),
        _text("file"),
        sa.Column("file_digest", DIGEST, nullable=False, index=True),
        *_origin(),
    )
    op.create_table(
        "runs",
        sa.Column("id", ID, primary_key=True),
        sa.Column("task", sa.String(32), nullable=False, index=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("created", sa.Double, nullable=False, index=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("scene_id", ID, nullable=False, index=True),
        _text("scene"),
        sa.Column("model", sa.String(128), nullable=False, index=True),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("seed", sa.BigInteger),
        sa.Column("time_limit", sa.Double, nullable=False),
        sa.Column("scene_digest", DIGEST, nullable=False),
        sa.Column("weights_sha256", DIGEST, nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("notes", sa.JSON, nullable=False),
        sa.Column("provenance", sa.JSON, nullable=False),
        sa.Column("result", sa.JSON, nullable=False),
    )
    op.create_table(
        "run_states",
        _run(),
        sa.Column("status", sa.String(16), nullable=False, index=True),
        *(sa.Column(name, sa.Double) for name in ("started", "finished", "heartbeat")),
        _text("server"),
        _text("worker"),
        sa.Column("cancelling", sa.Boolean, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        _text("words"),
        sa.Column("left", sa.Double),
        sa.Column("failure", sa.JSON(none_as_null=True)),
    )
    op.create_index("ix_run_states_waiting", "run_states", ["status", "heartbeat"])
    op.create_table(
        "run_parents",
        _run(),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("parent_id", ID, nullable=False, index=True),
    )
    op.create_table(
        "artifacts",
        _run(),
        sa.Column("role", sa.String(64), primary_key=True),
        sa.Column("digest", DIGEST, nullable=False),
        _text("file", index=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("media_type", sa.String(128), nullable=False),
    )
