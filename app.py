"""Entry of the server: the pages, and the routes that the browser fetches beside them, on one port.

Start it with ``streamlit run app.py``.
"""

import streamlit as st

from core.serve.routes import routes
from ui.feedback import report
from ui.page_switch import keep_pages_whole

keep_pages_whole()

app = st.App(
    "ui/main.py",
    routes=routes(st.get_option("server.baseUrlPath") or ""),
    on_script_error=report,  # for callbacks, which run outside the page and its guard
)
