"""What SlideLens is for, where to start, and what was computed last."""

import streamlit as st

from ui.messages import tr
from ui.runs import recent
from ui.task.task import task_pages

st.title(tr("SlideLens"))
st.markdown(tr(
    "Detect and map landslides in satellite and aerial images, map landslide susceptibility, forecast the displacement "
    "of monitored slopes, and see why a model gives its result."
))

with st.container(key="task-cards"):  # two beside each other on a tablet, see `ui/static/page.css`
    columns = st.columns(len(task_pages()))
for column, page in zip(columns, task_pages().values(), strict=True):
    with column, st.container(border=True, height="stretch"):
        picture = page.card.picture
        if picture is not None:
            st.image(picture.path, tr(picture.caption) or None, alt=tr(picture.text), width="stretch")
        st.subheader(tr(page.task.title), anchor=False)
        st.container(height="stretch").markdown(tr(page.card.text))  # so that the buttons of all cards are on one line
        if st.button(tr(page.card.button), type="primary", key=f"sample-{page.name}"):
            st.switch_page(page.page, query_params=dict(page.card.address))
        st.page_link(page.page, label=tr(page.card.other), query_params={"source": "upload"})

recent.show()
st.caption(tr(
    "Models are trained on data from a few regions: treat every map and detection as a hypothesis to verify. Check the "
    "scores, the limits of the model and the explanations before making decisions."
))
