"""The database of a store: opened, brought up to date, and what is said when it is not there."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from core.errors import StorageError
from core.runs import database as module
from core.runs.database import LATEST, MIGRATIONS, Database, database_url, migrate
from core.runs.records import Failure, Input, RunFilter
from core.runs.store import Store
from core.runs.tables import Base, DatasetRow
from tests.conftest import sqlite_url
from tests.jobs.plain import ORDER, done

DONE, LOST, SCENE = "d" * 32, "e" * 32, "5" * 32


@dataclass(frozen=True)
class Raw:
    """A database past everything of ours."""

    url: str

    def do(self, statement: str, **values: Any) -> list[Any]:
        engine = create_engine(self.url.replace("postgresql://", "postgresql+pg8000://"))
        with engine.begin() as connection:
            result = connection.execute(text(statement), values)
            rows = [tuple(row) for row in result] if result.returns_rows else []
        engine.dispose()
        return rows

    def tables(self) -> set[str]:
        engine = create_engine(self.url.replace("postgresql://", "postgresql+pg8000://"))
        names = set(inspect(engine).get_table_names())
        engine.dispose()
        return names

    def columns(self, table: str) -> set[str]:
        engine = create_engine(self.url.replace("postgresql://", "postgresql+pg8000://"))
        names = {column["name"] for column in inspect(engine).get_columns(table)}
        engine.dispose()
        return names

    def indexes(self, table: str) -> set[tuple[str | None, ...]]:
        engine = create_engine(self.url.replace("postgresql://", "postgresql+pg8000://"))
        columns = {tuple(index["column_names"]) for index in inspect(engine).get_indexes(table)}
        engine.dispose()
        return columns

    def to(self, revision: str) -> None:
        engine = create_engine(self.url.replace("postgresql://", "postgresql+pg8000://"))
        migrate(engine, revision)
        engine.dispose()

    def insert(self, table: str, **values: Any) -> None:
        names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
        self.do(f"INSERT INTO {table} ({names}) VALUES ({places})", **values)  # noqa: S608


@pytest.fixture
def first(empty_url: str) -> Raw:
    """A database of the first revision, with two runs, a scene and an artifact."""
    raw = Raw(empty_url)
    raw.to("0001")
    origin = {"origin": "uploaded", "synthetic": False, "licence": "CC0-1.0", "citation": "Us"}
    files = {"file": "ab/abc.tif", "file_digest": "a" * 64}
    raw.insert("scenes", id=SCENE, created=1.5, name="Tal", **files, truth="", dem="", before="", **origin)
    raw.insert("series", id="6" * 32, created=1.5, name="Gauge", **files, **origin)
    failure = '{"what": "W", "why": "Y", "remedy": "", "detail": ""}'
    for run, status, said in ((DONE, "done", None), (LOST, "failed", failure)):
        raw.insert(
            "runs", id=run, task="mapping", kind="mapping", created=1.7e9, owner="me", scene_id=SCENE, scene="Tal",
            model="red", parameters='{"batch": 4}', seed=7, time_limit=60.0, scene_digest="b" * 64,
            weights_sha256="c" * 64, metrics='{"f1": 0.5}', notes='["Mind"]', provenance='{"p": 1}', result="{}",
        )  # fmt: skip
        raw.insert(
            "run_states", run_id=run, status=status, started=1.7e9, finished=1.7e9 + 60, heartbeat=None, server="s",
            worker="w", cancelling=False, done=3, total=3, words="Done", failure=said,
        )  # fmt: skip
    raw.insert("run_parents", run_id=LOST, position=0, parent_id=DONE)
    file = {"digest": "d" * 64, "file": "dd/d.tif", "size": 2**40, "media_type": "image/tiff"}
    raw.insert("artifacts", run_id=DONE, role="probability", **file)
    return raw


def test_an_older_database_is_brought_up_to_date_and_keeps_what_it_holds(first: Raw, tmp_path: Path) -> None:
    store = Store(tmp_path / "home", first.url)

    assert store.database.revision() == LATEST
    run, lost = store.run(DONE), store.run(LOST)
    assert (run.status, run.subject.name, run.model, run.parameters) == ("done", "Tal", "red", {"batch": 4})
    assert (run.seed, run.metrics, run.notes, run.owner) == (7, {"f1": 0.5}, ("Mind",), "me")
    assert [(one.role, one.size, one.derived) for one in run.artifacts] == [("probability", 2**40, False)]
    assert (run.name, run.note, run.tags, run.pinned) == ("", "", (), False)
    assert run.seconds == 60
    assert store.provenance(DONE) == {"p": 1}
    assert (lost.failure, lost.parents) == (Failure("W", "Y"), (DONE,))
    assert first.do("SELECT name, citation FROM datasets WHERE form = 'raster'") == [("Tal", "Us")]
    assert first.do("SELECT name FROM datasets WHERE form = 'table'") == [("Gauge",)]
    store.label(DONE, name="old", tags=["kept"])
    assert [run.id for run in store.runs()][0] in (DONE, LOST)
    assert store.delete(DONE) == 2
    store.database.close()


REFERENCE = {"name": "slides.gpkg", "sha256": "9" * 64}
SCENES: dict[str, tuple[tuple[str, str, str], dict[str, Any], tuple[Input, ...]]] = {
    "with a reference": (
        (SCENE, "Tal", "b" * 64), {"truth": REFERENCE, "p": 1},
        (Input("scene", SCENE, "Tal", "b" * 64), Input("reference", "", "slides.gpkg", "9" * 64)),
    ),
    "without one": ((SCENE, "Tal", "b" * 64), {"truth": None}, (Input("scene", SCENE, "Tal", "b" * 64),)),
    "not done": ((SCENE, "Tal", ""), {}, (Input("scene", SCENE, "Tal", ""),)),
    "of a scene that the store does not hold": (("", "Tal", "c" * 64), {}, (Input("scene", "", "Tal", "c" * 64),)),
    "of no scene": (("", "", ""), {"data": {"name": "patches"}}, ()),
    "with a reference of no digest": (("", "", ""), {"truth": {"name": "a"}}, (Input("reference", "", "a", ""),)),
}  # fmt: skip
"""Scene of a run of the second revision (id, name, digest), its record, and its inputs from the third on."""


@pytest.fixture
def second(empty_url: str) -> Raw:
    """A database of the second revision, with runs of scenes and without."""
    raw = Raw(empty_url)
    raw.to("0002")
    for number, ((scene_id, name, digest), record, _) in enumerate(SCENES.values(), start=1):
        run = f"{number:032x}"
        raw.insert(
            "runs", id=run, task="mapping", kind="mapping", created=1.7e9 + number, owner="me", scene_id=scene_id,
            scene=name, model="red", parameters="{}", seed=7, time_limit=60.0, scene_digest=digest, weights_sha256="",
            metrics="{}", notes="[]", provenance=json.dumps(record), result="{}",
        )  # fmt: skip
        raw.insert(
            "run_states", run_id=run, status="done", started=1.7e9, finished=1.7e9 + 60, heartbeat=None, server="s",
            worker="w", cancelling=False, done=3, total=3, words="", failure=None,
        )  # fmt: skip
        raw.insert("run_labels", run_id=run, name="", note="", pinned=False)
    return raw


def test_the_scene_and_the_reference_of_a_run_become_its_inputs(second: Raw, tmp_path: Path) -> None:
    store = Store(tmp_path / "home", second.url)

    for number, (case, (_, record, inputs)) in enumerate(SCENES.items(), start=1):
        run = store.run(f"{number:032x}")
        assert run.inputs == inputs, case
        assert store.provenance(run.id) == record, case
    assert store.count() == len(SCENES)
    assert store.count(RunFilter(dataset_id=SCENE)) == 3
    assert store.count(RunFilter(text="TAL")) == 4
    assert store.count(RunFilter(text="slides")) == 1
    store.delete(f"{1:032x}")
    assert second.do("SELECT count(*) FROM run_inputs WHERE run_id = :run", run=f"{1:032x}") == [(0,)]
    store.database.close()


def test_what_was_told_of_the_scene_beside_the_inputs_is_gone(second: Raw, tmp_path: Path) -> None:
    before = second.columns("runs")
    Store(tmp_path / "home", second.url).database.close()

    assert before - second.columns("runs") == {"scene_id", "scene", "scene_digest"}
    assert second.columns("runs") <= before
    assert second.indexes("run_inputs") == {("dataset_id",)}
    assert second.do("SELECT count(*) FROM run_inputs") == [(sum(len(inputs) for *_, inputs in SCENES.values()),)]


def test_the_tables_are_those_of_the_program(any_url: str, tmp_path: Path) -> None:
    Database(any_url, tmp_path / "lock").close()
    engine = create_engine(any_url.replace("postgresql://", "postgresql+pg8000://"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_an_update_that_fails_changes_nothing(first: Raw, tmp_path: Path) -> None:
    first.do("CREATE TABLE run_tags (mine INTEGER)")
    before = first.tables()

    with pytest.raises((StorageError, DBAPIError)):
        Store(tmp_path / "home", first.url)

    assert first.tables() == before
    assert first.do("SELECT version_num FROM alembic_version") == [("0001",)]
    first.do("DROP TABLE run_tags")
    Store(tmp_path / "home", first.url).database.close()
    assert first.do("SELECT version_num FROM alembic_version") == [(LATEST,)]


def test_a_database_of_a_newer_program_is_left_alone(any_url: str, tmp_path: Path) -> None:
    raw = Raw(any_url)
    raw.do("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StorageError, match=r"newer version of SlideLens \(revision 9999\).*Update SlideLens"):
        Store(tmp_path / "home", any_url)

    raw.do(f"UPDATE alembic_version SET version_num = '{LATEST}'")  # noqa: S608


def test_a_table_that_is_made_anew_keeps_what_refers_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepared_sqlite: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(prepared_sqlite, home)
    with opened(home) as store:
        identity = done(store, probability="p")
    scripts = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, scripts)
    (scripts / "versions" / "9000.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision, down_revision = '9000', '{LATEST}'\n"
        "def upgrade():\n"
        "    with op.batch_alter_table('runs', recreate='always') as table:\n"
        "        table.add_column(sa.Column('more', sa.Text))\n"
    )
    monkeypatch.setattr(module, "MIGRATIONS", scripts)
    monkeypatch.setattr(module, "LATEST", "9000")

    with opened(home) as store:
        assert store.database.revision() == "9000"
        run = store.run(identity)
        assert (run.status, len(run.artifacts)) == ("done", 1)
        # And from then on what refers to a run goes with it again.
        store.delete(identity)
    assert Raw(sqlite_url(home)).do("SELECT count(*) FROM artifacts") == [(0,)]


@contextmanager
def opened(home: Path) -> Iterator[Store]:
    store = Store(home)
    yield store
    store.database.close()


OPEN = """
import sys
from pathlib import Path
from core.runs.store import Store
print("ready", flush=True)
sys.stdin.readline()
store = Store(Path(sys.argv[1]), sys.argv[2])
print(store.database.revision(), store.count(), "alembic" in sys.modules)
"""


def test_processes_that_open_an_empty_database_at_once_make_it_once(
    empty_url: str, tmp_path: Path, repository: Path
) -> None:
    command = [sys.executable, "-c", OPEN]
    # Homes of their own: servers on several machines share no lock file.
    homes = [tmp_path / str(number % 2) if empty_url.startswith("postgresql") else tmp_path for number in range(3)]
    processes = [
        subprocess.Popen(
            [*command, str(home), empty_url], cwd=repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for home in homes
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    answers = [process.communicate(timeout=60)[0] for process in processes]
    assert {answer.rpartition(" ")[0] for answer in answers} == {f"{LATEST} 0"}


def test_threads_that_open_an_empty_database_at_once_make_it_once(empty_url: str, tmp_path: Path) -> None:
    barrier = threading.Barrier(6)

    def open_it(_: int) -> str:
        barrier.wait()
        database = Database(empty_url, tmp_path / "lock")
        revision = database.revision()
        database.close()
        return revision

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(open_it, range(6))) == [LATEST] * 6


def test_opening_a_database_that_is_up_to_date_loads_no_migrations(
    any_store: Store, any_url: str, repository: Path
) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", OPEN, str(any_store.home), any_url], cwd=repository, input="go\n",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert answer.stdout == f"ready\n{LATEST} 0 False\n"


# How SQLite is used


@pytest.fixture
def sqlite(tmp_path: Path, prepared_sqlite: Path) -> Iterator[Database]:
    shutil.copy(prepared_sqlite, tmp_path)
    database = Database(sqlite_url(tmp_path), tmp_path / "lock")
    yield database
    database.close()


def test_sqlite_logs_ahead_minds_references_and_waits(sqlite: Database) -> None:
    wanted = {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000}
    with sqlite.read() as session:
        assert {name: session.scalar(text(f"PRAGMA {name}")) for name in wanted} == wanted


def test_readers_wait_for_no_writer_and_see_what_was_there(sqlite: Database, tmp_path: Path) -> None:
    with sqlite.write() as session:
        session.execute(text("DELETE FROM datasets"))
        with sqlite.read() as other:
            assert other.scalar(text("SELECT count(*) FROM datasets")) == 0
            session.add(scene("a" * 32))
            session.flush()
            assert other.scalar(text("SELECT count(*) FROM datasets")) == 0
    with sqlite.read() as other:
        assert other.scalar(text("SELECT count(*) FROM datasets")) == 1


def scene(identity: str) -> DatasetRow:
    words = dict.fromkeys(("file_digest", "origin", "licence", "citation"), "")
    flags = {"companion": False, "synthetic": False}
    return DatasetRow(id=identity, created=1.0, form="raster", name="n", file="f", **flags, **words)


def count(database: Database) -> int:
    with database.read() as session:
        return session.query(DatasetRow).count()


def test_what_goes_wrong_in_the_middle_is_taken_back(any_store: Store) -> None:
    def write(session: Session) -> None:
        session.add(scene("a" * 32))
        session.flush()
        raise KeyError("in the middle")

    with pytest.raises(KeyError), any_store.database.write() as session:
        write(session)

    assert count(any_store.database) == 0
    with any_store.database.write() as session:
        session.add(scene("a" * 32))
    assert count(any_store.database) == 1


def test_faults_of_our_own_stay_bugs(any_store: Store) -> None:
    with pytest.raises(DBAPIError), any_store.database.read() as session:
        session.execute(text("SELECT nonsense FROM nowhere"))
    for _ in range(2):
        with pytest.raises(DBAPIError), any_store.database.write() as session:
            session.add_all([scene("a" * 32), scene("a" * 32)])
    assert count(any_store.database) == 0


def test_two_of_one_name_are_told_apart_from_a_database_that_is_gone(any_store: Store) -> None:
    with any_store.database.write() as session:
        session.add(scene("a" * 32))

    # Every driver has its own name for it; that it is no StorageError is what counts.
    with pytest.raises(DBAPIError) as caught, any_store.database.write() as session:
        session.add(scene("a" * 32))
    assert isinstance(caught.value, IntegrityError) or "23505" in str(caught.value.orig)


# When it is not there


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "slidelens.sqlite").write_text("Dear sir, this is a letter. " * 200)

    with pytest.raises(StorageError, match="could not be opened: file is not a database"):
        Store(tmp_path)


def test_a_damaged_database_is_said(tmp_path: Path, prepared_sqlite: Path) -> None:
    shutil.copy(prepared_sqlite, tmp_path)
    with opened(tmp_path) as store:
        done(store)
    path = tmp_path / "slidelens.sqlite"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(bytes(content))

    with pytest.raises(StorageError, match="malformed"), opened(tmp_path) as store:
        store.runs()


def test_a_folder_in_the_place_of_the_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "slidelens.sqlite").mkdir()

    with pytest.raises(StorageError, match="unable to open database file"):
        Store(tmp_path)


@pytest.mark.parametrize(
    "url",
    ["nonsense", "postgresql://me:secret@host:port/x", "sqlite+none:///x", "informix://me:secret@host/x"],
)
def test_an_address_that_is_none_is_said_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(StorageError, match="SLIDELENS_DATABASE_URL") as caught:
        Store(tmp_path / "home", url)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_said_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="could not be opened") as caught:
        Store(tmp_path / "home", "postgresql://me:secret@127.0.0.1:1/x")
    assert "secret" not in str(caught.value)


def test_when_all_connections_are_in_use_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepared_sqlite: Path
) -> None:
    shutil.copy(prepared_sqlite, tmp_path)
    monkeypatch.setattr(module, "WAIT", 0.05)
    database = Database(sqlite_url(tmp_path), tmp_path / "lock")
    held = [database._engine.connect() for _ in range(30)]

    with pytest.raises(StorageError, match="all connections are in use"), database.read() as session:
        session.execute(text("SELECT 1"))

    for connection in held:
        connection.close()
    assert count(database) == 0
    database.close()


def test_a_lock_that_nobody_lets_go_of_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.runs import files

    monkeypatch.setattr(files, "LONGEST_TURN", 0.05)
    with files.store_lock(tmp_path), pytest.raises(StorageError, match="does not respond"), files.store_lock(tmp_path):
        pass
    with files.store_lock(tmp_path):
        pass


def test_the_address_is_that_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIDELENS_DATABASE_URL", raising=False)
    assert database_url(tmp_path) == sqlite_url(tmp_path)
    monkeypatch.setenv("SLIDELENS_DATABASE_URL", " postgresql://host/name ")
    assert database_url(tmp_path) == "postgresql://host/name"


def test_what_is_stored_is_json_that_other_programs_read(tmp_path: Path, prepared_sqlite: Path) -> None:
    shutil.copy(prepared_sqlite, tmp_path)
    with opened(tmp_path) as store:
        store.order(ORDER)
    with closing(sqlite3.connect(tmp_path / "slidelens.sqlite")) as connection:
        [(parameters,)] = connection.execute("SELECT parameters FROM runs").fetchall()
    assert json.loads(parameters) == ORDER.parameters
