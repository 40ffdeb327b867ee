"""The one thing that is chosen of a run: on the map, in a table or in a chart, whichever came last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import streamlit as st

from ui.messages import tr, tr_noop
from ui.state import Slot

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.raster.grid import Grid
    from ui.maps import MapEvent, Point

Extent = tuple[float, float, float, float]

Name = str
"""What a landslide or a box is called: its id, made from its place, which the sliders do not change."""

Origin = Literal["map", "table", "chart"]
"""Where something was chosen."""


ADDRESS, PLACE = "selected", "at"
"""Query parameters that name what is chosen, and the place that was clicked: x and y in the scene's CRS, or column and
row."""

LONGEST = 100
"""Characters of a name that is taken from an address."""

ARRIVALS: Slot[int] = Slot("arrivals", 0)
"""How often an address has led this visitor to another page, run or explanation; see `ui.task.kept.begin`."""


@dataclass(frozen=True)
class Selection:
    """What is chosen of a run, by its name; it lives in the visitor's session.

    Parameters
    ----------
    run
        Id of the run.
    """

    run: str

    @property
    def key(self) -> str:
        """Where the name is kept."""
        return f"selected-{self.run}"

    @property
    def current(self) -> Name | None:
        """Name of what is chosen; None for nothing."""
        return st.session_state.get(self.key)

    @property
    def place(self) -> Point | None:
        """Where the map was clicked; None once something was chosen elsewhere, or nothing is chosen any more."""
        return st.session_state.get(f"last-click-{self.run}")

    @property
    def origin(self) -> Origin | None:
        """Where it was chosen; the others then show it."""
        return st.session_state.get(f"chosen-in-{self.run}")

    @property
    def event(self) -> MapEvent:
        """The click that the map's marker stands for."""
        from ui.maps import MapEvent

        return MapEvent(self.place, self.current)

    def choose(
        self, name: Name | None, origin: Origin, place: Point | None = None, extent: Extent | None = None
    ) -> None:
        """Choose something by its name, or only a place, in place of what was chosen before.

        Parameters
        ----------
        name
            None for nothing but the place.
        origin
            Where it was chosen.
        place
            Where the map was clicked, or where its marker is to be.
        extent
            What the map is to show, of a place chosen beside it; of a name its own extent is shown.
        """
        st.session_state[self.key] = name
        st.session_state[f"look-at-{self.run}"] = extent
        st.session_state[f"chosen-in-{self.run}"] = origin
        st.session_state[f"last-click-{self.run}"] = place

    def follow(self, event: MapEvent, grid: Grid | None) -> None:
        """Choose what the address that led here names, or what was clicked on the map since; the address then names it.

        Called before anything is drawn or done that depends on what is chosen.

        Parameters
        ----------
        event
            What `ui.maps.told_by` gives.
        grid
            Of the run; None where it has no map, and an address names no place.
        """
        self._follow_address(event, grid)
        self.follow_map(event)
        for name in (ADDRESS, PLACE):
            value = self.address.get(name)
            if value is None:
                st.query_params.pop(name, None)
            elif st.query_params.get(name) != value:
                st.query_params[name] = value

    def _follow_address(self, event: MapEvent, grid: Grid | None) -> None:
        """Choose what an address names, once: later it only says what is chosen, and may say so a moment late."""
        followed, number = Slot(f"followed-address-{self.run}", 0), ARRIVALS.get()
        if followed.get() == number:
            return
        followed.put(number)
        named = {key: st.query_params[key][:LONGEST] for key in (ADDRESS, PLACE) if key in st.query_params}
        name, place = named.get(ADDRESS), None if grid is None else place_in(named.get(PLACE, ""), grid)
        if named == self.address or (name, place) == (None, None):
            return  # what is chosen already, as on the way back to the page
        if event.clicked is not None:  # on another run of the same scene
            st.session_state[f"seen-click-{self.run}"] = event.clicked
        self.choose(name, "chart", place, None if place is None or grid is None else beside(place, grid))
        st.session_state[f"arrived-{self.run}"] = (uuid4().hex, name, place)

    @property
    def arrival(self) -> str:
        """What tells one arrival by an address that names what is chosen from the others; empty once that changed.

        The map goes there once, even where it was left elsewhere.
        """
        token, *chosen = st.session_state.get(f"arrived-{self.run}", ("", None, None))
        return token if chosen == [self.current, self.place] else ""

    @property
    def address(self) -> dict[str, str]:
        """What names it in an address; empty where nothing is chosen."""
        named = {} if self.current is None else {ADDRESS: self.current}
        return named if self.place is None else {**named, PLACE: place_text(self.place)}

    def clear(self) -> None:
        """Choose nothing, on the map, in the table and in charts."""
        self.choose(None, "map")

    def among(self, names: Sequence[Name]) -> Name | None:
        """What is chosen where it is one of these; what a slider removes comes back with it.

        Parameters
        ----------
        names
            Of all that can be chosen now.
        """
        return self.current if self.current in names else None

    def follow_map(self, event: MapEvent) -> None:
        """Let a new click on the map choose; an old click must not undo what was chosen elsewhere since.

        A click beside everything chooses the place alone. Called before anything is drawn or done that depends on what
        is chosen, with what `ui.maps.told_by` gives.
        """
        seen = f"seen-click-{self.run}"
        if event.clicked is not None and event.clicked != st.session_state.get(seen):
            st.session_state[seen] = event.clicked
            self.choose(None if event.selected is None else str(event.selected), "map", event.clicked)

    def focus(self, shapes: GeoDataFrame | None) -> Extent | None:
        """Extent to move to when something was chosen beside the map; a click on the map is already there.

        Parameters
        ----------
        shapes
            What can be chosen, with a column ``id``.
        """
        if shapes is not None and self.current is not None and self.origin != "map":
            chosen = shapes[shapes["id"] == self.current]
            if not chosen.empty:
                return around(chosen.total_bounds)
        extent: Extent | None = st.session_state.get(f"look-at-{self.run}")
        return extent


def around(bounds: Sequence[float], share: float = 1.0) -> Extent:
    """Bounds with ground around them: on each side a share of their longer side."""
    left, bottom, right, top = (float(value) for value in bounds)
    margin = share * max(right - left, top - bottom)
    return left - margin, bottom - margin, right + margin, top + margin


AROUND_PLACE = 40
"""Pixels of a run that the map shows at least on each side of a place to which an address leads."""


def beside(place: Point, grid: Grid) -> Extent:
    """What the map shows of a place that an address names."""
    x, y = place
    pixel = math.sqrt(abs(grid.transform.determinant)) if grid.is_georeferenced else 1.0
    reach = AROUND_PLACE * pixel
    return x - reach, y - reach, x + reach, y + reach


def place_text(place: Point) -> str:
    """A place as an address names it, to about a millimetre or a hundredth of a pixel.

    Examples
    --------
    >>> place_text((345600.123456, 4171234.5)), place_text((13.40512345678, 52.5))
    ('345600.123,4171234.5', '13.40512346,52.5')
    """
    return ",".join(f"{value:.{3 if abs(value) > 1000 else 8}f}".rstrip("0").rstrip(".") for value in place)


def place_in(text: str, grid: Grid) -> Point | None:
    """The place that an address names; None where it names none, or none on the grid.

    Parameters
    ----------
    text
        x and y in the grid's CRS, or column and row, with a comma between them.
    """
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        return None
    whole = (0.0, 0.0, float(grid.width), float(grid.height))  # in pixel space
    left, bottom, right, top = grid.bounds if grid.is_georeferenced else whole
    return (x, y) if left <= x <= right and bottom <= y <= top else None


LEFT_OUT = tr_noop("not among what the model found at the current settings")
"""Said of what is selected where the sliders leave it out."""


def tell(selection: Selection, noun: str, facts: Sequence[str] | None, absent: str = "") -> None:
    """A line on what is chosen, below the map, with the way to choose nothing; nothing where nothing is chosen.

    Parameters
    ----------
    noun
        What can be chosen, such as "landslide".
    facts
        What is known of it, as Markdown; None where it is not shown.
    absent
        Why it is not shown, in the visitor's language; by default the sliders leave it out.
    """
    if selection.current is None and selection.place is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if selection.current is not None:
            words = (absent or tr(LEFT_OUT)) if facts is None else " · ".join(facts)
            st.markdown(
                tr("**Selected {noun} {current}** · {words}").format(
                    noun=tr(noun), current=selection.current, words=words
                ),
                width="content",
            )
        else:
            st.markdown(tr("**Selected place**"), width="content")
        st.button(tr("Clear selection"), key=f"clear-{selection.run}", type="tertiary", on_click=selection.clear)
