"""Where the rasters and the inventory of an area come from: samples, open data, uploads, the data folder, the store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InputError
from core.tasks.susceptibility.map_result import AREAS, DEM, FACTOR, INVENTORY
from ui import resources
from ui.choices import words_of
from ui.feedback import Progress, plain, reading
from ui.messages import tr, tr_noop
from ui.task import input_picker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.catalog.areas import Area, AreaLayer
    from core.runs.records import DatasetRecord, Form, Run

FACTORS = "factors"
"""Key in the page's address of the ids of the factors, separated by commas."""

SOURCES = (
    tr_noop("Sample"), tr_noop("Open data"), tr_noop("Upload"), tr_noop("Data folder"), tr_noop("Earlier data"),
)  # fmt: skip

ROLES = {
    DEM: tr_noop("Elevation model"), INVENTORY: tr_noop("Landslide inventory"), FACTOR: tr_noop("Factor"),
    AREAS: tr_noop("Areas to leave out in turn"),
}  # fmt: skip

VECTORS = (INVENTORY, AREAS)
"""Roles of points or outlines; the others are rasters."""

RASTERS = ["tif", "tiff"]
LAYERS = ["gpkg", "geojson", "json", "zip"]
INVENTORIES = [*LAYERS, "csv", "tsv", "txt", "xlsx", "dbf"]


@dataclass(frozen=True)
class AreaData:
    """The data of an area that are chosen so far."""

    dem: DatasetRecord | None = None
    inventory: DatasetRecord | None = None
    factors: tuple[DatasetRecord, ...] = ()
    areas: DatasetRecord | None = None

    @property
    def complete(self) -> bool:
        """Whether a map can be asked for."""
        return self.inventory is not None and (self.dem is not None or bool(self.factors))

    @property
    def key(self) -> str:
        """What the widgets of these data are known by."""
        return "-".join(one.id[:8] for one in self.records)

    @property
    def records(self) -> tuple[DatasetRecord, ...]:
        """All of them."""
        return tuple(one for one in (self.dem, self.inventory, *self.factors, self.areas) if one is not None)

    def by_role(self) -> tuple[tuple[str, DatasetRecord | None], ...]:
        """Each with its role."""
        single = ((DEM, self.dem), (INVENTORY, self.inventory), (AREAS, self.areas))
        return (*single, *((FACTOR, one) for one in self.factors))

    def address(self) -> dict[str, str]:
        """How the page's address names them."""
        named = {role: one.id for role, one in self.by_role() if one is not None and role != FACTOR}
        return named | ({FACTORS: ",".join(one.id for one in self.factors)} if self.factors else {})


def current(run: Run | None) -> AreaData:
    """The data of a run, or those in the page's address.

    Raises
    ------
    LandslideError
        When one of them is unknown.
    """
    store = resources.store()
    if run is not None:
        by_role: Mapping[str, list[str]] = {
            role: [one.dataset_id for one in run.inputs if one.role == role] for role in ROLES
        }
    else:
        asked = st.query_params
        by_role = {
            **{role: [asked[role]] if asked.get(role) else [] for role in (DEM, INVENTORY, AREAS)},
            FACTOR: [one for one in asked.get(FACTORS, "").split(",") if one],
        }
    found = {role: [store.dataset(one) for one in ids if one] for role, ids in by_role.items()}
    dem, inventory, areas = (next(iter(found[role]), None) for role in (DEM, INVENTORY, AREAS))
    return AreaData(dem, inventory, tuple(found[FACTOR]), areas)


def use(data: AreaData) -> None:
    """Make these the page's data and start the page anew."""
    input_picker.show(**(data.address() or {"from": "rasters"}))


def open_area(area: Area) -> AreaData:
    """Put all layers of an area of the catalogue into the store."""
    store = resources.store()
    origin = "sample data" if area.synthetic else f"open data: {area.title}"

    def add(layer: AreaLayer, form: Form | None) -> DatasetRecord:
        return store.add_dataset(
            layer.path, layer.name, form, origin=origin, synthetic=area.synthetic,
            licence=area.licence, citation=area.citation,
        )  # fmt: skip

    made = AreaData()
    for layer in area.layers:
        made = _with(made, layer.role, add(layer, None if layer.role in VECTORS else "raster"))
    return made


def open_sample(identity: str) -> AreaData:
    """Put a sample area that ships into the store.

    Raises
    ------
    InputError
        When there is none of that name.
    """
    from core.catalog.areas import sample_area

    return open_area(sample_area(identity))


def choose(data: AreaData) -> None:
    """Show the sources of an area's data."""
    source = input_picker.ask_source(tr("Source"), SOURCES, "area-source")
    with reading("Reading the file"):
        {
            "Sample": _sample,
            "Open data": _open_data,
            "Upload": lambda: _upload(data),
            "Data folder": lambda: _data_folder(data),
            "Earlier data": lambda: _earlier(data),
        }[source]()


def summary(data: AreaData) -> str:
    """The data that are chosen, in a line."""
    named = [plain(one.name) for one in (data.dem, data.inventory, data.areas) if one is not None]
    if data.factors:
        named.append(tr("factors: {list}").format(list=", ".join(plain(one.name) for one in data.factors)))
    synthetic = tr(" Synthetic: generated, not measured.") if any(one.synthetic for one in data.records) else ""
    licences = sorted({one.licence for one in data.records if one.licence})
    terms = " " + tr("Licence: {licence}.").format(licence=plain(", ".join(licences))) if licences else ""
    return f"{'; '.join(named)}.{synthetic}{terms}"


def show_chosen(data: AreaData) -> None:
    """List the data that are chosen, each with a way to leave it out."""
    optional = () if data.areas is None else ((AREAS, data.areas),)
    for role, one in (
        (DEM, data.dem), (INVENTORY, data.inventory), *((FACTOR, one) for one in data.factors), *optional,
    ):  # fmt: skip
        left, right = st.columns([5, 1], vertical_alignment="center")
        if one is None:
            missing = tr("none: only the additional factors are used") if role == DEM else tr("**missing**")
            left.markdown(f"{tr(ROLES[role])}: {missing}")
            continue
        said = tr(" · synthetic") if one.synthetic else ""
        left.markdown(f"{tr(ROLES[role])}: **{plain(one.name)}**{said}")
        if right.button(
            "✕", key=f"drop-{one.id}", type="tertiary", help=tr("Remove {name}").format(name=plain(one.name))
        ):
            use(_without(data, one))


def _without(data: AreaData, one: DatasetRecord) -> AreaData:
    return AreaData(
        None if data.dem is not None and data.dem.id == one.id else data.dem,
        None if data.inventory is not None and data.inventory.id == one.id else data.inventory,
        tuple(other for other in data.factors if other.id != one.id),
        None if data.areas is not None and data.areas.id == one.id else data.areas,
    )


def _with(data: AreaData, role: str, one: DatasetRecord) -> AreaData:
    if role == DEM:
        return replace(data, dem=one)
    if role == INVENTORY:
        return replace(data, inventory=one)
    if role == AREAS:
        return replace(data, areas=one)
    return replace(data, factors=(*(other for other in data.factors if other.id != one.id), one))


def _sample() -> None:
    from core.catalog.areas import sample_areas

    known = {one.id: one for one in sample_areas()}
    chosen = st.selectbox(tr("Sample"), list(known), format_func=lambda identity: known[identity].title)
    st.caption(plain(known[chosen].shows))
    if st.button(tr("Use this area"), width="stretch"):
        use(open_area(known[chosen]))


def _open_data() -> None:
    from core.catalog.areas import fetch_area, open_areas

    known = {one.id: one for one in open_areas()}
    chosen = st.selectbox(tr("Study area"), list(known), format_func=lambda identity: known[identity].title)
    area = known[chosen]
    st.caption(
        plain(
            tr("{shows} {caution} Licence: {licence}. Cite: {citation}").format(
                shows=area.shows, caution=area.caution, licence=area.licence, citation=area.citation
            )
        )
    )
    if st.button(tr("Download and use"), width="stretch"):
        progress = Progress("Downloading")
        fetched = fetch_area(chosen, progress=lambda done, total: progress(done / max(total, 1)))
        progress.done()
        use(open_area(fetched))


def _upload(data: AreaData) -> None:
    role = st.selectbox(tr("Use as"), list(ROLES), format_func=words_of(ROLES), key="upload-role")
    vectors = role in VECTORS
    kinds = {INVENTORY: INVENTORIES, AREAS: LAYERS}.get(role, RASTERS)
    uploaded = st.file_uploader(
        tr(ROLES[role]), type=kinds, key=f"area-upload-{role}-{data.key}",
        accept_multiple_files=role == FACTOR,
        help=tr("GeoPackage, GeoJSON, zipped Shapefile or, for landslides, a table with coordinates.") if vectors
        else tr("GeoTIFF, up to 200 MB, in any coordinate system and resolution."),
    )  # fmt: skip
    files = uploaded if isinstance(uploaded, list) else [] if uploaded is None else [uploaded]
    if files and st.button(
        tr("Use this file") if len(files) == 1 else tr("Use these {count} files").format(count=len(files)),
        width="stretch",
    ):
        for file in files:
            name = PurePath(file.name).name
            record = resources.store().upload_dataset(file, name, None if vectors else "raster")
            data = _with(data, role, _checked(record, role))
        use(data)


def _checked(record: DatasetRecord, role: str) -> DatasetRecord:
    if role == INVENTORY and record.form == "raster":
        raise InputError(tr("{name} is a raster.").format(name=record.name), tr("A landslide inventory holds points "
                                                                                "or outlines."),
                         tr("Choose a GeoPackage, GeoJSON, zipped Shapefile or table."))  # fmt: skip
    if role == AREAS and record.form != "vector":
        raise InputError(tr("{name} holds no polygons.").format(name=record.name), tr("Areas must be polygons."),
                         tr("Choose a GeoPackage, GeoJSON or zipped Shapefile."))  # fmt: skip
    return record


def _data_folder(data: AreaData) -> None:
    role = st.selectbox(tr("Use as"), list(ROLES), format_func=words_of(ROLES), key="folder-role")
    file = input_picker.ask_for_path("region/dem.tif" if role not in VECTORS else "region/landslides.gpkg")
    if file is not None:
        form: Form | None = None if role in VECTORS else "raster"
        record = resources.store().add_dataset(file, file.name, form, origin="data folder")
        use(_with(data, role, _checked(record, role)))


def _earlier(data: AreaData) -> None:
    role = st.selectbox(tr("Use as"), list(ROLES), format_func=words_of(ROLES), key="earlier-role")
    store = resources.store()
    by_role: dict[str, tuple[Form, ...]] = {INVENTORY: ("vector", "table"), AREAS: ("vector",)}
    forms = by_role.get(role, ("raster",))
    known = {one.id: f"{one.name} · {one.origin}" for form in forms for one in store.datasets(form)}
    if not known:
        st.info(tr("No data of this kind have been loaded yet."))
        return
    chosen = st.selectbox(tr(ROLES[role]), list(known), format_func=known.__getitem__)
    if st.button(tr("Use these data"), width="stretch", key="use-earlier-data"):
        use(_with(data, role, store.dataset(chosen)))
