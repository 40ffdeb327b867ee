"""The datasets that a run uses, by role, in place of one scene."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.String(32)
DIGEST = sa.String(64)


def upgrade() -> None:
    """Move the scene of each run, and the reference that its record names, into rows of their own."""
    inputs = op.create_table(
        "run_inputs",
        sa.Column("run_id", ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("dataset_id", ID, nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
    )
    runs = sa.table(
        "runs", sa.column("id", ID), sa.column("scene_id", ID), sa.column("scene", sa.Text),
        sa.column("scene_digest", DIGEST), sa.column("provenance", sa.JSON),
    )  # fmt: skip
    connection = op.get_bind()
    for run in connection.execute(sa.select(runs)).all():
        rows = []
        if run.scene_id or run.scene or run.scene_digest:
            rows.append(("scene", run.scene_id, run.scene, run.scene_digest))
        truth = (run.provenance or {}).get("truth")
        if isinstance(truth, dict) and truth.get("name"):
            # Which file the run was compared with is on record; which of today's datasets that is, is not.
            rows.append(("reference", "", str(truth["name"]), str(truth.get("sha256") or "")[:64]))
        for position, (role, dataset, name, digest) in enumerate(rows):
            row = {"run_id": run.id, "position": position, "role": role, "dataset_id": dataset}
            connection.execute(sa.insert(inputs).values(**row, name=name, digest=digest))
    op.drop_index("ix_runs_scene_id", "runs")
    with op.batch_alter_table("runs") as table:
        for column in ("scene_id", "scene", "scene_digest"):
            table.drop_column(column)
