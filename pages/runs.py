"""Runs: everything that was computed, to find, open, compare, name and delete; a batch by its address."""

import streamlit as st

from ui.feedback import guard
from ui.messages import tr
from ui.runs import batch, browse, storage

with guard():
    chosen = st.query_params.get("batch")
    if chosen:
        batch.show(chosen)
        st.stop()

st.title(tr("Runs"))
st.markdown(tr("Search all runs; open, compare, pin, export or delete them."))

with guard():
    batch.listed()
with guard():
    browse.show()
with guard():
    storage.show()
