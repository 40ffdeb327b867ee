"""What all visitors share: the store and the app's own address."""

from __future__ import annotations

import gc
import os
import secrets
import sys
import threading
import time
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from core.jobs.jobs import Jobs
    from core.runs.store import Store

WARM_UP_AFTER = 4.0
"""Seconds after the first page, which has the processor to itself until then."""

VISITOR = "visitor"

LICENCE_URL = "https://www.gnu.org/licenses/agpl-3.0.html"
"""The text of the licence, linked until the operator sets ``SLIDELENS_SOURCE_URL``."""


_IMPORTING = threading.RLock()


def _import_store() -> None:
    """Import what reads rasters and what keeps runs, in one thread at a time.

    Two threads that import parts of rasterio at once can each be given half of it: the thread that warms up and the
    first page that a visitor opens meanwhile.
    """
    with _IMPORTING:
        import rasterio


        del rasterio


def store() -> Store:
    """Scenes and runs of this installation."""
    _import_store()
    from core.runs.store import default_store

    return default_store()


def jobs() -> Jobs:
    """Where pages leave what takes longer than a blink.

    From the first call on, runs that wait are taken up and those that another server left behind are told of.
    """
    _import_store()
    from core.jobs.jobs import default_jobs

    return default_jobs()


def awake() -> bool:
    """Whether the store is at hand without importing it, which the first page does not wait for."""
    return "core.runs.store" in sys.modules


def visitor() -> str:
    """A random name for this browser session: queues are fair between visitors."""
    if VISITOR not in st.session_state:
        st.session_state[VISITOR] = secrets.token_hex(16)
    return str(st.session_state[VISITOR])


@st.cache_resource(show_spinner=False)
def warm_up() -> None:
    """Import in the background what the first map and the first run need, so that they do not wait for it.

    Started once a process, some seconds after a page was shown: the first page itself must not wait either.
    """

    def load() -> None:
        time.sleep(WARM_UP_AFTER)
        jobs()  # takes up what waits, also when nobody asks for more
        import leafmap.foliumap
        import onnxruntime
        import scipy.stats  # before torch: while it loads it asks torch for its types, which half a torch has not
        import torch

        del leafmap, onnxruntime, scipy, torch
        # What was imported stays for good: collections need not go through those half a million objects each time.
        gc.collect()
        gc.freeze()

    threading.Thread(target=load, name="warm-up", daemon=True).start()


def base_path() -> str:
    """Path of the app on its origin: empty, or ``server.baseUrlPath`` with a slash before it only."""
    inner = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{inner}" if inner else ""


def source_url() -> str:
    """Address of the source code of this installation, which the AGPL asks to offer to every visitor.

    Empty where the operator gave none.
    """
    given = os.environ.get("SLIDELENS_SOURCE_URL", "").strip()
    return given if given.startswith(("https://", "http://")) else ""
