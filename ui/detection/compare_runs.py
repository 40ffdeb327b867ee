"""Two detections over each other: which boxes both found, and which only one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.plots.colours import FOUND, ONE_MODEL, OTHER_MODEL, REFERENCE
from ui.detection import layers
from ui.detection.view import found
from ui.map_layers import Outlines
from ui.maps import DynamicLayers, show_map
from ui.messages import tr, tr_noop
from ui.runs.compare import Compared
from ui.runs.compare_map import AROUND, caption_of, drawn_areas, image_below, map_spec

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.tasks.detection.agreement import Shared

KEY = "boxes-beside"


def show(first: Compared, second: Compared) -> None:
    """The boxes of two detections, each at its model's own confidence."""
    shared = _shared(first.run.id, second.run.id, first, second)
    over = [
        *drawn_areas(first, second),
        *_reference(shared),
        _layer("both", "Found by both", shared.both, FOUND),
        _layer("first", f"Only {first.letter}", shared.only_first, ONE_MODEL),
        _layer("second", f"Only {second.letter}", shared.only_second, OTHER_MODEL, dashed=True),
    ]
    shows = DynamicLayers(image_below(first, second), tuple(over), caption=caption_of(first, second))
    show_map(map_spec(first, second), shows, key=f"{KEY}-{first.run.id}-{second.run.id}", around=AROUND)
    _numbers(first, second, shared)
    if max(shared.first.count, shared.second.count) > layers.HELD:
        st.caption(tr("The map shows the {held:,} detections of highest confidence for each colour; the numbers "
                   "count all.").format(held=layers.HELD))


@st.cache_resource(max_entries=8, show_spinner="Matching detections")
def _shared(first: str, second: str, _first: Compared, _second: Compared) -> Shared:
    del first, second  # the key
    from core.tasks.detection.agreement import shared
    from core.tasks.detection.findings import default_choice

    one, other = (found(each.run.id, default_choice(each.result), each.result) for each in (_first, _second))
    return shared(one, other)


def _layer(identity: str, name: str, table: GeoDataFrame, colour: str, *, dashed: bool = False) -> Outlines:
    from core.serve.coordinates import features

    collection, left_out = features(table, layers.facts(table), most=layers.HELD)
    return Outlines(
        identity, f"{name} ({len(table):,})", collection, colour, dashed=dashed, left_out=left_out, weight=2.0,
        seam=True, most=layers.DRAWN,
    )  # fmt: skip


def _reference(shared: Shared) -> list[Outlines]:
    """Boxes of the reference of one of them, hidden at first."""
    from core.serve.coordinates import features

    known = next((one for one in (shared.second, shared.first) if one.reference_boxes is not None), None)
    if known is None:
        return []
    collection, left_out = features(known.reference, {}, most=layers.HELD)
    name = tr_noop("Reference (boxes)")
    return [Outlines("reference", name, collection, REFERENCE, dashed=True, visible=False, left_out=left_out)]


def _numbers(first: Compared, second: Compared, shared: Shared) -> None:
    """How many of each, and with a reference how many of them are right."""
    import pandas

    from core.tasks.detection.agreement import SAME
    from core.tasks.detection.findings import FALSE_ALARM, TRUE

    parts = {
        tr("Found by both, {letter} and {letter_2}").format(letter=first.letter, letter_2=second.letter): shared.both,
        tr("Only {letter}").format(letter=first.letter): shared.only_first,
        tr("Only {letter}").format(letter=second.letter): shared.only_second,
    }
    rows = []
    for table in parts.values():
        row = {tr("Detections"): f"{len(table):,}"}
        if "outcome" in table:
            right, false = (int((table["outcome"] == outcome).sum()) for outcome in (TRUE, FALSE_ALARM))
            row |= {tr("Correct"): f"{right:,}", tr("False alarms"): f"{false:,}"}
        rows.append(row)
    frame = pandas.DataFrame(rows, index=list(parts)).fillna("–")
    st.table(frame, border="horizontal", width="content")
    if shared.beyond:
        st.caption(
            tr("{beyond:,} more detections lie where the other run has no data or did not search: they cannot "
            "be compared and are not counted.").format(beyond=shared.beyond)
        )
    st.caption(
        tr(
            "Detections match from an overlap (IoU) of {same:g}; matches are drawn as in {letter}. Each run is "
            "shown at its model's own confidence threshold and NMS IoU, with boxes of any size."
        ).format(same=SAME, letter=first.letter)
    )
