"""Susceptibility, as it declares itself: where landslides are likely, from labelled cells."""

from __future__ import annotations

from core.runs.kinds import Kind, Metric, Ref, Role, Task

_HERE = "core.tasks.susceptibility"

TASK = Task(
    name="susceptibility",
    title="Susceptibility",
    summary="where landslides are likely to occur",
    roles=(
        Role("table", ("table", "vector"), "Table of labelled cells", optional=True),
        Role("inventory", ("vector", "table"), "Inventory of landslides", optional=True),
        Role("dem", ("raster",), "Elevation model", optional=True),
        Role("factor", ("raster",), "Factor", many=True, optional=True),
        Role("areas", ("vector",), "Areas for validation", optional=True),
    ),
    kinds=(
        Kind(
            "susceptibility_map",
            "Susceptibility map",
            work=Ref(f"{_HERE}.run_map:map_area"),
            request=Ref(f"{_HERE}.run_map:MapRequest"),
            result=Ref(f"{_HERE}.map_result:SusceptibilityMap"),
            working="Mapping susceptibility",
            primary=True,
            first=True,
            report=Ref(f"{_HERE}.map_report:MAP"),
            needs=("inventory",),
        ),
        Kind(
            "susceptibility_elsewhere",
            "Map of another area",
            work=Ref(f"{_HERE}.run_applied:map_elsewhere"),
            request=Ref(f"{_HERE}.run_applied:ApplyRequest"),
            result=Ref(f"{_HERE}.map_result:SusceptibilityMap"),
            working="Mapping another area",
            primary=True,
            again_from_parent=True,
            report=Ref(f"{_HERE}.map_report:MAP"),
        ),
        Kind(
            "explanation",
            "Explanation",
            work=Ref(f"{_HERE}.run_explanation:explain"),
            request=Ref(f"{_HERE}.run_explanation:ExplainRequest"),
            working="Explaining",
            group="Explanations",
            bundled_as="explanations",
            explains=True,
            address=Ref("core.tasks.imagery.addresses:explanation"),
        ),
        Kind(
            "sensitivity",
            "Sensitivity of the score",
            work=Ref(f"{_HERE}.run_sensitivity:try_choices"),
            request=Ref(f"{_HERE}.run_sensitivity:SensitivityRequest"),
            working="Testing other settings",
            group="Differences",
            bundled_as="sensitivity",
            address=Ref("core.tasks.imagery.addresses:of_parent"),
        ),
        Kind(
            "validation",
            "Validation of models",
            work=Ref(f"{_HERE}.run:validate_table"),
            request=Ref(f"{_HERE}.run:Request"),
            result=Ref(f"{_HERE}.result:SusceptibilityResult"),
            working="Validating models",
            primary=True,
            first=True,
            report=Ref(f"{_HERE}.report:VALIDATION"),
            needs=("table",),
            labels=Ref(f"{_HERE}.labelled:labelled_rows"),
        ),
    ),
    metrics=(
        Metric("auroc_spatial", "AUROC", headline=True),
        Metric("auroc_random", "AUROC, random folds"),
        Metric("auroc_blocks", "AUROC, square blocks"),
        Metric("auroc_group", "AUROC, areas left out"),
        Metric("auroc_date", "AUROC, events left out"),
        Metric("models", "Models", form="count", better=""),
        Metric("cells", "Cells", form="count", better=""),
    ),
    counted="AUROC: the highest mean of a model over folds and repeats, on spatial folds unless another scheme is "
            "named.",
    counted_each="AUROC: the highest mean of a model over folds and repeats, on spatial folds unless another scheme is "
                 "named; in brackets that model and its 95 % interval. Runs whose intervals overlap widely cannot be "
                 "ranked.",
    model_title=Ref(f"{_HERE}.models:title_of"),
    view=Ref(f"{_HERE}.view:Choice"),
    layers=Ref(f"{_HERE}.layers:LAYERS"),
    export=Ref(f"{_HERE}.export:export_stored"),
    commands=Ref(f"{_HERE}.commands:add_commands"),
    page=Ref("ui.susceptibility.task:PAGE"),
)
