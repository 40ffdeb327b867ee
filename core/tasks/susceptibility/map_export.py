"""Taking a map of susceptibility away: rasters, landslides, cells, scores and its configuration, for other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.windows import Window

from core.learning.metrics import NODATA_CODE, decode
from core.plots.colours import rgb
from core.plots.gis_style import reference_style
from core.raster.features import write_features
from core.raster.folder import copy_file, make_folder, write_json
from core.raster.scene import Scene
from core.raster.write import atomic_path, writing
from core.runs.about import about
from core.tasks.susceptibility.classed import classed
from core.tasks.susceptibility.export import export_run
from core.tasks.susceptibility.index_map import BLOCK, INDEX
from core.tasks.susceptibility.map_config import config_text
from core.tasks.susceptibility.map_findings import landslides_on, outlines_of
from core.tasks.susceptibility.map_result import FACTORS, INVENTORY, SusceptibilityMap

if TYPE_CHECKING:
    from core.runs.store import Store
    from core.tasks.susceptibility.classed import Classed
    from core.tasks.susceptibility.view import Choice

AS_THEY_ARE = ("uncertainty", "applicability", "difference", FACTORS)
"""Roles of rasters that are copied."""


def own_files() -> tuple[str, ...]:
    """What an export of a map may hold beside that of a validation."""
    from core.tasks.susceptibility.models import NAMES

    made = (f"{INDEX}_{name}.tif" for name in NAMES)
    likely = (f"probability_{name}.tif" for name in NAMES)
    return (*made, *likely, *(f"{one}.tif" for one in AS_THEY_ARE), "classes.tif", "landslides.gpkg",
            "config.toml", "classes.csv", "map.png", "curves.png")  # fmt: skip


def titles_of(result: SusceptibilityMap) -> dict[str, str]:
    """What each file of an export is, for people."""
    from core.tasks.susceptibility.models import title_of

    indices = {f"{INDEX}_{one}.tif": f"Index: {title_of(one)} (GeoTIFF, 0 to 1)" for one in result.mapped}
    likely = {f"probability_{one}.tif": f"Probability: {title_of(one)} (GeoTIFF)" for one in result.mapped}
    return {
        "classes.tif": "Susceptibility classes with colours (GeoTIFF)", **indices, **likely,
        "uncertainty.tif": "Uncertainty (GeoTIFF)",
        "applicability.tif": "Dissimilarity index (GeoTIFF)",
        "difference.tif": "Difference of the first two models (GeoTIFF)", "factors.tif": "All factors (GeoTIFF)",
        "landslides.gpkg": "Landslides with their index (GeoPackage)", "classes.csv": "Classes (CSV)",
        "map.png": "Print map (PNG)", "curves.png": "Success-rate and prediction-rate curves (PNG)",
        "cells.csv": "Design matrix (CSV)", "scores.csv": "Scores (CSV)", "metrics.json": "All results (JSON)",
    }  # fmt: skip


def export_map(store: Store, result: SusceptibilityMap, choice: Choice, folder: Path) -> dict[str, Any]:
    """Write everything of a map into a folder, made when missing; files of the same names are replaced.

    Raises
    ------
    LandslideError
        When a file is gone or the disk is full.
    """
    make_folder(folder)
    for name in own_files():
        (folder / name).unlink(missing_ok=True)
    content = export_run(result, folder)
    write_rasters(result, folder)
    classes = classed(result, choice)
    tags = {"RUN": result.id, "MODEL": classes.model, "CLASSES": "; ".join(
        f"{number} {row.name} ({row.low:.3f} to {row.high:.3f})" for number, row in enumerate(classes.rows, start=1)
    )}  # fmt: skip
    index = result.artifact(result.role_of(classes.model))
    write_classes(index, classes.breaks, classes.colours, folder / "classes.tif", tags)
    with atomic_path(folder / "classes.csv") as aside:
        classes.table().to_csv(aside, index=False)
    content["classes"] = {"model": classes.model, "method": choice.classes, "breaks": list(classes.fractions),
                          "rows": classes.table().to_dict("records")}  # fmt: skip
    write_json(content, folder / "metrics.json")
    write_landslides(store, result, folder / "landslides.gpkg")
    write_figures(store, result, classes, folder)
    run = store.run(result.id)
    if not run.parents:  # of another area the models' own run tells how they were made
        with atomic_path(folder / "config.toml") as aside:
            aside.write_text(config_text(run), encoding="utf-8")
    return content


def write_classes(
    index: Path, breaks: Sequence[int], colours: Sequence[str], path: Path, tags: Mapping[str, str]
) -> None:
    """Write classes of an index as a COG of uint8 with a colour table, window by window.

    Parameters
    ----------
    index
        Raster of codes 0 to 254, 255 for unknown.
    breaks
        First code of each class but the lowest, ascending.
    colours
        Of each class from the lowest, ``#RRGGBB``.
    path
        The raster: 1 for the lowest class, 0 for unknown.
    """
    scene = Scene.ours(index)
    table = {number: (*rgb(colour), 255) for number, colour in enumerate(colours, start=1)}
    with (
        scene.reader() as reader,
        writing(path, scene.grid, nodata=0, descriptions=("class",), tags=tags, overview_resampling="nearest",
                colours=table) as writer,
    ):  # fmt: skip
        for window in _windows(scene):
            codes = reader.read((1,), window).values[0]
            classes = (np.searchsorted(np.asarray(breaks), codes, side="right") + 1).astype(np.uint8)
            classes[codes == NODATA_CODE] = 0
            writer.write(classes, round(window.row_off), round(window.col_off))


def write_index(index: Path, path: Path, tags: Mapping[str, str], correction: Any = None) -> None:  # noqa: ANN401  a function of arrays
    """Write an index as a COG of float32 from 0 to 1, NaN for unknown; corrected first where a correction is given."""
    scene = Scene.ours(index)
    with (
        scene.reader() as reader,
        writing(path, scene.grid, dtype="float32", nodata=float("nan"), descriptions=(path.stem,), tags=tags) as writer,
    ):
        for window in _windows(scene):
            values = decode(reader.read((1,), window).values[0].astype(np.uint8))
            made = values if correction is None else np.asarray(correction(values), dtype=np.float32)
            writer.write(made, round(window.row_off), round(window.col_off))


def _windows(scene: Scene) -> list[Window]:
    height, width = scene.grid.shape
    return [
        Window(column, row, min(BLOCK, width - column), min(BLOCK, height - row))
        for row in range(0, height, BLOCK)
        for column in range(0, width, BLOCK)
    ]


def write_rasters(result: SusceptibilityMap, folder: Path) -> None:
    """Write the index of each mapped model and copy the other rasters."""
    tags = {"RUN": result.id, "SYNTHETIC": str(any("synthetic" in note for note in result.notes)).upper()}
    for model in result.mapped:
        about = {**tags, "MODEL": model, "MEANING": "susceptibility index, 0 to 1; not a probability"}
        index = result.artifact(result.role_of(model))
        write_index(index, folder / f"{INDEX}_{model}.tif", about)
        if result.prevalence is not None:
            meaning = f"probability of a landslide, for a prevalence of {result.prevalence:g}"
            write_index(index, folder / f"probability_{model}.tif", {**about, "MEANING": meaning}, result.probability)
    for role in AS_THEY_ARE:
        if role in result.artifacts:
            copy_file(result.artifact(role), folder / f"{role}.tif")


def write_figures(store: Store, result: SusceptibilityMap, classes: Classed, folder: Path) -> None:
    """Write the map in classes and its curves as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from core.tasks.susceptibility.map_figure import draw_classes, rate_chart
    from core.tasks.susceptibility.rates import curves_of

    slides = outlines_of(landslides_on(store, result)) if result.input(INVENTORY).dataset_id else None
    names = {row.name.capitalize(): colour for row, colour in zip(classes.rows, classes.colours, strict=True)}
    unlike = result.artifact("applicability") if "applicability" in result.artifacts else None
    index = result.artifact(result.role_of(classes.model))
    drawn = {"map.png": draw_classes(index, result.grid, classes.breaks, names, slides, unlike, result.limit or 0.0)}
    curves = curves_of(result, result.mapped.index(classes.model))
    if curves:
        drawn["curves.png"] = rate_chart({name: (one.area, one.hits) for name, one in curves.items()})
    for name, figure in drawn.items():
        FigureCanvasAgg(figure)
        with atomic_path(folder / name) as aside:
            # Without a time in it, equal runs give equal files.
            figure.savefig(aside, format="png", metadata={"Software": "SlideLens", "Creation Time": None})


def write_landslides(store: Store, result: SusceptibilityMap, path: Path) -> None:
    """Write the landslides of the map with the mean index of the cells at their middle, as a GeoPackage."""
    if not result.input(INVENTORY).dataset_id:
        return
    from core.tasks.susceptibility.sampling import values_at

    slides = landslides_on(store, result)
    shapes = outlines_of(slides)
    cells, _ = slides.cells("centroid")
    for model in result.mapped:
        codes = values_at(Scene.ours(result.artifact(result.role_of(model))), cells)[:, 0]
        shapes[f"index_{model}"] = np.where(np.isfinite(codes) & (codes < NODATA_CODE), codes / 254, np.nan)
    if slides.polygons is None:
        shapes = shapes.set_geometry(shapes.geometry.centroid)
    points = slides.polygons is None
    write_features(
        shapes, path, "landslides", style=reference_style("Landslides", points=points), about=about(result)
    )
