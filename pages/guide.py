"""Guide: a tour on the sample, exercises for a class, and the terms."""

import streamlit as st

from ui.feedback import guard
from ui.guide.show import show

st.title("Guide")
st.markdown("Learn the tool on the sample, check yourself, and look up terms.")

with guard():
    show()
