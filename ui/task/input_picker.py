"""Where a scene comes from: a sample, open data, an upload, or the operator's data folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InputError, LandslideError
from core.runs.records import SceneRecord
from core.tasks.imagery.inputs import scene_today, with_pixel_size
from core.tasks.imagery.roles import SCENE
from ui import labels, resources
from ui.choices import words_of
from ui.feedback import Progress, guard, plain, reading
from ui.messages import tr, tr_noop
from ui.state import Slot
from ui.task import gallery, intake
from ui.task.task import view_keys

if TYPE_CHECKING:
    from core.batch.batches import Batch
    from core.catalog.open_data import OpenPair
    from core.runs.records import Run
    from ui.task.task import TaskPage

SOURCES = (
    tr_noop("Sample"), tr_noop("Open data"), tr_noop("Upload"), tr_noop("Data folder"), tr_noop("Earlier images"),
)  # fmt: skip
IMAGE_TYPES = ["tif", "tiff", "png", "jpg", "jpeg"]

_ATTACHED: Slot[tuple[str, str, str] | None] = Slot("just-attached", None)
"""Id of the image, role and name of the file that was attached a moment ago; None for none."""


def current(run: Run | None = None) -> SceneRecord | None:
    """The scene of a run, or that in the page's address; ``?sample=`` loads a sample on the way.

    Parameters
    ----------
    run
        Run of the page's address. A scene that the address names too takes the place of the run's own where both are
        of the same image: to what all visitors share, a visitor's earlier scene or elevation is added in a copy.

    Raises
    ------
    LandslideError
        When the scene is unknown or its image is gone.
    """
    with reading():
        return _current(run)


def _current(run: Run | None) -> SceneRecord | None:
    sample = st.query_params.get("sample")
    if sample:
        del st.query_params["sample"]
        record = open_sample(sample)
        st.query_params["scene"] = record.id
        return record
    chosen = st.query_params.get("scene")
    if run is None:
        return resources.store().scene_record(chosen) if chosen else None
    if not run.input(SCENE).dataset_id:
        return None
    record = scene_today(resources.store(), run)
    if chosen in (None, record.id):
        return record
    try:
        own = resources.store().scene_record(chosen)
    except LandslideError:
        return record  # an old address, of a copy that was removed since
    return with_pixel_size(own, record.scene.grid.pixel_size) if own.scene.digest == record.scene.digest else record


def use(record: SceneRecord) -> None:
    """Make a scene the page's scene and start the page anew."""
    show(scene=record.id)


def show(**address: str) -> None:
    """Start the page anew with this in its address; sliders begin at the defaults of what is shown then."""
    for name in view_keys():
        st.session_state.pop(name, None)
    st.query_params.from_dict(address)
    st.rerun()


def choose(task: TaskPage) -> None:
    """Show the sources of scenes for a task's page."""
    source = ask_source(tr("Source"), SOURCES, "scene-source")
    with reading():
        {
            "Sample": lambda: _sample(task),
            "Open data": _open_data,
            "Upload": lambda: _upload(task),
            "Data folder": lambda: _data_folder(task),
            "Earlier images": _earlier,
        }[source]()


def ask_source(title: str, sources: Sequence[str], key: str) -> str:
    """The source of data that is chosen; ``?source=upload`` begins with uploading."""
    wanted = st.query_params.get("source", "")
    first = next((number for number, source in enumerate(sources) if source.lower() == wanted), 0)
    shown = words_of({source: source for source in sources})
    return str(st.selectbox(title, sources, first, key=f"{key}-{wanted}" if wanted else key, format_func=shown))


def open_sample(identity: str) -> SceneRecord:
    """Put a sample that ships, with its inventory, elevation and earlier scene, into the store.

    Raises
    ------
    InputError
        When there is no such sample.
    """
    from core.catalog.samples import sample

    chosen = sample(identity)
    before = open_sample(chosen.before) if chosen.before else None
    return resources.store().add_scene(
        chosen.path, chosen.title, reference=chosen.reference, dem=chosen.dem, origin="sample data",
        before=before.id if before else "", synthetic=chosen.synthetic, licence=chosen.licence,
        citation=chosen.citation,
    )  # fmt: skip


def _sample(task: TaskPage) -> None:
    from core.catalog.samples import samples

    known = {sample.id: sample for sample in samples() if sample.holds in task.samples}
    chosen = st.selectbox(tr("Sample"), list(known), format_func=lambda identity: known[identity].title)
    st.caption(plain(known[chosen].shows))
    if st.button(tr("Use this sample"), width="stretch"):
        use(open_sample(chosen))


def _open_data() -> None:
    from core.catalog.open_data import open_pairs

    pairs = {pair.id: pair for pair in open_pairs()}
    chosen = st.selectbox(tr("Image"), list(pairs), format_func=lambda identity: pairs[identity].title)
    pair = pairs[chosen]
    st.caption(
        plain(
            tr("{sensor}. {caution} Licence: {licence}. Cite: {citation}").format(
                sensor=pair.data_set.sensor, caution=pair.data_set.caution, licence=pair.licence, citation=pair.citation
            )
        )
    )
    if st.button(tr("Download and use"), width="stretch"):
        use(_fetch(pair))
    if st.button(tr("Browse previews"), width="stretch"):
        gallery.show(lambda chosen: use(_fetch(chosen)))


def offer_real_patch() -> None:
    """A real image and its landslides in one click; nothing where a local mirror lacks it."""
    from core.catalog.fetch import at_hand
    from core.catalog.open_data import open_pairs

    pair = open_pairs()[0]
    if at_hand([pair.image, pair.mask]) is False:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(tr("Use a real Sentinel-2 patch"), key="start-real")
        size = (pair.image.size_bytes + pair.mask.size_bytes) / 1000
        st.caption(
            tr("{title} from the open-data catalogue, with its mapped landslides ({size:,.0f} kB).").format(
                title=plain(pair.title), size=size
            )
        )
    if pressed:
        use(_fetch(pair))


def _fetch(pair: OpenPair) -> SceneRecord:
    from core.catalog.open_data import fetch

    progress = Progress("Downloading")
    fetched = fetch(pair, progress=lambda done, total: progress(done / max(total, 1)))
    progress.done()
    return resources.store().add_scene(
        fetched.image, pair.title, reference=fetched.reference, origin=f"open data: {pair.data_set.title}",
        licence=pair.licence, citation=pair.citation,
    )  # fmt: skip


def _upload(task: TaskPage) -> None:
    if task.several:
        _use_images(intake.ask_uploads())
        return
    uploaded = st.file_uploader(tr("Image"), type=IMAGE_TYPES, key="scene-upload", help=intake.ONE)
    if uploaded is not None and st.button(tr("Use this image"), width="stretch"):
        use(resources.store().upload_scene(uploaded, PurePath(uploaded.name).name))


def _use_images(chosen: SceneRecord | Batch | None) -> None:
    """Make one image the page's scene, or several its batch."""
    if chosen is None:
        return
    if isinstance(chosen, SceneRecord):
        use(chosen)
    show(batch=chosen.id)


def _data_folder(task: TaskPage) -> None:
    folders = bool(task.several)
    path = ask_for_path("region/scene.tif, or region" if folders else "region/scene.tif", folders=folders)
    if path is None:
        return
    if path.is_dir() and task.several:
        _use_images(intake.take_folder(path))
    use(resources.store().add_scene(path, path.name, origin="data folder"))


def ask_for_path(example: str, role: str = "", *, folders: bool = False) -> Path | None:
    """Let the user name a file of the operator's data folder; the file once the button was pressed.

    Parameters
    ----------
    example
        A path, shown while none is written.
    role
        Tells two of them on one page apart.
    folders
        Whether it may be a folder.

    Raises
    ------
    LandslideError
        When no path was given, or it leads to no file of the folder.
    """
    from core.raster.untrusted import resolve_inside
    from core.runs.store import data_folder

    folder = data_folder()
    if folder is None:
        st.info(tr("No data folder is set. To open files by path, the administrator sets SLIDELENS_DATA to a folder."))
        return None
    path = st.text_input(tr("Path within the data folder"), placeholder=example, key=f"path-{role}" if role else None)
    words = tr("Use this file or folder") if folders else tr("Use this file")
    if not st.button(words, width="stretch", key=f"use-path-{role}" if role else None):
        return None
    if not path.strip():
        raise InputError(tr("No path was entered."), remedy=tr("Enter the path of a file in the data folder."))
    return resolve_inside(folder, path.strip())


def _earlier() -> None:
    names = {scene.id: f"{scene.name} · {scene.origin}" for scene in resources.store().scenes()}
    if not names:
        st.info(tr("No image has been loaded yet."))
        return
    chosen = st.selectbox(tr("Image"), list(names), format_func=names.__getitem__)
    if st.button(tr("Use this image"), width="stretch"):
        use(resources.store().scene_record(chosen))


def describe(record: SceneRecord) -> None:
    """Say what the scene is."""
    scene, grid = record.scene, record.scene.grid
    distance = grid.ground_distance()
    place = tr("no coordinate system: pixel coordinates only")
    if grid.pixel_size is not None:
        place = tr("no coordinate system, {size:.3g} m per pixel, entered by hand").format(size=distance)
    if grid.crs and distance:
        place = tr("{system}, {size:.3g} m per pixel").format(system=grid.crs.to_string()[:40], size=distance)
    st.markdown(f"**{plain(scene.name)}**")
    words = {"width": grid.width, "height": grid.height, "bands": labels.count(len(scene.bands), "band")}
    facts = [
        tr("{width:,} × {height:,} pixels, {bands}, {values}, {place}.").format(
            **words, values=scene.dtype, place=place
        )
    ]
    if scene.synthetic:
        facts.append(tr("Synthetic: generated, not acquired by a satellite."))
    parts = ((tr("a reference inventory"), record.reference), (tr("elevation"), record.dem))
    has = [name for name, path in parts if path]
    if has:
        facts.append(tr("Includes {list}.").format(list=tr(" and ").join(has)))
    if scene.licence:
        facts.append(tr("Licence: {licence}.").format(licence=scene.licence))
    st.caption(plain(" ".join(facts)))
    _tell_attached(record)
    with st.expander(tr("Add elevation or reference")):
        _attach(record, "dem", tr("Elevation model (in metres unless the file states a unit)"), ["tif", "tiff"])
        types = ["tif", "tiff", "png", "gpkg", "geojson", "zip"]
        _attach(record, "reference", tr("Reference inventory"), types)


def _tell_attached(record: SceneRecord) -> None:
    """Say once what was just attached to the image, and what it is for."""
    identity, role, name = _ATTACHED.get() or ("", "", "")
    if identity != record.id:
        return
    _ATTACHED.clear()
    told = (
        tr("{name} is now the reference inventory of this image. Run the model to score against it; earlier runs are "
           "kept under *Runs*.")
        if role == "reference" else tr("{name} is now the elevation model of this image.")
    )
    st.success(told.format(name=plain(name)))


def _attach(record: SceneRecord, role: str, label: str, types: list[str]) -> None:
    uploaded = st.file_uploader(label, type=types, key=f"attach-{role}-{record.id}")
    if (record.reference if role == "reference" else record.dem) is not None:
        st.caption(tr("Replaces the one that the image has now; earlier runs keep it."))
    if uploaded is not None and st.button(
        tr("Attach {name}").format(name=plain(uploaded.name)), key=f"attach-button-{role}"
    ):
        suffix = PurePath(uploaded.name).suffix.lower().replace(".tiff", ".tif")
        with guard():  # a file that is refused takes nothing else of the page with it
            with reading("Reading the file"):
                attached = resources.store().attach(
                    record.id, role, uploaded, suffix, checked(record, role), name=PurePath(uploaded.name).name
                )
            _ATTACHED.put((attached.id, role, uploaded.name))
            if attached.id == record.id:
                st.rerun()
            use(attached)


def checked(record: SceneRecord, role: str) -> Callable[[Path], object]:
    """What refuses at once a file that would make every later run of the scene fail."""
    from core.raster.align import reference_reader
    from core.raster.quantity import elevation_on_grid

    def check(path: Path) -> None:
        if role == "reference":
            reference_reader(path, record.scene.grid)
            return
        with elevation_on_grid(path, record.scene.grid):
            pass

    return check
