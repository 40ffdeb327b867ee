"""One run for reading: what was found, how sure that is, and what it does not say. Nothing to choose."""

import streamlit as st

from core.errors import LandslideError
from ui.feedback import empty, guard, show_error
from ui.messages import tr
from ui.runs import reading

with guard():
    identity = st.query_params.get("run")
    try:
        run = reading.find(identity) if identity else None
    except LandslideError as error:
        # Without a run there is no heading either, and who followed a broken address needs a way on.
        st.title(tr("Reading view"))
        show_error(error)
        st.page_link("../pages/runs.py", label=tr("All runs"))
        st.stop()
    if run is not None:
        reading.show(run)
    else:
        st.title(tr("Reading view"))
        empty(tr("No run selected."), tr("Select a run on the Runs page and choose Reading view."))
        st.page_link("../pages/runs.py", label=tr("All runs"))
