"""What all tests share: where the real data and the browser are, and stores that are never the user's."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from core.runs.store import Store
    from tests.postgres import Server

REPOSITORY = Path(__file__).resolve().parents[1]
KINDS = ("sqlite", "postgresql")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


LONG_FIRST = ("test_mapping", "test_page_switch", "test_first_run", "test_jobs", "test_cluster", "test_runs")
"""Files of the browser's and the workers' tests that take longest: begun last, one would run beside nothing."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    places = {name: place for place, name in enumerate(LONG_FIRST)}
    apart = ("browser", "jobs")
    items.sort(key=lambda one: places.get(one.path.stem, len(places)) if one.path.parent.name in apart else len(places))


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the folder of the checkout."""
    return REPOSITORY


def find_shared() -> Path | None:
    """Return the folder with the real data: ``SLIDELENS_SHARED``, else ``shared`` beside the checkout."""
    named = os.environ.get("SLIDELENS_SHARED")
    folder = Path(named) if named else REPOSITORY.parent / "shared"
    return folder if (folder / "data").is_dir() else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data sets, or skip with the reason."""
    shared = find_shared()
    if shared is None:
        pytest.skip("the real data are not here: set SLIDELENS_SHARED to the folder that holds data/")
    return shared / "data"


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of an installed Chromium or Chrome, or skip with the reason."""
    named = os.environ.get("SLIDELENS_CHROMIUM")
    found = named or next((path for path in map(shutil.which, CHROMIUM_NAMES) if path), None)
    if found is None:
        pytest.skip("no Chromium is installed: install one, or set SLIDELENS_CHROMIUM to its path")
    return found


@pytest.fixture(autouse=True, scope="session")
def _home_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests out of the store of whoever runs them, and off every network service."""
    settings = {
        "SLIDELENS_HOME": str(tmp_path_factory.mktemp("home")),
        "HF_HUB_OFFLINE": "1",
        "YOLO_OFFLINE": "true",
        "MPLBACKEND": "Agg",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, in which the models are looked for."""
    monkeypatch.setenv("SLIDELENS_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return an empty store, which is the default one."""
    from core.runs.store import default_store

    monkeypatch.setenv("SLIDELENS_HOME", str(tmp_path / "home"))
    return default_store()


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Networks here are so small that a second thread only gets in the way."""
    import torch

    torch.set_num_threads(1)


def sqlite_url(folder: Path) -> str:
    """Address of the database that a store in a folder has by default."""
    return f"sqlite:///{(folder / 'slidelens.sqlite').as_posix()}"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Return a PostgreSQL server, or skip with the reason."""
    from tests.postgres import serving

    try:
        with serving() as server:
            yield server
    except FileNotFoundError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def prepared_postgresql(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a database with all tables, which each test leaves empty."""
    from core.runs.database import Database

    name = f"slidelens_{secrets.token_hex(6)}"
    url = postgresql.make(name)
    Database(url, tmp_path_factory.mktemp("prepared") / "lock").close()
    yield url
    postgresql.drop(name)


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with all tables."""
    from core.runs.database import Database

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
    from tests.postgres import clear

    url = request.getfixturevalue("prepared_postgresql")
    yield url
    clear(url)


@pytest.fixture
def any_store(any_url: str, tmp_path: Path) -> Iterator[Store]:
    """Return an empty store with a database of either kind."""
    from core.runs.store import Store

    store = Store(tmp_path / "home", any_url)
    yield store
    store.database.close()


@pytest.fixture
def quick_store(tmp_path: Path, prepared_sqlite: Path) -> Iterator[Store]:
    """Return an empty store as it is by default, on SQLite."""
    from core.runs.store import Store

    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(prepared_sqlite, home)
    store = Store(home)
    yield store
    store.database.close()
