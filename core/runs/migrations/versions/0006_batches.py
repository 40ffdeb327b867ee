"""Batches: several datasets that are worked on alike, and the runs of each."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ID = sa.String(32)


def upgrade() -> None:
    """Add the tables; no run that is there belongs to a batch."""
    op.create_table(
        "batches",
        sa.Column("id", ID, primary_key=True),
        sa.Column("created", sa.Double, nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
    )
    op.create_table(
        "run_batches",
        sa.Column("run_id", ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("batch_id", ID, sa.ForeignKey("batches.id", ondelete="CASCADE"), nullable=False, index=True),
    )
