"""Revisions of the tables, run in order by alembic; what is in the tables stays."""
