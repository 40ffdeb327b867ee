"""The layers of a map of susceptibility: index, spread, difference, factors, landslides and tested cells."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core.plots.colours import (
    CATEGORIES,
    DIVERGING_RAMP,
    FACTOR_RAMP,
    FALSE_POSITIVE,
    MISSED,
    NOT_KNOWN,
    PROBABILITY_RAMP,
    REFERENCE,
    TRUE_POSITIVE,
    UNCERTAINTY_RAMP,
    Legend,
    LegendEntry,
    classes_legend,
    difference_legend,
    ramp_legend,
)
from ui import resources
from ui.map_layers import OUTCOME, Outlines, Tiles, run_tiles, slope_and_aspect, terrain_url
from ui.messages import tr_noop

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.runs.records import DatasetRecord, Run
    from core.tasks.susceptibility.classed import Classed
    from core.tasks.susceptibility.held_out import HeldOut
    from core.tasks.susceptibility.map_result import SusceptibilityMap

OUTCOME_COLOURS = {
    "true positive": TRUE_POSITIVE, "false positive": FALSE_POSITIVE, "missed": MISSED, "true negative": NOT_KNOWN,
}  # fmt: skip

OUTCOME_WORDS = {
    "true positive": tr_noop("Correct: landslide"), "false positive": tr_noop("False alarm"),
    "missed": tr_noop("Missed"), "true negative": tr_noop("Correct: no landslide"),
}  # fmt: skip


def index_legend() -> Legend:
    """Legend of the index."""
    return ramp_legend(tr_noop("Susceptibility index"), PROBABILITY_RAMP, "0", "0.5", "1")


def ground(dem: DatasetRecord | None) -> tuple[Tiles, ...]:
    """The elevation model in light and shade, with slope and aspect; nothing without one."""
    from core.raster.scene import Scene
    from core.tasks.susceptibility.guess import elevation_band

    if dem is None or not dem.path.is_file():
        return ()
    scene = Scene.open(dem.path)
    if scene.grid.crs is None:
        return ()
    band = elevation_band(scene) if len(scene.bands) > 1 else None
    return (Tiles("hillshade", tr_noop("Hillshade"), terrain_url("hillshade", dem, band)), *slope_and_aspect(dem, band))


def index_tiles(result: SusceptibilityMap, model: str, *, visible: bool = False) -> Tiles:
    """What a model says of each cell."""
    from core.tasks.susceptibility.models import title_of

    role = result.role_of(model)
    name = f"Index: {title_of(model)}"
    return run_tiles(result.id, role, name=name, opacity=0.7, visible=visible, key=index_legend())


def class_tiles(result: SusceptibilityMap, classes: Classed) -> Tiles:
    """The classes of the model that is shown."""
    from core.tasks.susceptibility.layers import classes_layer
    from core.tasks.susceptibility.models import title_of

    words = [f"({row.low:.2f} to {row.high:.2f})" for row in classes.rows]
    legend = classes_legend(tr_noop("Susceptibility"), [row.name for row in classes.rows], words)
    layer = classes_layer(result.mapped.index(classes.model))
    tiles = run_tiles(result.id, layer, name=f"Classes: {title_of(classes.model)}", opacity=0.7, key=legend)
    return replace(tiles, id="classes", url=f"{tiles.url}?breaks={classes.address}")


def applicability_tiles(result: SusceptibilityMap) -> list[Tiles]:
    """Hatching where the ground is unlike that of all cells that the model learnt from."""
    from core.tasks.susceptibility.index_map import APPLICABILITY

    if APPLICABILITY not in result.artifacts or result.limit is None or not math.isfinite(result.limit):
        return []
    words = tr_noop("Unlike all training cells")
    legend = Legend(tr_noop("Applicability"), (LegendEntry("#282828", words, "hatched"),))
    tiles = run_tiles(result.id, APPLICABILITY, name=tr_noop("Outside applicability"), opacity=0.8, key=legend)
    return [replace(tiles, url=f"{tiles.url}?range=0,{result.limit:.6g}")]


@st.cache_data(max_entries=64, show_spinner=False)
def _span(run: str, band: int, _result: SusceptibilityMap) -> tuple[float, float]:
    """Values between which a factor is painted: its 2nd and 98th percentile in a sample of the area."""
    del run
    import numpy as np

    from core.raster.scene import Scene

    with Scene.ours(_result.artifact("factors")).reader(overviews=True) as reader:
        values, valid = reader.sample()
    known = values[band - 1][valid[band - 1] & np.isfinite(values[band - 1])]
    low, high = np.quantile(known, [0.02, 0.98]) if known.size else (0.0, 1.0)
    return float(low), float(high if high > low else low + 1)


def factor_tiles(result: SusceptibilityMap, name: str) -> Tiles:
    """One factor on the map."""
    from core.tasks.susceptibility.map_findings import unit_of
    from core.wording import factor_words, number_words

    band = result.bands.index(name) + 1
    unit = unit_of(result, name)
    title = f"Factor: {factor_words(name)}{f' ({unit})' if unit else ''}"
    if name in result.categorical:
        legend = Legend(title, tuple(
            LegendEntry(CATEGORIES[int(float(one)) % len(CATEGORIES)], f"class {one}") for one in _seen(result, name)
        ))  # fmt: skip
        tiles = run_tiles(result.id, "factor_classes", name=title, opacity=0.8, key=legend)
        return replace(tiles, id="factor", url=f"{tiles.url}?band={band}")
    low, high = _span(result.id, band, result)
    ends = [number_words(one) for one in (low, (low + high) / 2, high)]
    legend = ramp_legend(title, FACTOR_RAMP, *ends)
    tiles = run_tiles(result.id, "factor", name=title, opacity=0.8, key=legend)
    return replace(tiles, id="factor", url=f"{tiles.url}?band={band}&range={low:.8g},{high:.8g}")


def _seen(result: SusceptibilityMap, name: str) -> list[str]:
    import pandas

    known = pandas.read_parquet(result.artifact("background"), columns=[name])[name]
    return sorted(known.unique(), key=float)


def further_tiles(result: SusceptibilityMap) -> list[Tiles]:
    """Spread and difference, where the run has them."""
    from core.tasks.susceptibility.index_map import DIFFERENCE, UNCERTAINTY
    from core.tasks.susceptibility.models import title_of

    tiles = []
    if UNCERTAINTY in result.artifacts:
        legend = ramp_legend(tr_noop("Spread over the folds"), UNCERTAINTY_RAMP, "0", "0.5", "1")
        tiles.append(run_tiles(result.id, UNCERTAINTY, name=tr_noop("Uncertainty"), visible=False, key=legend))
    if DIFFERENCE in result.artifacts:
        first, second = (title_of(one) for one in result.mapped[:2])
        name = f"{first} minus {second}"
        tiles.append(run_tiles(result.id, DIFFERENCE, name=name, visible=False, key=difference_legend(name)))
    return tiles


def explanation_tiles(result: SusceptibilityMap, shown: Run | None) -> list[Tiles]:
    """The layers of an explanation of the whole map, where that is shown."""
    from core.jobs.perform import request_of
    from core.tasks.susceptibility.layers import DOMINANT, EFFECTS
    from core.wording import factor_words

    if shown is None or shown.artifact(DOMINANT) is None or request_of(shown).target != "area":
        return []
    colours = {name: CATEGORIES[at % len(CATEGORIES)] for at, name in enumerate(result.factors)}
    words = tuple(LegendEntry(colour, factor_words(name)) for name, colour in colours.items())
    largest = Legend(tr_noop("Largest contribution"), words)
    tiles = [run_tiles(shown.id, DOMINANT, name=tr_noop("Dominant factor"), opacity=0.8, key=largest)]
    for at, name in enumerate(result.factors, start=1):
        reach = _reach(shown.id, at, shown)
        legend = ramp_legend(f"Contribution: {name.replace('_', ' ')}", DIVERGING_RAMP, f"{-reach:.2g}", "0",
                             f"{reach:+.2g}")  # fmt: skip
        made = run_tiles(shown.id, EFFECTS, name=legend.title, opacity=0.8, visible=False, key=legend)
        tiles.append(replace(made, id=f"effect-{at}", url=f"{made.url}?band={at}&range=0,{reach:.6g}"))
    return tiles


@st.cache_data(max_entries=128, show_spinner=False)
def _reach(explanation: str, band: int, _run: Run) -> float:
    """Size of a factor's contributions at the ends of its colours: exceeded by one in fifty cells."""
    del explanation
    import numpy as np

    from core.raster.scene import Scene
    from core.tasks.susceptibility.layers import EFFECTS
    from core.tasks.susceptibility.run_explanation import file_of

    with Scene.ours(file_of(_run, EFFECTS)).reader(overviews=True) as reader:
        values, valid = reader.sample()
    known = np.abs(values[band - 1][valid[band - 1] & np.isfinite(values[band - 1])])
    return float(np.quantile(known, 0.98)) or 1e-6 if known.size else 1.0


@st.cache_resource(max_entries=16, show_spinner="Reading the landslides")
def landslide_outlines(run: str, _result: SusceptibilityMap) -> Outlines:
    """The landslides of a run, as outlines or dots."""
    del run  # the key
    from core.serve.coordinates import features
    from core.tasks.susceptibility.map_findings import landslides_on, outlines_of

    slides = landslides_on(resources.store(), _result)
    shapes = outlines_of(slides)
    facts = {tr_noop("Landslide"): [str(number) for number in shapes["id"]]}
    collection, left_out = features(shapes, facts)
    words = tr_noop("Known landslides (points)") if slides.polygons is None else tr_noop("Known landslides (outlines)")
    return Outlines("reference", words, collection, REFERENCE, left_out=left_out, seam=True)


@st.cache_resource(max_entries=8, show_spinner="Reading the landslides")
def inventory_outlines(key: str, _inventory: DatasetRecord, _grid: Grid) -> tuple[Outlines, ...]:
    """The landslides of an inventory before a map is made; none where its columns still have to be named."""
    del key
    from core.serve.coordinates import features
    from core.tasks.susceptibility.guess import guess_inventory
    from core.tasks.susceptibility.landslides import InventoryPlan, landslides_of
    from core.tasks.susceptibility.map_findings import outlines_of

    plan = InventoryPlan()
    if _inventory.form == "table":
        from core.series.table import read_table_untrusted

        plan = guess_inventory(read_table_untrusted(_inventory.path))
        if not (plan.x and plan.y):
            return ()
    shapes = outlines_of(landslides_of(_inventory.path, _inventory.form, plan, _grid, _inventory.name))
    collection, left_out = features(shapes, {tr_noop("Landslide"): [str(number) for number in shapes["id"]]})
    name = tr_noop("Known landslides")
    return (Outlines("reference", name, collection, REFERENCE, left_out=left_out, seam=True),)


def outcome_layers(result: SusceptibilityMap, held: HeldOut, cut: float, *, visible: bool) -> list[Outlines]:
    """Cells that a model was asked about, in the colours of what came of it."""
    from core.serve.coordinates import features
    from core.tasks.susceptibility.map_findings import outcome_dots

    layers = []
    for name, shapes in outcome_dots(held, cut, result.grid).items():
        if len(shapes):
            collection, left_out = features(shapes, {tr_noop("Cell"): [OUTCOME_WORDS[name]] * len(shapes)})
            layers.append(Outlines(
                name.replace(" ", "-"), OUTCOME_WORDS[name], collection, OUTCOME_COLOURS[name], visible=visible,
                left_out=left_out, fill=0.8, seam=True, switch=OUTCOME,
                legend=Legend(tr_noop("Test cells"), (LegendEntry(OUTCOME_COLOURS[name], OUTCOME_WORDS[name]),)),
            ))  # fmt: skip
    return layers


