"""The frame of every page: title, navigation, sidebar; runs the page that was chosen."""

from pathlib import Path

import streamlit as st

from ui import feedback, resources
from ui.task import jobs
from ui.task.task import task_pages

# An icon of our own: Streamlit would fetch the picture of a named icon from an outside host.
ICON = Path(__file__).parent / "static" / "icon.svg"

st.set_page_config(page_title="SlideLens", page_icon=ICON, layout="wide", initial_sidebar_state=220)

page = st.navigation(
    [
        st.Page("../pages/home.py", title="SlideLens", default=True),
        *(st.Page(page.page, title=page.task.title, url_path=name) for name, page in task_pages().items()),
        st.Page("../pages/runs.py", title="Runs", url_path="runs"),
        # Reached by links that say which runs are meant:
        st.Page("../pages/compare.py", title="Compare runs", url_path="compare", visibility="hidden"),
        st.Page("../pages/read.py", title="Reading view", url_path="read", visibility="hidden"),
    ]
)

# Streamlit leaves a hand's breadth around the page, which the map needs more.
st.html("<style>[data-testid='stMainBlockContainer'] { padding: 3rem clamp(1rem, 3vw, 2.5rem); }</style>")

with st.sidebar:
    jobs.sidebar()
    licence = f"[Source and licence]({resources.source_url()}): AGPL-3.0-or-later."
    st.caption(f"SlideLens is free software. {licence}")

with feedback.guard():
    page.run()

resources.warm_up()
