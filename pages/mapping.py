"""Landslide mapping: choose a scene, run a model, look at what it found and why."""

import streamlit as st

from ui import resources
from ui.feedback import empty, guard
from ui.map_layers import scene_tiles
from ui.mapping import ask, choose, opened, other, results, run
from ui.maps import DynamicLayers, MapSpec, drawn_on, show_map

st.title("Landslide mapping")
st.markdown("Which pixels of this scene are landslide, and why does the model say so?")

left, right = st.columns([1, 3], gap="medium")
asked = None
record = None
request = None
drawn = None
again = None

with left, guard():
    asked = opened.asked()
    record = opened.scene(asked)

with left:
    with st.expander("Scene", expanded=record is None and asked is None), guard():
        choose.choose()
    if record is not None:
        with guard():
            choose.describe(record)
            drawn = drawn_on(MapSpec(record.id, record.scene.grid), key=results.map_key(record))
            like = ask.like()
            model = ask.choose_model(record.scene, like)
            if model is not None:
                again = None if drawn else ask.same_area(record, like)
                request = ask.ask(record.scene, model, like)
                ask.show_limits(model)

with right:
    if request is not None:
        with guard():
            choose.show(scene=record.id, run=run.submit(record, request, drawn or again))
    if asked is not None and not opened.is_map(asked):
        with guard():
            other.show(asked)
        st.stop()
    if asked is not None and record is None:
        with guard():
            opened.show_without_image(asked)
        st.stop()
    if record is None:
        if empty(
            "No scene yet.",
            "Choose a sample, open data or an image of your own on the left. The sample is a synthetic mountain valley "
            "before and after an event, with its true landslides.",
            action="Start with the sample valley",
            key="start-sample",
        ):
            with guard():
                choose.use(choose.open_sample("valley-after"))
        st.stop()
    with guard():
        if asked is not None and run.show_state(asked):
            results.show(record, resources.store().mapping(asked.id))
        else:
            image = DynamicLayers((scene_tiles(record.id, version=record.scene.digest),))
            event = show_map(MapSpec(record.id, record.scene.grid), image, key=results.map_key(record))
            if asked is None or not asked.active:
                run.tell_area(event, again=again is not None)
