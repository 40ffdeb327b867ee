"""A map of susceptibility as a run: from an elevation model, factors and an inventory to validated, mapped models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.raster.folder import write_json
from core.raster.scene import Scene
from core.runs.kinds import parameters_of
from core.runs.provenance import environment
from core.runs.records import Input, Order
from core.tasks.susceptibility.applicability import Applicability, importance
from core.tasks.susceptibility.area import Area, AreaPlan, write_factors
from core.tasks.susceptibility.cells import Cells, check_classes, collinear, varying
from core.tasks.susceptibility.estimators import load_model, save_model
from core.tasks.susceptibility.factor_columns import MOST_CATEGORIES
from core.tasks.susceptibility.factors import kinds_of
from core.tasks.susceptibility.findings import cells_table
from core.tasks.susceptibility.folds import strictest
from core.tasks.susceptibility.groups import group_labels
from core.tasks.susceptibility.index_map import MOST_MAPPED, MapCounts, MapJob, Mapped, said
from core.tasks.susceptibility.landslides import ElevationRows, InventoryPlan, Landslides, landslides_of
from core.tasks.susceptibility.map_result import AREAS, BACKGROUND, DEM, FACTOR, FACTORS, INVENTORY, SusceptibilityMap
from core.tasks.susceptibility.models import ANCHOR, AVERAGE, CALIBRATED, UNWEIGHTED, pipeline_of, title_of
from core.tasks.susceptibility.result import CELLS, SCORES
from core.tasks.susceptibility.run import notes_of
from core.tasks.susceptibility.sampling import Sample, SamplingPlan, draw, frame_of, values_at
from core.tasks.susceptibility.synthetic import synthetic_notes
from core.tasks.susceptibility.validate import Plan, Validation, quiet, table_of, validate
from core.wording import agree, count

if TYPE_CHECKING:
    import pandas as pd

    from core.jobs.perform import Job
    from core.raster.grid import Grid
    from core.runs.records import DatasetRecord

TASK = "susceptibility"
KIND = "susceptibility_map"

LARGEST_SEED = 2**31 - 1
"""Seeds of divisions follow it, and scikit-learn takes none from 2³² on."""

MOST_REPEATS = 1_000
"""Divisions of a scheme."""


@dataclass(frozen=True)
class MapRequest:
    """What is asked of an area.

    Attributes
    ----------
    area, inventory, sampling
        Factors and grid, how the inventory is read, and how cells are drawn.
    plan
        Models and how they are validated.
    mapped
        Models that are mapped, the one that is shown first before the others.
    uncertainty
        Whether the spread of the first one over the folds is mapped.
    applicability
        Whether it is mapped how unlike each cell is to those that models learnt from.
    prevalence
        Share of cells with a landslide in truth, if it is known; 0 otherwise. See
        `core.tasks.susceptibility.prior`.
    """

    area: AreaPlan = field(default_factory=AreaPlan)
    inventory: InventoryPlan = field(default_factory=InventoryPlan)
    sampling: SamplingPlan = field(default_factory=SamplingPlan)
    plan: Plan = field(default_factory=lambda: Plan(repeats=5))
    mapped: tuple[str, ...] = (ANCHOR,)
    uncertainty: bool = True
    applicability: bool = True
    prevalence: float = 0.0

    def check(self) -> None:
        """Refuse what cannot be mapped.

        Raises
        ------
        InputError
            When no model, too many, or one that is not validated is to be mapped, or a seed, the repeats or the
            prevalence is out of range.
        """
        if not 1 <= len(set(self.mapped)) == len(self.mapped) <= MOST_MAPPED:
            raise InputError(f"The number of models to map, {len(self.mapped)}, is out of range.",
                             remedy=f"Choose 1 to {MOST_MAPPED}, each once (--map).")  # fmt: skip
        stray = [one for one in self.mapped if one not in self.plan.models]
        if stray:
            raise InputError(
                f"{stray[0]} is to be mapped but not validated.", "The quality of its map would not be known.",
                "Add it to the models (--models).",
            )  # fmt: skip
        for name, seed in (("sampling", self.sampling.seed), ("validation", self.plan.seed)):
            if not 0 <= seed <= LARGEST_SEED:
                raise InputError(f"{seed} is not a valid seed for the {name}.",
                                 remedy=f"Choose 0 to {LARGEST_SEED:,} (--seed).")  # fmt: skip
        if not 1 <= self.plan.repeats <= MOST_REPEATS:
            raise InputError(f"The number of repeats, {self.plan.repeats:,}, is out of range.",
                             remedy=f"Choose 1 to {MOST_REPEATS:,} (--repeats).")  # fmt: skip
        if not 0 <= self.prevalence < 1:
            raise InputError(f"{self.prevalence:g} is not a valid prevalence (share of cells with a landslide).",
                             remedy="Give a number between 0 and 1, such as 0.02, or none (--prevalence).")  # fmt: skip
        self.plan.check_tuning()
        if self.prevalence and self.plan.weights == "balanced":
            parts = [part for one in self.mapped for part in parts_of(one, self.plan.models)]
            mixed = [one for one in parts if one in (*UNWEIGHTED, *CALIBRATED)]
            if mixed:
                raise InputError(
                    f"{title_of(mixed[0])} handles balanced weights differently from the other models.",
                    "A probability can only be calculated if the share of landslides behind the index is known.",
                    "Remove the weights, the prevalence or that model.",
                )  # fmt: skip


def order_of(
    request: MapRequest, dem: DatasetRecord | None, factors: Sequence[DatasetRecord], inventory: DatasetRecord,
    areas: DatasetRecord | None = None, *, owner: str = "", name: str = "",
) -> Order:  # fmt: skip
    """The order of a map of datasets of the store.

    Raises
    ------
    InputError
        When it cannot be made; see `MapRequest.check`.
    """
    request.check()
    request.area.check(dem=dem is not None, rasters=len(factors))
    _check_groups(request, areas=areas is not None)
    given = [*([(DEM, dem)] if dem is not None else []), (INVENTORY, inventory), *((FACTOR, one) for one in factors)]
    given += [] if areas is None else [(AREAS, areas)]
    inputs = tuple(Input(role, one.id, one.name, one.digest) for role, one in given)
    return Order(TASK, KIND, parameters_of(request), inputs, request.mapped[0], owner=owner, name=name)


def _check_groups(request: MapRequest, *, areas: bool) -> None:
    """Refuse to leave out areas or events that are not named."""
    schemes, inventory = request.plan.schemes, request.inventory
    for scheme, known, remedy in (
        ("group", areas or inventory.area, "Name a column of the inventory (area in [inventory]), or give a layer of "
         "areas (areas in [data])."),
        ("date", inventory.event, "Name a column of the inventory (event in [inventory])."),
    ):  # fmt: skip
        if scheme in schemes and not known:
            raise InputError(f"The validation scheme {scheme!r} needs to know which groups to leave "
                             "out.", remedy=remedy)


def map_area(job: Job, request: MapRequest) -> SusceptibilityMap:
    """Do the work of a run of kind ``"susceptibility_map"``."""
    request.check()
    job.report(0, 0, "Reading the rasters")
    inputs = {one.role: job.store.dataset(one.dataset_id) for one in job.run.inputs if one.role != FACTOR}
    rasters = [job.store.dataset(one.dataset_id) for one in job.run.inputs if one.role == FACTOR]
    dem = scene_of(inputs[DEM]) if DEM in inputs else None
    area = Area.of(request.area, dem, [scene_of(one) for one in rasters])
    written = write_factors(area, job.folder / "factors.tif", job.counting("Writing factors, part"), job.stopped)
    scene, inventory = Scene.ours(job.folder / "factors.tif", FACTORS), inputs[INVENTORY]
    job.report(0, 0, "Placing the landslides")
    slides = labelled_landslides(request.inventory, scene.grid, inventory, inputs.get(AREAS))
    sample, cells = _cells(job, request, scene, slides, inventory.name)
    found = validate(cells, request.plan, job.counting("Fitting model"), job.stopped)
    background = _background(scene, sample, cells)
    work = _Fitting(request, cells, found)
    mapped = work.mapped()
    likeness = None
    weights: dict[str, float] = {}
    if request.applicability:
        job.report(0, 0, "Comparing cells")
        weights = importance(mapped[0].fitted, cells.factors, cells.landslide, request.plan.seed)
        likeness = Applicability.fit(cells.factors, cells.kinds, weights, work.fold_numbers(), request.plan.seed)
    outcome = MapJob(
        scene, request.area.names, tuple(map(str, cells.factors.columns)), cells.kinds, mapped, slides,
        {name: frozenset(cells.factors[name]) for name in cells.categorical}, likeness,
    )  # fmt: skip
    counts = outcome.write(job.folder, job.counting("Mapping, part"), job.stopped)
    ranks = work.ranks(background.drop(columns="cell"))
    job.report(0, 0, "Saving the result")
    artifacts = _keep(job, request, found, cells, background)
    for name, model in work.fitted.items():
        artifacts |= save_model(model, name, job.folder)
    artifacts |= {path.stem: path.name for path in job.folder.glob("*.tif")}
    scores = _scores(request.plan, found)
    return SusceptibilityMap(
        id=job.run.id,
        kind=job.run.kind,
        folder=job.folder,
        model=request.mapped[0],
        artifacts=artifacts,
        inputs=job.run.inputs,
        scores=scores,
        count=len(cells.landslide),
        landslides=int(cells.landslide.sum()),
        factors=tuple(map(str, cells.factors.columns)),
        categorical=cells.categorical,
        circular=cells.circular,
        grid=scene.grid,
        bands=request.area.names,
        mapped=request.mapped,
        area=counts.area,
        square_metres=counts.square_metres,
        hits=counts.landslides,
        ranks=ranks,
        layers=tuple(one.text() for one in written.reports),
        unknown=written.unknown,
        limit=None if likeness is None else likeness.threshold,
        outside=None if counts.outside is None else counts.outside / max(counts.known, 1),
        prevalence=request.prevalence or None,
        sampled_share=0.5 if request.plan.weights == "balanced" else float(cells.landslide.mean()),
        notes=(
            *synthetic_notes((*inputs.values(), *rasters)), *area.notes, *written.notes, *slides.notes, *sample.notes,
            *cells.notes, *_told(request, counts, scene, cells, mapped[0]), *notes_of(request.plan, scores),
        ),
        provenance={
            **job.times(), "parameters": dict(job.run.parameters), "seed": request.plan.seed,
            "importance": weights, **environment(),
        },
    )  # fmt: skip


def labelled_landslides(
    plan: InventoryPlan, grid: Grid, inventory: DatasetRecord, areas: DatasetRecord | None
) -> Landslides:
    """The landslides of an inventory on a grid, with the areas and events that are named.

    Raises
    ------
    LandslideError
        When a file cannot be read, or lies elsewhere.
    """
    slides = landslides_of(inventory.path, inventory.form, plan, grid, inventory.name)
    layer = None if areas is None else (areas.path, areas.name)
    return replace(slides, labels=group_labels(inventory.path, inventory.form, plan, grid, inventory.name, layer))


def scene_of(record: DatasetRecord) -> Scene:
    """A raster of the store."""
    return Scene.open(record.path, record.name, synthetic=record.synthetic)


def _cells(
    job: Job, request: MapRequest, scene: Scene, slides: Landslides, name: str
) -> tuple[Sample, Cells]:
    """The cells that models learn from, and their factors."""
    with_one = landslide_cells(request, scene, slides)
    told = job.counting("Sampling cells, row")
    sample = draw(scene, slides, with_one, request.sampling, request.area.kinds, told, job.stopped)
    check_classes(sample.landslide, request.inventory.label or "the inventory", name)
    return sample, cells_of_sample(request, scene, slides, sample)


def landslide_cells(
    request: MapRequest, scene: Scene, slides: Landslides
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cells of landslides that models learn from, and the number of the landslide of each."""
    names = request.area.names
    elevation = ElevationRows(scene.path, names.index("elevation") + 1) if "elevation" in names else None
    return slides.cells(request.inventory.part, elevation)


def cells_of_sample(request: MapRequest, scene: Scene, slides: Landslides, sample: Sample) -> Cells:
    """The cells of a sample with their factors, as models take them.

    Raises
    ------
    InputError
        When no factor differs among them, or one has too many classes.
    """
    names, kinds = request.area.names, request.area.kinds
    notes: list[str] = []
    frame = varying(frame_of(values_at(scene, sample.cells), names, kinds), notes)
    used = kinds_of(list(frame.columns), kinds.classes, kinds.circular)
    many = next((one for one in used.classes if frame[one].nunique() > MOST_CATEGORIES), None)
    if many is not None:
        raise InputError(
            f"{many} has {frame[many].nunique():,} different values among the cells; the "
            f"limit for a categorical factor is {MOST_CATEGORIES}.",
            "Classes with very few cells cannot be used for training.",
            "Merge classes, or treat it as a quantity.",
        )  # fmt: skip
    notes += collinear(frame[list(used.quantities)])
    if request.inventory.part != "centroid" and slides.polygons is not None:
        notes.append(
            "Several cells lie in the same landslide: under random folds a model is tested on landslides of which it "
            "has been trained on a part. Rely on spatial folds."
        )
    row, column = np.divmod(sample.cells, scene.grid.width)
    t = scene.grid.transform
    x, y = t.a * (column + 0.5) + t.b * (row + 0.5) + t.c, t.d * (column + 0.5) + t.e * (row + 0.5) + t.f
    places = np.column_stack([x, y]) * _metres_per_unit(scene)
    groups: dict[str, NDArray[np.object_]] = {}
    if slides.labels is not None:
        drawn = slides.absences is None
        groups, told = slides.labels.of(
            sample.cells, sample.landslide, scene.grid.width, request.sampling.seed, drawn=drawn
        )
        notes += told
    return Cells(
        frame, used.classes, sample.landslide, places, groups, sample.cells.astype(np.intp), tuple(notes), used.circular
    )


def _metres_per_unit(scene: Scene) -> float:
    crs = scene.grid.crs
    return 1.0 if crs is None else float(crs.linear_units_factor[1])


@dataclass(frozen=True)
class _Fitting:
    """Fits the models that are mapped, on all cells and on all folds but one."""

    request: MapRequest
    cells: Cells
    found: Validation
    fitted: dict[str, Any] = field(default_factory=dict)
    """Models that were fitted on all cells, by name."""

    def mapped(self) -> tuple[Mapped, ...]:
        """The models that are mapped, the first one with an ensemble for its spread and for ranks."""
        everything = np.ones(len(self.cells.landslide), np.bool_)
        made: list[Mapped] = []
        with quiet():
            for name in self.request.mapped:
                ensemble = self._members(name) if self.request.uncertainty and not made else ()
                for one in self._parts(name):
                    if one not in self.fitted:
                        self.fitted[one] = self._fit(one, everything)
                made.append(Mapped(name, tuple(self.fitted[one] for one in self._parts(name)), ensemble))
        return tuple(made)

    def ranks(self, background: pd.DataFrame) -> NDArray[np.float64]:
        """Of each landslide, the share of the area that a model which has not seen it puts above it.

        Landslides of the same index as a part of the area, as trees give, are spread over that part.
        """
        name, slide = self.request.mapped[0], self.cells.landslide
        ranks = np.full(len(slide), np.nan)
        rng = np.random.default_rng(self.request.plan.seed)
        with quiet():
            for kept_back in self._folds():
                asked = kept_back & slide
                if not asked.any():
                    continue
                member = tuple(self._fit(one, ~kept_back) for one in self._parts(name))
                area = np.sort(said(member, background))
                ours = said(member, self.cells.factors[asked])
                above = len(area) - np.searchsorted(area, ours, side="right")
                ties = np.searchsorted(area, ours, side="right") - np.searchsorted(area, ours, side="left")
                ranks[asked] = (above + ties * _spread(ours, rng)) / len(area)
        known: NDArray[np.float64] = ranks[np.isfinite(ranks)]
        return known

    def fold_numbers(self) -> NDArray[np.intp]:
        """(cells,) fold of each in the first division, of spatial folds where there are any."""
        return self.found.first[strictest(self.request.plan.schemes)].fold

    def _folds(self) -> list[NDArray[np.bool_]]:
        """Cells that are kept back, fold by fold."""
        fold = self.fold_numbers()
        masks = [fold == number for number in range(int(fold.max()) + 1)]
        slide = self.cells.landslide
        return [one for one in masks if slide[~one].any() and not slide[~one].all()]

    def _members(self, name: str) -> tuple[tuple[Any, ...], ...]:
        """The model without each fold; none where fewer than two can be fitted, which have no spread."""
        members = tuple(tuple(self._fit(one, ~fold) for one in self._parts(name)) for fold in self._folds())
        return members if len(members) > 1 else ()

    def _parts(self, name: str) -> tuple[str, ...]:
        """Names of the estimators that a model is made of."""
        return parts_of(name, self.request.plan.models)

    def _fit(self, name: str, rows: NDArray[np.bool_]) -> Any:  # noqa: ANN401  scikit-learn's own
        plan = self.request.plan
        model = pipeline_of(
            name, self.cells.kinds, plan.seed, self.found.settings.get(name), weights=plan.weights,
            monotone=plan.monotone,
        )  # fmt: skip
        return model.fit(self.cells.factors[rows], self.cells.landslide[rows])


def _spread(values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Of each value, where it lies between 0 and 1 among its equals: one at random in each of as many equal parts."""
    order = np.lexsort([rng.random(len(values)), values])
    _, first, inverse, number = np.unique(values[order], return_index=True, return_inverse=True, return_counts=True)
    place = np.empty(len(values))
    place[order] = (np.arange(len(values)) - first[inverse] + rng.random(len(values))) / number[inverse]
    return place


def parts_of(name: str, models: Sequence[str]) -> tuple[str, ...]:
    """Names of the estimators that a model is made of: itself, or all others of an average."""
    return tuple(one for one in models if one != AVERAGE) if name == AVERAGE else (name,)


def fitted_models(result: SusceptibilityMap, name: str) -> tuple[Any, ...]:
    """The estimators of a model of a map, as they were kept.

    Raises
    ------
    LandslideError
        When one is gone or damaged.
    """
    files = {role: result.folder / file for role, file in result.artifacts.items()}
    return tuple(load_model(one, files) for one in parts_of(name, result.models))


def applicability_of(result: SusceptibilityMap) -> Applicability | None:
    """What tells how unlike cells are to those of a map, made of them again; None where that was not asked for."""
    if result.limit is None:
        return None
    table = cells_table(result)
    fold = next(f"fold:{one}" for one in ("spatial", "blocks", *result.schemes) if f"fold:{one}" in table)
    return Applicability.fit(
        table[list(result.factors)], result.kinds, result.provenance["importance"], table[fold].to_numpy(np.intp),
        int(result.provenance["seed"]),
    )  # fmt: skip


def seen_classes(result: SusceptibilityMap) -> dict[str, frozenset[str]]:
    """By factor of classes, those that the cells have that models learnt from."""
    table = cells_table(result)
    return {name: frozenset(table[name]) for name in result.categorical}


def _background(scene: Scene, sample: Sample, cells: Cells) -> pd.DataFrame:
    """Cells drawn of the whole area, with their factors."""
    names = [band.name for band in scene.bands]
    values = values_at(scene, sample.background)
    kinds = cells.kinds
    used = tuple(map(str, cells.factors.columns))
    frame = frame_of(values[:, [names.index(one) for one in used]], used, kinds)
    frame.insert(0, "cell", sample.background)
    return frame


def _scores(plan: Plan, found: Validation) -> dict[str, dict[str, dict[str, object]]]:
    return {model: {scheme: found.scores[scheme][model].to_json() for scheme in found.scores} for model in plan.models}


def _keep(
    job: Job, request: MapRequest, found: Validation, cells: Cells, background: pd.DataFrame
) -> dict[str, str]:
    write_json({"models": _scores(request.plan, found)}, job.folder / "scores.json")
    table_of(cells, found).to_parquet(job.folder / "cells.parquet", index=False)
    background.to_parquet(job.folder / "background.parquet", index=False)
    return {SCORES: "scores.json", CELLS: "cells.parquet", BACKGROUND: "background.parquet"}


def _told(request: MapRequest, counts: MapCounts, scene: Scene, cells: Cells, first: Mapped) -> tuple[str, ...]:
    """What must be known of the map."""
    notes = []
    lacking = 1 - counts.known / (scene.grid.width * scene.grid.height)
    if lacking:
        notes.append(f"{100 * lacking:.1f} % of the grid has no value for at least one factor, and therefore no index.")
    if request.uncertainty and not first.ensemble:
        notes.append("Too few folds hold both classes for training, so the spread over the folds is not mapped.")
    if np.count_nonzero(counts.area[0]) == 1:
        notes.append(f"{title_of(first.name)} gives every cell the same index; the map carries no information.")
    for name, number in counts.unseen.items():
        if number:
            notes.append(
                f"{count(number, 'cell')} ({100 * number / max(counts.known, 1):.1f} %) "
                f"{agree(number, 'has', 'have')} a class "
                f"of {name} that no training cell has; it was treated as none of the known classes."
            )
    if not request.prevalence:
        notes.append(
            f"The index is not a probability: {100 * cells.landslide.mean():.0f} % of the training cells have a "
            "landslide, far "
            "more than in the area."
        )
    return tuple(notes)
