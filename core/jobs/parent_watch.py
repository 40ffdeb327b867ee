"""Ties a process of the cluster to the server that started it: when the server is gone, however it went, so is this.

Every process of the local cluster loads this module first (``--preload``). It does something only where the server
left its identity in the environment. Nothing depends on a farewell of the server, which ``kill -9`` does not give.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

from core.runs import processes

SERVER = "SLIDELENS_LEASH"
"""Environment variable with the identity of the server, as `core.runs.provenance.this_process` gives it."""

FOLDER = "SLIDELENS_LEASH_FOLDER"
"""Environment variable with the private folder of the cluster, which is removed at the end."""

EVERY = 0.5
"""Seconds between two looks at the server."""

_HELD = threading.Event()


def hold() -> None:
    """Watch the server of the environment from now on; does nothing the second time, or where there is none."""
    server = os.environ.get(SERVER)
    if not server or _HELD.is_set():
        return
    _HELD.set()
    if multiprocessing.parent_process() is not None:
        _offer_to_the_system()
    threading.Thread(target=_watch, args=(server,), name="leash", daemon=True).start()


def _watch(server: str) -> None:
    # From here on the process object knows its own by a clock that nobody sets.
    process = processes.find(server)
    while process is not None and processes.runs(process):
        time.sleep(EVERY)
    if multiprocessing.parent_process() is not None:
        # The nanny ends its worker; were the worker first, the nanny would start another one.
        time.sleep(2 * EVERY)
    _end()


def _end() -> None:
    for child in psutil.Process().children(recursive=True):
        # A worker deep in foreign code does not hear its own leash.
        with suppress(psutil.NoSuchProcess):
            child.kill()
    folder = os.environ.get(FOLDER)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _offer_to_the_system() -> None:
    """On Linux, when memory runs out, let the system end a worker sooner than the server of the pages."""
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        with suppress(OSError):
            score.write_text("500", encoding="ascii")


hold()
