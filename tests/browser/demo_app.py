"""Server of the demo page that drives the map in a real browser, with the app's own routes."""

import streamlit as st

from core.serve.routes import routes

app = st.App("demo_page.py", routes=routes(st.get_option("server.baseUrlPath") or ""))
