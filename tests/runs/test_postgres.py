"""What only a database server does: hang up, stop, refuse. The store's other behaviour is proved on both kinds."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pg8000.dbapi
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.dialects.postgresql.pg8000 import PGDialect_pg8000

from core.errors import StorageError
from core.jobs import perform as module
from core.jobs.perform import Job, perform
from core.runs import database
from core.runs.postgresql import Dialect
from core.runs.store import Store
from tests.jobs.plain import ORDER, Plain, done, kept_files, written
from tests.postgres import Server, do


@pytest.fixture
def url(postgresql: Server) -> Iterator[str]:
    """Return the address of an empty database."""
    name = f"slidelens_{secrets.token_hex(6)}"
    yield postgresql.make(name)
    postgresql.drop(name)


@pytest.fixture
def served(url: str, tmp_path: Path) -> Iterator[Store]:
    """Return an empty store on the server."""
    store = Store(tmp_path / "home", url)
    yield store
    store.database.close()


def name_of(url: str) -> str:
    return str(make_url(url).database)


@pytest.fixture
def own(postgresql: Server) -> Server:
    """Return the server when it may be stopped."""
    if postgresql.folder is None:
        pytest.skip("the server was given, and is not the tests' to stop")
    return postgresql


def test_both_names_of_the_kind_are_taken(url: str, tmp_path: Path) -> None:
    assert url.startswith("postgresql://")
    Store(tmp_path / "home", url.replace("postgresql://", "postgres://")).database.close()


def test_a_server_that_hung_up_is_called_again(served: Store, postgresql: Server, url: str) -> None:
    identity = served.order(ORDER)
    postgresql.hang_up(name_of(url))

    assert served.run(identity).status == "queued"
    postgresql.hang_up(name_of(url))
    assert served.claim(identity, server="s", worker="w")


def test_a_server_that_hangs_up_in_the_middle_is_said_and_nothing_is_half_written(
    served: Store, postgresql: Server, url: str
) -> None:
    def write() -> None:
        with served.database.write() as session:
            session.execute(text("DELETE FROM runs"))
            postgresql.hang_up(name_of(url))
            session.execute(text("DELETE FROM datasets"))

    identity = done(served)

    with pytest.raises(StorageError, match="could not be written"):
        write()

    assert served.run(identity).status == "done"


def test_a_server_that_stopped_is_said_and_serves_again_when_it_is_back(
    served: Store, own: Server, url: str
) -> None:
    identity = done(served, probability="p")
    own.stop()
    try:
        with pytest.raises(StorageError, match="The database could not be read"):
            served.run(identity)
        with pytest.raises(StorageError, match="The database could not be written"):
            served.order(ORDER)
        with pytest.raises(StorageError, match="could not be opened"):
            Store(served.home, url)
    finally:
        own.start()

    assert served.run(identity).status == "done"
    assert served.count() == 1


def test_a_run_outlives_a_restart_of_the_server(
    served: Store, own: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TICK", 0.02)
    monkeypatch.setattr(module, "HEARTBEAT_EVERY", 0.02)
    monkeypatch.setattr(module, "PATIENCE", (0.5,) * 60)
    identity = served.order(ORDER)
    restart: list[threading.Thread] = []

    def work(job: Job, request: Any) -> Plain:
        del request
        result = written(job.store, job.run.id, probability="p")
        own.stop()
        time.sleep(0.1)  # the pulse misses some beats
        restart.append(threading.Timer(0.5, own.start))
        restart[0].start()
        return result  # and the result comes while nobody is there to take it

    perform(served, identity, work=work)
    restart[0].join()

    assert served.run(identity).status == "done"
    assert kept_files(served) == ["p"]


def test_a_server_that_does_not_answer_is_waited_for_no_longer_than_for_a_writer(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(StorageError, match="could not be opened"):
        Store(tmp_path / "home", f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/x")
    store = Store(tmp_path / "home", url)

    with pytest.raises(StorageError, match="The database could not be read"), store.database.read() as session:
        session.execute(text("SELECT pg_sleep(20)"))

    assert store.count() == 0
    store.database.close()


def test_a_database_that_may_only_be_read_is_said(served: Store, url: str) -> None:
    identity = done(served)
    do(url, f'ALTER DATABASE "{name_of(url)}" SET default_transaction_read_only = on')
    served.database.close()

    with pytest.raises(StorageError, match="read-only transaction"):
        served.order(ORDER)
    assert served.run(identity).status == "done"


def test_a_database_that_is_not_there_is_said(url: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match='database "nowhere" does not exist'):
        Store(tmp_path / "home", make_url(url).set(database="nowhere").render_as_string(hide_password=False))


def test_somebody_who_may_make_no_tables_is_told(url: str, tmp_path: Path) -> None:
    role = f"guest_{secrets.token_hex(4)}"
    do(url, f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
    do(url, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    address = make_url(url).set(username=role, password="secret")  # noqa: S106

    with pytest.raises(StorageError, match="permission denied for schema public") as caught:
        Store(tmp_path / "home", address.render_as_string(hide_password=False))

    assert "secret" not in str(caught.value)
    do(url, f"DROP ROLE {role}")


def test_two_that_wait_for_each_other_are_told(served: Store) -> None:
    first, second = done(served), done(served)
    barrier, refused = threading.Barrier(2), []

    def hold(one: str, other: str) -> None:
        statement = "UPDATE run_labels SET note = 'x' WHERE run_id = '{}'"
        try:
            with served.database.write() as session:
                session.execute(text(statement.format(one)))
                barrier.wait()
                session.execute(text(statement.format(other)))
        except StorageError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=hold, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 1
    assert "deadlock detected" in refused[0]


def test_taking_leave_of_a_server_does_not_hide_its_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    dialect = Dialect()
    dialect.dbapi = pg8000.dbapi

    def refused(self: Dialect, *_: object, **__: object) -> None:
        """Fail as the driver does: what it raises as it takes leave hides what the server said."""
        try:
            raise pg8000.dbapi.DatabaseError("too many connections")
        except pg8000.dbapi.DatabaseError:
            try:
                raise BrokenPipeError
            except OSError as error:
                raise pg8000.dbapi.InterfaceError("network error") from error

    monkeypatch.setattr(PGDialect_pg8000, "connect", refused)

    with pytest.raises(pg8000.dbapi.DatabaseError, match="too many connections"):
        dialect.connect()
