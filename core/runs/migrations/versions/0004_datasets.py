"""Datasets of any form, with links to those that belong to them, in place of scenes and series."""

import secrets
from pathlib import PurePath
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.String(32)
DIGEST = sa.String(64)
RASTERS = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
ORIGIN = ("origin", "synthetic", "licence", "citation")

_DATASETS = sa.table(
    "datasets",
    *(sa.column(name) for name in ("id", "created", "form", "name", "file", "file_digest", "companion", *ORIGIN)),
)
_LINKS = sa.table("dataset_links", *(sa.column(name) for name in ("dataset_id", "role", "other_id")))
_INPUTS = sa.table(
    "run_inputs",
    *(sa.column(name) for name in ("run_id", "position", "role", "dataset_id", "name", "digest")),
)


def upgrade() -> None:
    """Carry scenes and series over under the same ids; their references and elevations become datasets."""
    _make_tables()
    connection = op.get_bind()
    scenes = _rows(connection, "scenes", "truth", "dem", "before")
    for form, rows in (("raster", scenes), ("table", _rows(connection, "series"))):
        for row in rows:
            _insert(connection, {**row, "form": form, "companion": False})
    known: dict[str, dict[str, Any]] = {}
    links: dict[str, dict[str, dict[str, Any]]] = {}
    for row in scenes:
        for role, file in (("reference", row["truth"]), ("dem", row["dem"])):
            if file:
                if file not in known:
                    known[file] = _companion(row, file)
                    _insert(connection, known[file])
                links.setdefault(row["id"], {})[role] = known[file]
                _link(connection, row["id"], role, known[file]["id"])
        if row["before"]:
            _link(connection, row["id"], "before", row["before"])
    _name_in_runs(connection, links)
    op.drop_table("scenes")
    op.drop_table("series")


def _make_tables() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", ID, primary_key=True),
        sa.Column("created", sa.Double, nullable=False, index=True),
        sa.Column("form", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("file", sa.Text, nullable=False, index=True),
        sa.Column("file_digest", DIGEST, nullable=False, index=True),
        sa.Column("companion", sa.Boolean, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("synthetic", sa.Boolean, nullable=False),
        sa.Column("licence", sa.Text, nullable=False),
        sa.Column("citation", sa.Text, nullable=False),
    )
    op.create_table(
        "dataset_links",
        sa.Column("dataset_id", ID, sa.ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("role", sa.String(64), primary_key=True),
        sa.Column("other_id", ID, nullable=False, index=True),
    )


def _rows(connection: sa.Connection, table: str, *more: str) -> list[dict[str, Any]]:
    names = ("id", "created", "name", "file", "file_digest", "origin", "licence", "citation", *more)
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in names]
    columns.append(sa.column("synthetic", sa.Boolean))
    old = sa.table(table, *columns)
    return [dict(row) for row in connection.execute(sa.select(old).order_by(old.c.created, old.c.id)).mappings()]


def _insert(connection: sa.Connection, row: dict[str, Any]) -> None:
    connection.execute(sa.insert(_DATASETS).values({name: row[name] for name in _DATASETS.c.keys()}))  # noqa: SIM118


def _companion(scene: dict[str, Any], file: str) -> dict[str, Any]:
    """A dataset for a file of a scene; one that is used in place came with it, of the same origin."""
    path = PurePath(file)
    uploaded = not path.is_absolute()
    origin = {name: scene[name] for name in ORIGIN}
    if uploaded:
        origin = {"origin": "uploaded", "synthetic": False, "licence": "", "citation": ""}
    return {
        "id": secrets.token_hex(16),
        "created": scene["created"],
        "form": "raster" if path.suffix.lower() in RASTERS else "vector",
        "name": path.name,
        "file": file,
        "file_digest": path.stem if uploaded else "",
        "companion": True,
        **origin,
    }


def _link(connection: sa.Connection, dataset: str, role: str, other: str) -> None:
    connection.execute(sa.insert(_LINKS).values(dataset_id=dataset, role=role, other_id=other))


def _name_in_runs(connection: sa.Connection, links: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Say which dataset the reference of a run is, and what those that are not done yet will use."""
    of = connection.execute(sa.select(_INPUTS).where(_INPUTS.c.role == "scene"))
    scenes = {row["run_id"]: row["dataset_id"] for row in of.mappings()}
    of = connection.execute(sa.select(_INPUTS).where(_INPUTS.c.role == "reference", _INPUTS.c.dataset_id == ""))
    for row in of.mappings().all():
        reference = links.get(scenes.get(row["run_id"], ""), {}).get("reference")
        if reference is not None and reference["name"] == row["name"]:
            here = sa.and_(_INPUTS.c.run_id == row["run_id"], _INPUTS.c.position == row["position"])
            connection.execute(sa.update(_INPUTS).where(here).values(dataset_id=reference["id"]))
    states = sa.table("run_states", sa.column("run_id"), sa.column("status"))
    active = sa.select(states.c.run_id).where(states.c.status.in_(("queued", "running")))
    for run in connection.execute(active).scalars().all():
        for position, (role, dataset) in enumerate(links.get(scenes.get(run, ""), {}).items(), start=1):
            one = {"run_id": run, "position": position, "role": role, "dataset_id": dataset["id"]}
            connection.execute(sa.insert(_INPUTS).values(**one, name=dataset["name"], digest=""))
