"""A page with nothing but a map and what changes it."""

import os
from dataclasses import asdict

import geopandas as gpd
import shapely
import streamlit as st

from ui import map_layers, maps
from ui.resources import store

st.set_page_config(layout="wide")
record = store().scene_record(os.environ["DEMO_SCENE"])
run = os.environ["DEMO_RUN"]
grid = record.scene.grid

threshold = st.slider("Threshold", 0.0, 1.0, 0.5, 0.05)
left, bottom, right, top = grid.bounds if grid.is_georeferenced else (0, 0, grid.width, grid.height)
step = (right - left) / 8
shapes = [
    shapely.box(left + step * n, bottom + step, left + step * n + step / 2, bottom + 3 * step) for n in (1, 3)
]
polygons = gpd.GeoDataFrame({"id": [7, 8]}, geometry=shapes, crs=grid.crs)
spec = maps.MapSpec(record.id, grid)
outlines = map_layers.found_outlines(polygons, {"Name": ["<b>one</b>", "two"], "Area": ["1 km²", "2 km²"]})
layers = maps.DynamicLayers(
    tiles=(
        map_layers.scene_tiles(record.id),
        map_layers.run_tiles(run, "probability", visible=False),
        map_layers.run_tiles(run, "mask", threshold=threshold),
    ),
    outlines=(outlines,),
    selected=st.session_state.get("selected"),
    marker=st.session_state.get("marker"),
)
event = maps.show_map(spec, layers, key="demo")
changed = (st.session_state.get("selected"), st.session_state.get("marker")) != (
    event.selected,
    event.clicked,
)
st.session_state["selected"], st.session_state["marker"] = event.selected, event.clicked
rowcol = None if event.clicked is None else list(grid.rowcol(*event.clicked))
st.json(asdict(event) | {"rowcol": rowcol, "threshold": threshold}, expanded=3)
if changed:
    st.rerun()

maps.show_swipe(
    spec, map_layers.scene_tiles(record.id), map_layers.run_tiles(run, "probability"), key="swipe"
)
