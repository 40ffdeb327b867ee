"""Names, notes, pins and tags of runs, and artifacts that were derived afterwards."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.String(32)


def upgrade() -> None:
    """Add the tables; every run that is there gets a label without words."""
    op.create_table(
        "run_labels",
        sa.Column("run_id", ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("pinned", sa.Boolean, nullable=False),
    )
    op.create_table(
        "run_tags",
        sa.Column("run_id", ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("tag", sa.String(64), primary_key=True, index=True),
    )
    op.add_column("artifacts", sa.Column("derived", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(sa.text("insert into run_labels select id, '', '', :no from runs").bindparams(no=False))
