"""What SlideLens is for, where to start, and what was computed last."""

import streamlit as st

from ui.runs import recent
from ui.task.task import task_pages

st.title("SlideLens")
st.markdown(
    "Find landslides in satellite and aerial imagery, map where they are likely, follow slopes that move; see why a "
    "model says so."
)

for column, page in zip(st.columns(len(task_pages())), task_pages().values(), strict=True):
    with column, st.container(border=True, height="stretch"):
        picture = page.card.picture
        if picture is not None:
            st.image(picture.path, picture.caption or None, alt=picture.text, width="stretch")
        st.subheader(page.task.title, anchor=False)
        st.container(height="stretch").markdown(page.card.text)  # so that the buttons of all cards are on one line
        if st.button(page.card.button, type="primary", key=f"sample-{page.name}"):
            st.switch_page(page.page, query_params=dict(page.card.address))
        st.page_link(page.page, label=page.card.other, query_params={"source": "upload"})

recent.show()
st.caption(
    "Models are trained on few regions: a map or a box is a hypothesis to check. Read the scores, the limits of the "
    "model and the reasons before you decide anything."
)
