"""The frame of every page: title, navigation, sidebar; runs the page that was chosen."""

from pathlib import Path

import streamlit as st

from ui import feedback, labels, messages, resources
from ui.task import jobs, kept
from ui.task.task import task_pages

# An icon of our own: Streamlit would fetch the picture of a named icon from an outside host.
STATIC = Path(__file__).parent / "static"
ICON = STATIC / "icon.svg"

st.set_page_config(page_title="SlideLens", page_icon=ICON, layout="wide", initial_sidebar_state=220)

listed = [
    st.Page("../pages/home.py", title="SlideLens", default=True),
    *(st.Page(page.page, title=page.task.title, url_path=name) for name, page in task_pages().items()),
    st.Page("../pages/runs.py", title="Runs", url_path="runs"),
    st.Page("../pages/guide.py", title="Guide", url_path="guide"),
]
reached_by_links = [
    st.Page("../pages/compare.py", title="Compare runs", url_path="compare"),
    st.Page("../pages/read.py", title="Reading view", url_path="read"),
]
# Streamlit's own list of pages would lead to each as if it were opened for the first time; see `kept.links`.
page = st.navigation([*listed, *reached_by_links], position="hidden")
kept.begin(page.url_path)
labels.name_page(page.title)

st.html(STATIC / "page.css")

with st.sidebar:
    kept.links(listed, page)
    jobs.sidebar()
    licence = f"[Source and licence]({resources.source_url()}): AGPL-3.0-or-later."
    st.caption(f"SlideLens is free software. {licence}")
    messages.choose_language()
    st.html(f"<script>{(STATIC / 'page.js').read_text(encoding='utf-8')}</script>", unsafe_allow_javascript=True)

with feedback.guard():
    page.run()
kept.remember()

resources.warm_up()
