"""Runs: everything that was computed, to find, open, compare, name and delete."""

import streamlit as st

from ui.feedback import guard
from ui.runs import browse, storage

st.title("Runs")
st.markdown("Search, open, compare, pin, export and delete all runs.")

with guard():
    browse.show()
with guard():
    storage.show()
