"""The reviewed inventory on the map, and what is said of the selected feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.feedback import plain
from ui.map_layers import Outlines
from ui.messages import tr, tr_noop
from ui.task.judged import fate
from ui.task.selection import around
from ui.task.view import single_area_text

if TYPE_CHECKING:
    from core.review.found import Opened
    from ui.task.reviewing import Reviewing
    from ui.task.selection import Extent

RELATIONS = {
    "split from": tr_noop("split from {names}"), "merged from": tr_noop("merged from {names}"),
    "merged with": tr_noop("merged with {names}"),
}  # fmt: skip
"""What a feature was made of, in words."""

SEVERAL = 0.1
"""Ground around several selected features on each side of the map, as a share of their extent."""

DRAWN, CHANGED = 2000, 1000
"""Features on the map: the first, and of the others those that were changed."""


def told(at: Reviewing) -> list[str] | None:
    """What is known of the selected feature, as Markdown; None where it is not in the inventory."""
    from core.review.geometry import feature_areas
    from core.review.state import STATUSES

    one = at.selected
    if one is None:
        return None
    grid = at.opened.found.grid
    (size,) = feature_areas([one], grid)
    words = [single_area_text(size, grid.in_metres), tr(STATUSES[one.status])]
    if (parts := len(getattr(one.outline, "geoms", ()))) > 1:
        words.append(tr("{parts:,} separate parts").format(parts=parts))
    how, names = one.relation
    if how:
        words.append(tr(RELATIONS[how]).format(names=names))
    for name, title in (("mean_probability", tr("mean probability")), ("score", tr("confidence"))):
        if one.values.get(name) is not None:
            words.append(f"{title} {one.values[name]:.2f}")
    if one.origin == "edited" and not one.values:
        words.append(
            tr("no probability, as it is a part of what was split") if how == "split from"
            else tr("no probability, as the outline was changed")
        )  # fmt: skip
    words += [plain(text) for text in (one.reason, one.note) if text]
    if one.reviewer:
        words.append(tr("reviewed by {name}").format(name=plain(one.reviewer)))
    return words


def absent(at: Reviewing) -> str:
    """Why what is selected is not in the inventory, as where it was merged into another."""
    became = fate(at.run, at.selection.current)
    absent = tr("not in the reviewed inventory")
    return f"{absent}: {became}" if became else absent


def layer(at: Reviewing) -> Outlines:
    """The reviewed inventory as it lies on the map."""
    names = list(at.review.features)
    current = at.selection.current
    beyond = current if current in names and names.index(current) >= DRAWN else None
    return _layer(at.run, at.review.number, repr(at.opened.view), beyond, at.opened)


def layer_of(opened: Opened) -> Outlines:
    """The same where nothing is selected, as in the reading view."""
    return _layer(opened.run.id, opened.review.number, repr(opened.view), None, opened)


def focus(at: Reviewing) -> Extent | None:
    """Extent to move the map to: that of the selected feature, or of all where several are selected in the table."""
    import geopandas

    grid, features = at.opened.found.grid, at.review.features
    crs = None if grid.crs is None else grid.crs.to_wkt()
    found = [features[name] for name in at.marked if name in features]
    shapes = geopandas.GeoDataFrame({"id": [x.id for x in found]}, geometry=[x.outline for x in found], crs=crs)
    if len(found) > 1 and at.selection.origin == "table":
        return around(shapes.total_bounds, SEVERAL)
    return at.selection.focus(shapes)


@st.cache_resource(max_entries=8, show_spinner=False)
def _layer(run: str, number: int, view: str, selected: str | None, _opened: Opened) -> Outlines:
    del run, number, view  # parts of the key
    import geopandas

    from core.plots.colours import NOT_KNOWN, Legend, LegendEntry
    from core.review.geometry import feature_areas
    from core.review.inventory import COLOURS
    from core.review.state import STATUSES
    from core.serve.coordinates import features

    grid, everything = _opened.found.grid, list(_opened.review.features.values())
    changed = [one for one in everything[DRAWN:] if one.reviewer][:CHANGED]
    chosen = [one for one in everything[DRAWN:] if one.id == selected and one not in changed]
    shown = [*everything[:DRAWN], *changed, *chosen]
    facts = {
        tr_noop("ID"): [one.id for one in shown],
        tr_noop("Status"): [STATUSES[one.status] for one in shown],
        tr_noop("Area"): [single_area_text(value, grid.in_metres) for value in feature_areas(shown, grid)],
    }
    crs = None if grid.crs is None else grid.crs.to_wkt()
    table = geopandas.GeoDataFrame({"id": [one.id for one in shown]}, geometry=[one.outline for one in shown], crs=crs)
    told, left_out = features(table, facts, colours=[COLOURS[one.status] for one in shown], most=len(shown) or 1)
    entries = tuple(LegendEntry(COLOURS[name], words, "line") for name, words in STATUSES.items())
    legend = Legend(tr_noop("Review"), entries)
    return Outlines(
        "review", tr_noop("Reviewed inventory"), told, NOT_KNOWN, selectable=True, legend=legend, weight=2.2, seam=True,
        left_out=left_out + len(everything) - len(shown),
    )  # fmt: skip
