"""What a worker of the cluster is asked to do: a function by its name, in the store of the server that asks."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.runs.store import Store

PERFORM = "core.jobs.perform:perform"
MODELS = "SLIDELENS_MODELS"


@dataclass(frozen=True)
class Call:
    """A function by its name and what it is given beside the store.

    Attributes
    ----------
    function
        ``"module:name"``; called as ``function(store, **arguments)``.
    arguments
        By name; they travel to another process, so they are plain values.
    """

    function: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Settings:
    """What a worker must know of the server's installation, because its own environment may differ.

    Attributes
    ----------
    home
        Folder of the store; on a cluster of several machines it is shared by them.
    database
        Address of the database, or empty for the one in the home folder.
    models
        ``SLIDELENS_MODELS`` of the server, or empty.
    """

    home: str
    database: str = field(default="", repr=False)  # holds a password, and Dask logs what it was given
    models: str = ""

    @classmethod
    def here(cls, store: Store) -> Settings:
        """Those of this process, for a store."""
        home = Path(store.home).absolute()
        return cls(str(home), store.url, os.environ.get(MODELS, ""))


def worker_name() -> str:
    """``host:pid`` of this process, recorded in the runs that it works on."""
    return f"{platform.node()}:{os.getpid()}"


def do(settings: Settings, call: Call) -> Any:  # noqa: ANN401  whatever the function returns
    """Do a call in this process, with the store and the models of the server that asks."""
    from core.runs.store import open_store

    module, _, name = call.function.partition(":")
    function = getattr(import_module(module), name)
    if settings.models:
        # A worker does one thing at a time, so its environment may follow whoever asks.
        os.environ[MODELS] = settings.models
    return function(open_store(Path(settings.home), settings.database), **call.arguments)


def perform_here(store: Store, run_id: str, server: str, function: str = PERFORM) -> None:
    """Perform a run under the name of this process."""
    module, _, name = function.partition(":")
    getattr(import_module(module), name)(store, run_id, worker=worker_name(), server=server)
