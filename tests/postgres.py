"""A PostgreSQL of the tests' own: started where a package put its programs, and stopped afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text

GIVEN = "SLIDELENS_TEST_DATABASE_URL"
LOCALE = "--locale=C.UTF-8" if sys.platform == "linux" else "--locale=en_US.UTF-8"


def programs() -> Path | None:
    """Folder of ``initdb`` and ``pg_ctl``, the newest of several versions."""
    if sys.platform == "win32":
        return None  # a server there has to be given
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)]
    found += [Path(path).parent for path in [shutil.which("initdb")] if path]
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


@dataclass(frozen=True)
class Server:
    """A server, and the address of a database of it in which others may be made."""

    url: str
    folder: Path | None = None

    def make(self, name: str) -> str:
        """Make a database and return its address."""
        self._do(f'CREATE DATABASE "{name}"')
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._do(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def hang_up(self, name: str) -> None:
        """End all connections to a database."""
        self._do(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608

    def stop(self) -> None:
        """Stop at once, as in a crash."""
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = "-c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=200"
        self._control("start", "-l", str(self._data.parent / "log"), "-o", f"{settings} -k {self._data.parent}")

    @property
    def _data(self) -> Path:
        assert self.folder is not None, "the server is not the tests' own"
        return self.folder / "data"

    def _control(self, command: str, *options: str) -> None:
        _run("pg_ctl", command, "-w", "-t", "60", "-D", str(self._data), *options)

    def _do(self, statement: str) -> None:
        do(self.url, statement)


def do(url: str, statement: str) -> None:
    """Execute a statement, past everything of ours."""
    engine = create_engine(make_url(url).set(drivername="postgresql+pg8000"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def clear(url: str) -> None:
    """Empty all tables."""
    do(url, "TRUNCATE datasets, runs CASCADE")


@contextmanager
def serving() -> Iterator[Server]:
    """The server of ``SLIDELENS_TEST_DATABASE_URL``, else one of our own, on a socket that others cannot reach.

    Raises
    ------
    FileNotFoundError
        When there is neither.
    """
    if given := os.environ.get(GIVEN):
        yield Server(given)
        return
    if programs() is None:
        raise FileNotFoundError(f"no PostgreSQL is installed: install Debian's postgresql, or set {GIVEN}")
    folder = Path(tempfile.mkdtemp(prefix="slidelens-pg-"))
    server = Server(f"postgresql://tests@/postgres?unix_sock={folder}/.s.PGSQL.5432", folder)
    try:
        if account := _account():
            os.chown(folder, account.pw_uid, account.pw_gid)
        _run("initdb", "-D", str(folder / "data"), "-U", "tests", "-A", "trust", "-E", "UTF8", LOCALE, "-N")
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _account() -> Any:
    """Whom to run it as: PostgreSQL refuses to be run by root."""
    if os.getuid() != 0:
        return None
    import pwd

    known = {account.pw_name: account for account in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _run(program: str, *arguments: str) -> None:
    folder, account = programs(), _account()
    assert folder is not None
    other: dict[str, Any] = (
        {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account is not None else {}
    )
    # Not through a pipe: the server would hold it open for as long as it runs.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            [str(folder / program), *arguments], stdout=said, stderr=said, cwd="/", check=False, **other
        )
        if done.returncode:
            said.seek(0)
            raise RuntimeError(f"{program} failed: {said.read().decode(errors='replace')}")
