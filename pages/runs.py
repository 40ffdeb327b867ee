"""Runs: everything that was computed, to find, open, compare, name and delete."""

import streamlit as st

from ui.feedback import guard
from ui.runs import browse, storage

st.title("Runs")
st.markdown("Everything that was computed here: find it, open it, compare it, keep it or delete it.")

with guard():
    browse.show()
with guard():
    storage.show()
