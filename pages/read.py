"""One run for reading: what was found, how sure that is, and what it does not say. Nothing to choose."""

import streamlit as st

from ui.feedback import empty, guard
from ui.runs import reading

with guard():
    identity = st.query_params.get("run")
    if identity:
        reading.show(identity)
    else:
        st.title("Reading view")
        empty("No run is named.", "Open a run from the list of runs and choose Read.")
        st.page_link("../pages/runs.py", label="All runs")
