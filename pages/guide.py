"""Guide: a tour on the sample, exercises for a class, and the terms."""

import streamlit as st

from ui.feedback import guard
from ui.guide.show import show
from ui.messages import tr

st.title(tr("Guide"))
st.markdown(tr("Learn SlideLens on the sample, test yourself with exercises, and look up terms."))

with guard():
    show()
