"""What alembic runs for every change of the tables; always on a connection that it is given."""

from alembic import context

from core.runs.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
