"""A map of susceptibility: what it comes to, the map with its layers, and the tabs below it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core.tasks.susceptibility.classed import Classed, classed, mapped_model
from core.tasks.susceptibility.map_result import DEM, SusceptibilityMap
from ui import resources
from ui.choices import in_address, words_of
from ui.feedback import guard, plain
from ui.maps import DynamicLayers, MapSpec, show_map, show_swipe, told_by
from ui.messages import tr, tr_noop
from ui.susceptibility import cell as cell_part
from ui.susceptibility import classes_tab, elsewhere, factors_tab, results, robust, scores, why
from ui.susceptibility import map_layers as layers
from ui.susceptibility.map_view import MapView
from ui.task import explained, kept
from ui.task.caption import caption_of
from ui.task.inspector import clicked_pixel
from ui.task.jobs import notice_runs
from ui.task.key_figures import KeyFigure
from ui.task.selection import Selection
from ui.task.tabs import show_tabs
from ui.task.view import view_from_address

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.tasks.susceptibility.view import Choice
    from ui.map_layers import Outlines
    from ui.susceptibility.area_source import AreaData
    from ui.task.task import TaskPage

AROUND = "28rem"
"""Height that the head above the map and the names of the tabs below it need."""


def show(task: TaskPage, found: Run) -> None:
    """The result of a finished run."""
    result = _result(found.id)
    _shown(task, found, result)


@st.cache_resource(max_entries=16, show_spinner=False)
def _result(run: str) -> SusceptibilityMap:
    """What a run computed, which never changes."""
    return resources.store().result(run, SusceptibilityMap)


@st.fragment
def _shown(task: TaskPage, found: Run, result: SusceptibilityMap) -> None:
    """Head, map and tabs of a run. A fragment: choosing a model or a layer leaves the rest of the page alone."""
    with guard():
        _show(task, found, result)
        kept.remember()
        notice_runs()


def _show(task: TaskPage, found: Run, result: SusceptibilityMap) -> None:
    begin: Choice = view_from_address(found).checked(result)
    head = st.container()
    choice, side, factor = _choose(result, begin)
    classes = None
    with guard():
        classes = classed(result, choice)
    with head:
        further = [] if classes is None else key_figures(classes, elsewhere=bool(result.parents))
        results.headline(result, folded=True, further=further)
    selection = Selection(result.id)
    selection.follow(told_by(_spec(result), key=_map_key(result)), result.grid)
    with guard():
        _map(result, choice, classes, side, factor, selection)
    cell = clicked_pixel(selection.event, result.grid)
    with guard():
        cell_part.show(result, selection, cell, classes)
    parts = {
        "Findings": classes_tab.show, "Scores": _scores, "Factors": factors_tab.show, "Why": why.show,
        **({} if result.parents else {"Other area": lambda view: elsewhere.show(view.result)}),
        "Export": _export, "Provenance": _provenance,
    }  # fmt: skip
    wanted = "Why" if explained.led_here(task.name) else ""
    show_tabs(task.name, parts, MapView(result, choice, cell, classes), wanted)


def key_figures(classes: Classed, *, elsewhere: bool) -> list[KeyFigure]:
    """How much of the area, and how many of the cells with a known landslide, lie in the highest classes.

    Parameters
    ----------
    elsewhere
        Whether the models were trained on another area.
    """
    from core.report.words import percent

    highest = classes.rows[-2:] if len(classes.rows) > 3 else classes.rows[-1:]
    names = " + ".join(row.name.lower() for row in highest)
    about = tr("Depends on the model and classes chosen below.")
    whose = tr("Share of all cells with a known landslide.") if elsewhere else tr(
        "Share of all cells with a known landslide, including those that the models were trained on."
    )  # fmt: skip
    figures = [KeyFigure(tr("Area, {names}").format(names=names), percent(sum(row.share for row in highest)), about)]
    hits = sum(row.share_of_hits for row in highest)
    if hits == hits:  # no number where no landslide is known
        figures.append(
            KeyFigure(
                tr("Landslide cells there"),
                percent(hits),
                f"{whose} {about}",
            )
        )
    return figures


def _choose(result: SusceptibilityMap, begin: Choice) -> tuple[Choice, str, str]:
    """What is looked at: model, test, classes; what the map shows; and a factor on it."""
    from core.tasks.susceptibility.folds import TITLES
    from core.tasks.susceptibility.models import title_of
    from core.tasks.susceptibility.view import METHODS, Choice
    from core.wording import factor_words

    row = st.columns([2, 2, 2, 2], vertical_alignment="bottom")
    default = Choice.default(result)
    models = {
        name: title_of(name) if name in result.mapped else tr("{model} (not mapped)").format(model=title_of(name))
        for name in result.models
    }
    schemes = {name: TITLES[name].replace(" of the coordinates", "") for name in result.schemes}  # to be read whole
    with row[0]:
        model = in_address(tr("Model"), models, default.model, key="shown")
    with row[1]:
        method = in_address(tr("Classes"), METHODS, default.classes, key="classes")
    with row[2]:
        scheme = in_address(tr("Validation"), schemes, default.scheme, key="scheme")
    factors = {name: factor_words(name) if name else tr_noop("none") for name in ("", *result.bands)}
    with row[3]:
        factor = in_address(tr("Factor on the map"), factors, "", key=results.FACTOR)
    if model not in result.mapped:
        st.caption(tr("{model} was not mapped: map, classes and cells show {mapped}. To map it, add it to *Models to "
                      "map* and run again.").format(model=title_of(model), mapped=title_of(result.mapped[0])))
    breaks = begin.breaks
    if method == "given":
        breaks = st.text_input(tr("Class breaks, between 0 and 1"), breaks or "0.2,0.4,0.6,0.8", key="breaks",
                               bind="query-params", max_chars=80)  # fmt: skip
    return replace(begin, scheme=scheme, model=model, classes=method, breaks=breaks), _side(result), str(factor)


def _side(result: SusceptibilityMap) -> str:
    if len(result.mapped) < 2:
        return "layers"
    words = {"layers": tr_noop("Layers"), "swipe": tr_noop("Swipe two models")}
    return str(st.segmented_control(tr("Map"), list(words), default="layers", format_func=words_of(words), key="side",
                                    required=True, label_visibility="collapsed"))  # fmt: skip


def _map(
    result: SusceptibilityMap, choice: Choice, classes: Classed | None, side: str, factor: str, selection: Selection
) -> None:
    shown = mapped_model(result, choice)
    slides = layers.landslide_outlines(result.id, result) if result.input("inventory").dataset_id else None
    spec = _spec(result)
    over = () if slides is None else (slides,)
    says = caption_of(result, "Landslide susceptibility")
    if side == "swipe":
        first, second = (layers.index_tiles(result, one) for one in result.mapped[:2])
        show_swipe(spec, first, second, key=f"swipe-{result.id}", over=over, around=AROUND, caption=says)
        return
    dem = result.input(DEM).dataset_id
    tiles = [*layers.ground(resources.store().dataset(dem) if dem else None)]
    if factor:
        tiles.append(layers.factor_tiles(result, factor))
    tiles += [layers.index_tiles(result, one, visible=classes is None and one == shown) for one in result.mapped]
    if classes is not None:
        tiles.append(replace(layers.class_tiles(result, classes), visible=not factor))
    tiles += [*layers.further_tiles(result), *layers.applicability_tiles(result)]
    tiles += layers.explanation_tiles(result, explained.shown(result))
    if not result.parents:
        held = scores.held_out(result.id, choice.scheme, choice.model, result)
        cut = held.best_cut if choice.cutoff < 0 else choice.cutoff
        over = (*over, *layers.outcome_layers(result, held, cut, visible=False))
    shows = DynamicLayers(
        tuple(tiles), over, marker=selection.place, focus=selection.focus(None), caption=says,
        arrival=selection.arrival,
    )  # fmt: skip
    show_map(spec, shows, key=_map_key(result), around=AROUND)


def _spec(result: SusceptibilityMap) -> MapSpec:
    return MapSpec(result.id, result.grid, drawable=False)


def _map_key(result: SusceptibilityMap) -> str:
    return f"map-{result.id}"



def _scores(view: MapView) -> None:
    """Scores, how the tested cells fare, and how far that depends on unknown choices."""
    scores.show(view)
    robust.show(view.result, view.choice)


def _export(view: MapView) -> None:
    """The report, files of the run, and files at the classes that are chosen."""
    from core.tasks.susceptibility.map_config import config_text
    from core.tasks.susceptibility.map_export import export_map, titles_of
    from ui.task import export

    results.export_tab(view)
    result, choice = view.result, view.choice
    run = resources.store().run(result.id)
    if not result.parents:
        st.download_button(
            tr("Configuration to repeat this map (TOML)"), config_text(run), export.saved_as(run.id, "config", ".toml"),
            "application/toml", on_click="ignore",
        )  # fmt: skip
    st.markdown(tr("**GIS files** with the classes chosen above:"))
    folder = export.folder_of(result.id, choice)
    if st.button(tr("Prepare files"), key=f"prepare-{result.id}"):
        with st.spinner(tr("Writing the files")):
            export_map(resources.store(), result, choice, folder)
    if folder.is_dir():
        export.offer(folder, titles_of(result), result.id)


def _provenance(view: MapView) -> None:
    from ui.task import provenance

    provenance.show_record(view.result, "see the inputs above")
    st.markdown(tr("**Processing of each raster**"))
    st.markdown("\n".join(f"- {plain(one)}" for one in view.result.layers))


def show_area(data: AreaData) -> None:
    """The ground and the landslides of an area of which no map was made yet."""
    from core.raster.scene import Scene

    st.info(tr("Check the factors and press *Map susceptibility*. Models are tested on folds not used for training."))
    first = data.dem or data.factors[0]
    scene = Scene.open(first.path, first.name)
    if scene.grid.crs is None:
        return
    over: tuple[Outlines, ...] = ()
    if data.inventory is not None:
        with guard():  # one that lies elsewhere is told of before anything is asked
            over = layers.inventory_outlines(data.key, data.inventory, scene.grid)
    spec = MapSpec(f"area-{first.id}", scene.grid, drawable=False)
    show_map(spec, DynamicLayers(layers.ground(data.dem), over), key=f"map-area-{first.id}", around="20rem")
