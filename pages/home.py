"""What SlideLens is for and where to start."""

import streamlit as st

st.title("SlideLens")
st.markdown(
    "Find landslides in satellite and aerial imagery with deep learning, see them on a map, and ask the "
    "model **why** it says so."
)

if st.button("Start with the sample valley", type="primary"):
    st.switch_page("../pages/mapping.py", query_params={"sample": "valley-after"})
st.page_link("../pages/mapping.py", label="Use an image of your own or open data")

st.subheader("What works today")
st.markdown(
    "- **Mapping**: which pixels are landslide? Run a trained segmentation model on a GeoTIFF, PNG or "
    "JPEG; move the threshold and see map, areas and scores follow; compare with an inventory or with the "
    "time before an event; click a landslide to see what the model looked at; take rasters, polygons and "
    "figures away.\n"
    "- **Runs**: whatever is computed is kept with all that it came from. It goes on when the page is closed, opens "
    "by its address in any browser, and is compared, reported and read by people who were not there."
)
st.page_link("../pages/runs.py", label="See what was computed here")
st.subheader("Before you rely on a map")
st.markdown(
    "Models are trained on few regions. A map from a model is a hypothesis for a person to check: look at "
    "the scores, the known failures on the model's card, and the reasons, before deciding anything."
)
