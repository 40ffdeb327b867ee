"""Entry of the server: the pages, and the routes that the browser fetches beside them, on one port.

Start it with ``streamlit run app.py``.
"""

import sys
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit import net_util

from core.cli.terminal import printable_logs
from core.runs.kinds import tasks
from core.serve.guard import Guard
from core.serve.routes import routes
from ui.feedback import report
from ui.page_switch import keep_pages_whole

# While a page runs, Streamlit puts the folder of its script at the head of the path of imports, and takes it away
# again. An import in another thread at that instant, of a tile or of a model, passes over a folder and finds nothing.
# What stands in the path already is left alone.
sys.path.append(str(Path(__file__).resolve().parent / "ui"))

keep_pages_whole()
printable_logs()

# Streamlit would ask an outside host for the address of this machine whenever a page of another origin calls.
net_util.get_external_ip = lambda: None

base = st.get_option("server.baseUrlPath") or ""


def pages() -> set[str]:
    """Paths of the app's pages, and of what browsers fetch as pages beside them."""
    return {"", "runs", "compare", "read", "guide", *tasks()}


app = st.App(
    "ui/main.py",
    routes=routes(base),
    middleware=[Middleware(Guard, names=st.get_option("server.allowedHosts"), pages=pages, base=base)],
    on_script_error=report,  # for callbacks, which run outside the page and its guard
)
