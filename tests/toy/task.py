"""Wells, as the task declares itself: how the levels in a table change from row to row."""

from __future__ import annotations

from core.runs.kinds import Kind, Metric, Ref, Role, Task

_HERE = "tests.toy"

TASK = Task(
    name="wells",
    title="Well levels",
    summary="mean and trend of each column of a table",
    roles=(Role("levels", ("table",), "Table of levels"),),
    kinds=(
        Kind(
            "trends",
            "Trends",
            work=Ref(f"{_HERE}.run:compute_trends"),
            request=Ref(f"{_HERE}.run:Request"),
            result=Ref(f"{_HERE}.result:Trends"),
            working="Fitting lines",
            primary=True,
            first=True,
            report=Ref(f"{_HERE}.report:TRENDS"),
        ),
        Kind(
            "influence",
            "Influence of each row",
            work=Ref(f"{_HERE}.run:compute_influence"),
            request=Ref(f"{_HERE}.run:Question"),
            working="Leaving out rows",
            group="Explanations",
            bundled_as="influences",
            explains=True,
            address=Ref(f"{_HERE}.run:address_of_influence"),
        ),
    ),
    metrics=(
        Metric("columns", "Columns", form="count", better=""),
        Metric("steepest", "Steepest trend", better="", headline=True),
    ),
    counted="Of all columns, whatever the slider says.",
    view=Ref(f"{_HERE}.view:Choice"),
    export=Ref(f"{_HERE}.export:export_stored"),
    commands=Ref(f"{_HERE}.commands:add_commands"),
    page=Ref(f"{_HERE}.declared_page:PAGE"),
)
