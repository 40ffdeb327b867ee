"""A page with nothing but a map and what changes it."""

import json
import os
from dataclasses import asdict

import geopandas as gpd
import shapely
import streamlit as st

from ui import map_drawing, map_layers, maps
from ui.resources import store

st.set_page_config(layout="wide")
record = store().scene_record(os.environ["DEMO_SCENE"])
run = os.environ["DEMO_RUN"]
grid = record.scene.grid

left, bottom, right, top = grid.bounds
step = (right - left) / 8
boxes = [
    shapely.box(left + step * n, bottom + step, left + step * (n + 0.5), bottom + 3 * step) for n in (1, 3)
]
polygons = gpd.GeoDataFrame({"id": [7, 8]}, geometry=boxes, crs=grid.crs)
facts = {"Name": ["<b>one</b>", "two"]}

spec = maps.MapSpec(record.id, grid)
st.button("Use the visible part", on_click=map_drawing.draw_visible, args=(spec,), kwargs={"key": "demo"})
threshold = st.slider("Threshold", 0.0, 1.0, 0.5, 0.05)
layers = maps.DynamicLayers(
    tiles=(
        map_layers.scene_tiles(record.id),
        map_layers.run_tiles(run, "probability", visible=False),
        map_layers.run_tiles(run, "mask", threshold=threshold),
    ),
    outlines=(map_layers.found_outlines(polygons, facts),),
    selected=st.session_state.get("selected", ()),
    marker=st.session_state.get("marker"),
)
event = maps.show_map(spec, layers, key="demo")
rowcol = None if event.clicked is None else list(grid.rowcol(*event.clicked))
st.code(
    json.dumps(asdict(event) | {"rowcol": rowcol, "threshold": threshold, "shown": next(iter(layers.selected), None)}),
    language=None,
)
selected = () if event.selected is None else (event.selected,)
if (layers.selected, layers.marker) != (selected, event.clicked):
    st.session_state["selected"], st.session_state["marker"] = selected, event.clicked
    st.rerun()

image, probability = map_layers.scene_tiles(record.id), map_layers.run_tiles(run, "probability")
maps.show_swipe(spec, image, probability, key="swipe")
