"""Entry of the server: the pages, and the routes that the browser fetches beside them, on one port.

Start it with ``streamlit run app.py``.
"""

import sys
from pathlib import Path

import streamlit as st

from core.serve.routes import routes
from ui.feedback import report
from ui.page_switch import keep_pages_whole

# While a page runs, Streamlit puts the folder of its script at the head of the path of imports, and takes it away
# again. An import in another thread at that instant, of a tile or of a model, passes over a folder and finds nothing.
# What stands in the path already is left alone.
sys.path.append(str(Path(__file__).resolve().parent / "ui"))

keep_pages_whole()

app = st.App(
    "ui/main.py",
    routes=routes(st.get_option("server.baseUrlPath") or ""),
    on_script_error=report,  # for callbacks, which run outside the page and its guard
)
