"""The form that asks for a map of susceptibility: factors, landslides, cells, models and how they are tested."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import streamlit as st

from core.errors import InputError
from ui import resources
from ui.choices import words_of
from ui.messages import tr, tr_noop
from ui.susceptibility.form import FIRST_MODELS, NONE, plan
from ui.task import press

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.raster.resample import Kind
    from core.runs.records import DatasetRecord
    from core.tasks.susceptibility.area import AreaPlan, GivenFactor
    from core.tasks.susceptibility.landslides import InventoryPlan, Part
    from core.tasks.susceptibility.run_map import MapRequest
    from core.tasks.susceptibility.sampling import SamplingPlan
    from ui.susceptibility.area_source import AreaData

BUTTON = "Map susceptibility"

PARTS: dict[Part, str] = {
    "centroid": tr_noop("One cell each (centroid)"),
    "upper": tr_noop("Upper third (probable source area)"),
    "all": tr_noop("All cells"),
}

KINDS: dict[Kind, str] = {
    "continuous": tr_noop("quantity"), "category": tr_noop("classes"), "aspect": tr_noop("direction"),
}  # fmt: skip


@dataclass(frozen=True)
class _Guess:
    """What the data seem to be, to begin with."""

    given: tuple[GivenFactor, ...]
    files: tuple[str, ...]
    dem_bands: tuple[str, ...]
    dem_band: int
    columns: tuple[str, ...]
    area_columns: tuple[str, ...]
    inventory: InventoryPlan
    table: bool
    polygons: bool


@st.cache_data(max_entries=8, show_spinner="Reading the data")
def _guess(key: str, digests: tuple[str, ...], _data: AreaData) -> _Guess:
    """What the data hold, kept for the next rerun."""
    del key, digests  # the key
    from core.raster.scene import Scene
    from core.raster.vectors import first_attributes
    from core.tasks.susceptibility.guess import elevation_band, guess_factors
    from core.tasks.susceptibility.landslides import InventoryPlan

    given: list[GivenFactor] = []
    files: list[str] = []
    bands, band = ("",), 1
    if _data.dem is not None:
        dem = Scene.open(_data.dem.path, _data.dem.name)
        bands = tuple(one.name or f"band {one.index}" for one in dem.bands)
        band = elevation_band(dem)
        if len(bands) > 1:
            given += guess_factors(dem, -1, _taken(given), but=band)
            files += [_data.dem.name] * (len(given) - len(files))
    for number, record in enumerate(_data.factors):
        given += guess_factors(Scene.open(record.path, record.name), number, _taken(given))
        files += [record.name] * (len(given) - len(files))
    inventory, columns, table, polygons = InventoryPlan(), (), False, False
    if _data.inventory is not None:
        inventory, columns, table, polygons = _landslides(_data.inventory)
    named = columns if _data.areas is None else first_attributes(_data.areas.path, 1, 1).names
    return _Guess(tuple(given), tuple(files), bands, band, columns, named, inventory, table, polygons)


def _landslides(record: DatasetRecord) -> tuple[InventoryPlan, tuple[str, ...], bool, bool]:
    from core.raster.vectors import first_attributes, read_vectors_untrusted
    from core.series.table import read_table_untrusted
    from core.tasks.susceptibility.guess import guess_inventory
    from core.tasks.susceptibility.landslides import InventoryPlan

    if record.form == "table":
        table = read_table_untrusted(record.path)
        return guess_inventory(table), tuple(map(str, table.columns)), True, False
    kinds = set(read_vectors_untrusted(record.path).geom_type.dropna())
    names = first_attributes(record.path, 1, 1).names
    return InventoryPlan(), names, False, bool(kinds & {"Polygon", "MultiPolygon"})


def _taken(given: list[GivenFactor]) -> tuple[str, ...]:
    from core.raster.terrain_factors import TERRAIN

    return (*TERRAIN, *(one.name for one in given))


def ask(data: AreaData, before: MapRequest | None) -> MapRequest | None:
    """Show the form; the request when its button was pressed.

    Parameters
    ----------
    before
        Request with whose choices it begins; the usual ones when None.
    """
    from core.tasks.susceptibility.run_map import MapRequest
    from core.tasks.susceptibility.validate import Plan

    guess = _guess(data.key, tuple(one.digest for one in data.records), data)
    begin = before or MapRequest(plan=Plan(FIRST_MODELS, repeats=5), inventory=guess.inventory)
    resources.jobs().prepare()  # a worker starts while the user looks at the form
    subject = data.key
    with st.form("ask-map", border=False, enter_to_submit=False):
        pressed = press.button(BUTTON, subject)
        area = _area(data, guess, begin.area if before is not None else None)
        inventory = _inventory(guess, begin.inventory)
        sampling = _sampling(begin.sampling, drawn=not inventory.label)
        planned = plan(begin.plan)
        mapped, uncertainty, applicability, prevalence = _map(begin)
    if not pressed:
        return None
    mapped = tuple(one for one in mapped if one in planned.models) or planned.models[:1]
    request = MapRequest(area, inventory, sampling, planned, mapped, uncertainty, applicability, prevalence)
    with press.refusing(BUTTON, subject):
        request.check()
    return request


def _area(data: AreaData, guess: _Guess, before: AreaPlan | None) -> AreaPlan:
    from core.raster.terrain_factors import TERRAIN
    from core.tasks.susceptibility.area import FIRST_TERRAIN, AreaPlan

    terrain: tuple[str, ...] = ()
    begin = AreaPlan() if before is None else before
    dem_band = begin.dem_band if before is not None else guess.dem_band
    if data.dem is not None:
        terrain = tuple(st.multiselect(
            tr("Factors from the elevation model"), list(TERRAIN), FIRST_TERRAIN if before is None else begin.terrain,
            format_func=lambda name: TERRAIN[name].title,
        ))  # fmt: skip
    given = _given(guess, before)
    with st.expander(tr("Grid and terrain")):
        if len(guess.dem_bands) > 1:
            dem_band = 1 + st.selectbox(
                tr("Elevation band"), range(len(guess.dem_bands)), dem_band - 1,
                format_func=guess.dem_bands.__getitem__,
            )  # fmt: skip
        cell = st.number_input(
            tr("Cell size (m)"), 0.0, value=begin.cell, step=5.0, format="%.4g",
            help=tr("0 uses the cell size of the elevation model, or of the first factor if there is none."),
        )  # fmt: skip
        crs = st.text_input(
            tr("Coordinate system of the map"), begin.crs, placeholder=tr("same as the elevation model"), max_chars=20,
            help=tr("A projected system, such as EPSG:32632. Data in degrees are projected to the local UTM zone."),
        )  # fmt: skip
        options = begin.options
        if data.dem is not None:
            methods = {
                "horn": tr_noop("Horn (as in GDAL and QGIS)"),
                "zevenbergen_thorne": tr_noop("Zevenbergen–Thorne (as in SAGA)"),
            }
            method = st.selectbox(
                tr("Slope and curvature method"), list(methods), list(methods).index(options.method),
                format_func=words_of(methods),
            )  # fmt: skip
            stream = st.number_input(
                tr("Stream threshold (km²)"), 0.001, 1000.0, options.stream_km2, format="%.4g",
                help=tr("Cells with at least this catchment area count as streams."),
            )  # fmt: skip
            options = replace(options, method=method, stream_km2=stream)  # type: ignore[arg-type]
    return AreaPlan(terrain, options, given, dem_band, crs.strip(), float(cell))


def _given(guess: _Guess, before: AreaPlan | None) -> tuple[GivenFactor, ...]:
    """The bands of the rasters that are given, as a table in which each can be named and left out."""
    import pandas as pd

    from core.tasks.susceptibility.area import GivenFactor

    if not guess.given:
        return ()
    used = None if before is None else {(one.input, one.band): one for one in before.given}
    rows = [(used or {}).get((one.input, one.band), one) for one in guess.given]
    # What else the file of the elevations holds is mostly derived from them, as the terrain factors are.
    taken = [one.input >= 0 if used is None else (one.input, one.band) in used for one in guess.given]
    kinds = {kind: tr(title) for kind, title in KINDS.items()}
    table = pd.DataFrame({
        "Use": taken, "Factor": [one.name for one in rows], "Kind": [kinds[one.kind] for one in rows],
        "Raster": guess.files, "Band": [one.band for one in rows],
    })  # fmt: skip
    st.markdown(tr("Additional factors"))
    edited = cast("DataFrame", st.data_editor(
        table, hide_index=True, key="given-factors", disabled=["Raster", "Band"],
        column_config={
            "Use": st.column_config.CheckboxColumn(tr("Use"), width=60),
            "Raster": tr("Raster"), "Band": tr("Band"),
            "Kind": st.column_config.SelectboxColumn(tr("Kind"), options=list(kinds.values()), required=True, width=88,
                                                     help=tr("Quantities are interpolated; classes are never mixed.")),
            "Factor": st.column_config.TextColumn(tr("Factor"), required=True, max_chars=40, width=108),
        },
    ))  # fmt: skip
    kind_of = {title: kind for kind, title in kinds.items()}
    return tuple(
        GivenFactor(str(row["Factor"]).strip(), one.input, kind_of[row["Kind"]], one.band)
        for one, (_, row) in zip(guess.given, edited.iterrows(), strict=True)
        if row["Use"]
    )


def _inventory(guess: _Guess, begin: InventoryPlan) -> InventoryPlan:
    from core.tasks.susceptibility.landslides import InventoryPlan

    part = begin.part
    if guess.polygons:
        part = st.selectbox(
            tr("Cells used per landslide"), list(PARTS), list(PARTS).index(begin.part), format_func=words_of(PARTS),
            help=tr("Which cells of each landslide polygon the models are trained on."),
        )  # fmt: skip

    def column(label: str, chosen: str, help: str, columns: tuple[str, ...] = guess.columns) -> str:
        listed = [NONE, *columns]
        found = st.selectbox(label, listed, listed.index(chosen) if chosen in listed else 0, help=help)
        return "" if found == NONE else found

    with st.expander(tr("Inventory columns"), expanded=guess.table and not (begin.x and begin.y)):
        x, y, crs, swap = "", "", "", False
        if guess.table:
            x = column(tr("Easting or longitude"), begin.x, tr("Column of the first coordinate."))
            y = column(tr("Northing or latitude"), begin.y, tr("Column of the second coordinate."))
            crs = st.text_input(tr("Coordinate system of these columns"),
                                begin.crs, placeholder=tr("same as the map"), max_chars=20,
                                key="inventory-crs")  # fmt: skip
            swap = st.checkbox(tr("Swap the two coordinates"), begin.swap_xy)
        label = column(
            tr("Label"), begin.label,
            tr("Column that marks whether there is a landslide. If set, non-landslide cells are taken from it."),
        )  # fmt: skip
        positive = st.text_input(
            tr("Value for landslides"), begin.positive, max_chars=100, key="inventory-positive",
            help=tr("Needed unless the values are yes/no, true/false or 1/0."),
        )  # fmt: skip
        area = column(
            tr("Study area"), begin.area,
            tr("Area of a landslide, or column of the area layer, for leaving out one area at a time."),
            guess.area_columns,
        )  # fmt: skip
        event = column(tr("Event"), begin.event, tr("Date or event of a landslide, for leaving out one event at a "
                                                    "time."))
    return InventoryPlan(part, label, positive.strip(), x, y, crs.strip(), swap, area, event)


def _sampling(begin: SamplingPlan, *, drawn: bool) -> SamplingPlan:
    from core.tasks.susceptibility.sampling import SamplingPlan

    if not drawn:
        st.caption(tr("Non-landslide cells are those in the inventory."))
    with st.expander(tr("Non-landslide cells")):
        ratio = st.number_input(tr("Number per landslide cell"), 0.1, 100.0, begin.ratio, 0.5, format="%.3g")
        buffer = st.number_input(
            tr("Minimum distance from landslides (m)"), 0.0, value=begin.buffer, step=50.0, format="%.0f",
            help=tr("Ground next to a landslide may be as susceptible as the landslide."),
        )  # fmt: skip
        slope = st.number_input(
            tr("Minimum slope (°)"), 0.0, 89.0, begin.slope_at_least, 1.0, format="%.3g",
            help=tr("Flat cells are easy to tell from landslides and raise the scores; on slopes the scores would be "
                 "lower."),
        )  # fmt: skip
        guided = st.checkbox(
            tr("Only where the information value is low"), begin.guided,
            help=tr("Such cells are easy to tell from landslides: scores are higher than with cells drawn everywhere."),
        )  # fmt: skip
        seed = st.number_input(tr("Seed for drawing cells"), 0, 2**31 - 1, begin.seed)
    return SamplingPlan(float(ratio), float(buffer), float(slope), begin.most, int(seed), guided)


def _map(begin: MapRequest) -> tuple[tuple[str, ...], bool, bool, float]:
    from core.tasks.susceptibility.models import NAMES, title_of

    mapped = st.multiselect(
        tr("Models to map"), NAMES, begin.mapped, format_func=title_of, max_selections=4,
        help=tr("A selection of the models above. The first one is displayed first; two can be compared."),
    )  # fmt: skip
    with st.expander(tr("Map outputs")):
        uncertainty = st.checkbox(
            tr("Uncertainty"),
            begin.uncertainty,
            help=tr("Spread of the index over the folds; takes several times as long."),
        )
        applicability = st.checkbox(
            tr("Applicability"), begin.applicability, help=tr("Marks ground unlike all training cells.")
        )
        prevalence = st.number_input(
            tr("Actual share of landslide cells (%)"), 0.0, 99.0, begin.prevalence * 100, format="%.4g",
            help=tr("Used to convert the index to a probability. 0: unknown."),
        )  # fmt: skip
    if not mapped:
        raise InputError(tr("No model to map was chosen."), remedy=tr("Choose one under “Models to map”."))
    return tuple(mapped), uncertainty, applicability, float(prevalence) / 100
