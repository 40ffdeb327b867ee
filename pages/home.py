"""What SlideLens is for and where to start."""

import streamlit as st

SAMPLE = {"sample": "valley-after"}

TASKS = (
    (
        "detection",
        "Detection",
        "**Where** are landslides, and how sure is that? A detector draws a box around each, fast over large areas. "
        "Move the confidence and see boxes, density and scores follow; see what was missed; put two detectors side by "
        "side.",
        "Detect in the sample valley",
    ),
    (
        "mapping",
        "Mapping",
        "**Which pixels** are landslide? A segmentation model outlines each. Move the threshold and see map, areas and "
        "scores follow; compare with an inventory or with the time before an event.",
        "Map the sample valley",
    ),
)

st.title("SlideLens")
st.markdown(
    "Find landslides in satellite and aerial imagery with deep learning, see them on a map, and ask the "
    "model **why** it says so."
)

for column, (name, title, text, button) in zip(st.columns(len(TASKS)), TASKS, strict=True):
    with column, st.container(border=True, height="stretch"):
        st.subheader(title, anchor=False)
        st.markdown(text)
        if st.button(button, type="primary", key=f"sample-{name}"):
            st.switch_page(f"../pages/{name}.py", query_params=SAMPLE)
        st.page_link(f"../pages/{name}.py", label="Use an image of your own or open data")

st.markdown(
    "Either way: a GeoTIFF, PNG or JPEG of any size is enough. Click a landslide to see what the model looked at, and "
    "take rasters, boxes, polygons, figures and a report away. Whatever is computed is kept with all that it came "
    "from; it goes on when the page is closed, and is compared and read by people who were not there."
)
st.page_link("../pages/runs.py", label="See what was computed here")
st.subheader("Before you rely on a map")
st.markdown(
    "Models are trained on few regions. A box or a map from a model is a hypothesis for a person to check: look at "
    "the scores, the known failures on the model's card, and the reasons, before deciding anything."
)
