"""The frame of every page: title, navigation, sidebar; runs the page that was chosen."""

from pathlib import Path

import streamlit as st

from ui import feedback, labels, messages, resources
from ui.messages import tr
from ui.task import jobs, kept
from ui.task.task import task_pages

# An icon of our own: Streamlit would fetch the picture of a named icon from an outside host.
STATIC = Path(__file__).parent / "static"
ICON = STATIC / "icon.svg"

st.set_page_config(page_title="SlideLens", page_icon=ICON, layout="wide", initial_sidebar_state=220)

listed = [
    st.Page("../pages/home.py", title=tr("SlideLens"), default=True),
    *(st.Page(page.page, title=tr(page.task.title), url_path=name) for name, page in task_pages().items()),
    st.Page("../pages/runs.py", title=tr("Runs"), url_path="runs"),
    st.Page("../pages/guide.py", title=tr("Guide"), url_path="guide"),
]
reached_by_links = [
    st.Page("../pages/compare.py", title=tr("Compare runs"), url_path="compare"),
    st.Page("../pages/read.py", title=tr("Reading view"), url_path="read"),
]
# Streamlit's own list of pages would lead to each as if it were opened for the first time; see `kept.links`.
page = st.navigation([*listed, *reached_by_links], position="hidden")
kept.begin(page.url_path)
labels.name_page(page.title)

st.html(STATIC / "page.css")

with st.sidebar:
    kept.links(listed, page)
    jobs.sidebar()
    source = resources.source_url()
    st.caption(
        tr("SlideLens is free software. [Source and licence]({address}): AGPL-3.0-or-later.").format(address=source)
        if source else tr("SlideLens is free software. [Licence]({address}): AGPL-3.0-or-later.").format(
            address=resources.LICENCE_URL
        )
    )
    messages.choose_language()
    st.html(f"<script>{(STATIC / 'page.js').read_text(encoding='utf-8')}</script>", unsafe_allow_javascript=True)

with feedback.guard():
    page.run()
kept.remember()

resources.warm_up()
