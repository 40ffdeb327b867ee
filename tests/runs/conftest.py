"""Networks here are so small that a second thread only gets in the way. And stores on either kind of database."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from core.runs.database import Database
from core.runs.store import Store
from tests.postgres import Server, clear, serving

KINDS = ("sqlite", "postgresql")


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sqlite_url(folder: Path) -> str:
    """Address of the database that a store in a folder has by default."""
    return f"sqlite:///{(folder / 'slidelens.sqlite').as_posix()}"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Return a PostgreSQL server, or skip with the reason."""
    try:
        with serving() as server:
            yield server
    except FileNotFoundError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def prepared_postgresql(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a database with all tables, which each test leaves empty."""
    name = f"slidelens_{secrets.token_hex(6)}"
    url = postgresql.make(name)
    Database(url, tmp_path_factory.mktemp("prepared") / "lock").close()
    yield url
    postgresql.drop(name)


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with all tables."""
    folder = tmp_path_factory.mktemp("prepared")
    Database(sqlite_url(folder), folder / "lock").close()
    return folder / "slidelens.sqlite"


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of a database of either kind without a table."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path)
        return
    server, name = request.getfixturevalue("postgresql"), f"slidelens_{secrets.token_hex(6)}"
    yield server.make(name)
    server.drop(name)


@pytest.fixture(params=KINDS)
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of a database of either kind that has all tables and nothing in them."""
    if request.param == "sqlite":
        home = tmp_path / "home"
        home.mkdir()
        shutil.copy(request.getfixturevalue("prepared_sqlite"), home)
        yield sqlite_url(home)
        return
    url = request.getfixturevalue("prepared_postgresql")
    yield url
    clear(url)


@pytest.fixture
def any_store(any_url: str, tmp_path: Path) -> Iterator[Store]:
    """Return an empty store with a database of either kind."""
    store = Store(tmp_path / "home", any_url)
    yield store
    store.database.close()


@pytest.fixture
def quick_store(tmp_path: Path, prepared_sqlite: Path) -> Iterator[Store]:
    """Return an empty store as it is by default, on SQLite."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(prepared_sqlite, home)
    store = Store(home)
    yield store
    store.database.close()
