"""What all tests share: where the real data and the browser are, and a store that is never the user's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from core.runs.store import Store

REPOSITORY = Path(__file__).resolve().parents[1]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


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
