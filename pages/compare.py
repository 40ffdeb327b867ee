"""Two or more runs of one task: their numbers, what they were asked, and their maps over each other."""

import streamlit as st

from ui.feedback import empty, guard
from ui.messages import tr
from ui.runs import compare, compare_map

st.title(tr("Compare runs"))

compared = []
refused = True
with guard():
    compared = compare.asked()
    refused = False
if not compared:
    if not refused:
        empty(tr("No runs selected."), tr("Select two or more runs of one task on the Runs page."))
    st.page_link("../pages/runs.py", label=tr("All runs"))
    st.stop()

compare.introduce(compared)
st.page_link("../pages/runs.py", label=tr("All runs"))
with guard():
    compare.show_metrics(compared)
compare_map.show(compared)
with guard():
    compare.show_parameters(compared)
