"""What SlideLens is for and where to start."""

import streamlit as st

from ui.task.task import task_pages

st.title("SlideLens")
st.markdown(
    "Find landslides in satellite and aerial imagery with deep learning, see them on a map, and see **why** the model "
    "flagged a place."
)

for column, page in zip(st.columns(len(task_pages())), task_pages().values(), strict=True):
    with column, st.container(border=True, height="stretch"):
        st.subheader(page.task.title, anchor=False)
        st.markdown(page.card.text)
        if st.button(page.card.button, type="primary", key=f"sample-{page.name}"):
            st.switch_page(page.page, query_params=dict(page.card.address))
        st.page_link(page.page, label=page.card.other)

st.markdown(
    "A GeoTIFF, PNG or JPEG of any size is enough. Click a landslide to see what the model reacted to, and export "
    "rasters, boxes, polygons, figures and a report. Results are saved with their inputs and settings. Processing "
    "continues if you close the page; share a result by its link."
)
st.page_link("../pages/runs.py", label="View all runs")
st.subheader("Before you rely on a map")
st.markdown(
    "Models are trained on few regions. A box or a map from a model is a hypothesis for a person to check: look at "
    "the scores, the known failures on the model's card, and the reasons, before deciding anything."
)
