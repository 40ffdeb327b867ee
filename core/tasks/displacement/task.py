"""Displacement, as it declares itself: how a monitored slope moves, and what it will do."""

from __future__ import annotations

from core.runs.kinds import Kind, Metric, Ref, Role, Task

_HERE = "core.tasks.displacement"

TASK = Task(
    name="displacement",
    title="Displacement",
    summary="movement of a monitored slope, and forecasts",
    roles=(
        Role("series", ("table",), "Monitoring series"),
        Role("drivers", ("table",), "Rain and levels", optional=True),
        Role("earlier", ("table",), "Earlier readings", optional=True),
        Role("dem", ("raster",), "Elevation model", optional=True),
        Role("other_orbit", ("table",), "Points of the other orbit", optional=True),
    ),
    kinds=(
        Kind(
            "forecast",
            "Forecast",
            work=Ref(f"{_HERE}.run:forecast"),
            request=Ref(f"{_HERE}.run:ForecastRequest"),
            result=Ref(f"{_HERE}.result:ForecastResult"),
            working="Forecasting",
            primary=True,
            first=True,
            report=Ref(f"{_HERE}.report:FORECAST"),
            needs=("series",),
        ),
        Kind(
            "point_velocity",
            "InSAR velocities",
            work=Ref(f"{_HERE}.run_points:measure"),
            request=Ref(f"{_HERE}.run_points:PointsRequest"),
            result=Ref(f"{_HERE}.points_result:PointsResult"),
            working="Fitting points",
            primary=True,
            first=True,
            report=Ref(f"{_HERE}.points_report:POINTS"),
            needs=("series",),
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
            "scenario",
            "Scenario",
            work=Ref(f"{_HERE}.scenario:suppose"),
            request=Ref(f"{_HERE}.scenario:ScenarioRequest"),
            working="Calculating a scenario",
            group="Scenarios",
            address=Ref("core.tasks.imagery.addresses:of_parent"),
        ),
        Kind(
            "acknowledgement",
            "Acknowledgement",
            work=Ref(f"{_HERE}.acknowledge:acknowledge"),
            request=Ref(f"{_HERE}.acknowledge:Acknowledgement"),
            working="Saving an acknowledgement",
            group="Acknowledgements",
            address=Ref("core.tasks.imagery.addresses:of_parent"),
        ),
    ),
    metrics=(
        Metric("rmse", "RMSE (mm)", better="low", headline=True),
        Metric("skill", "Skill"),
        Metric("mase", "MASE", better="low"),
        Metric("coverage90", "90 % interval coverage", form="share", better=""),
        Metric("stations", "Stations", form="count", better=""),
        Metric("horizon", "Steps ahead", form="count", better=""),
        Metric("points", "InSAR points", form="count", better=""),
        Metric("velocity50", "Median velocity (mm/year)", better=""),
    ),
    counted="Of the first station, for the model selected on the training set; skill is relative to the best simple "
            "forecast there.",
    model_title=Ref(f"{_HERE}.forecasters:title_of"),
    view=Ref(f"{_HERE}.view:Look"),
    layers=Ref(f"{_HERE}.points_layers:LAYERS"),
    export=Ref(f"{_HERE}.export:export_stored"),
    commands=Ref(f"{_HERE}.commands:add_commands"),
    page=Ref("ui.displacement.task:PAGE"),
)
