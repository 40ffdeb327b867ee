"""What tasks declare of themselves can be loaded, is told apart, and keeps what was asked."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError, ModelError
from core.learning.config import TrainConfig
from core.raster.terrain_factors import TerrainOptions
from core.runs import kinds
from core.runs.kinds import Kind, Ref, Task, find_task, parameters_of, request_from, result_class, tasks
from core.runs.queue import finite
from core.runs.result import RunResult
from core.series import columns as series
from core.series.corrections import Correction
from core.tasks.detection import options as detection_options
from core.tasks.detection import run as detection
from core.tasks.detection import run_model as detection_models
from core.tasks.displacement import acknowledge as seen
from core.tasks.displacement import plan as forecasts
from core.tasks.displacement import run as monitored
from core.tasks.displacement import run_explanation as reasons
from core.tasks.displacement import run_points as points
from core.tasks.displacement import scenario as supposed
from core.tasks.imagery.explanation import ExplanationRequest
from core.tasks.imagery.model_runs import Description, TrainingRequest
from core.tasks.imagery.target import AskedOutline, AskedPixel, BoxTarget
from core.tasks.joined.box_outline import OutlineQuestion
from core.tasks.mapping import options as mapping_options
from core.tasks.mapping import run as mapping
from core.tasks.mapping import run_model as mapping_models
from core.tasks.mapping.run_outlines import OutlinesRequest
from core.tasks.registry import FURTHER, load_tasks
from core.tasks.susceptibility import run as susceptibility
from core.tasks.susceptibility.area import AreaPlan, GivenFactor
from core.tasks.susceptibility.cells import Columns
from core.tasks.susceptibility.landslides import InventoryPlan
from core.tasks.susceptibility.run_applied import ApplyRequest
from core.tasks.susceptibility.run_explanation import ExplainRequest
from core.tasks.susceptibility.run_map import MapRequest
from core.tasks.susceptibility.run_sensitivity import SensitivityRequest
from core.tasks.susceptibility.sampling import SamplingPlan
from core.tasks.susceptibility.validate import Plan

REPOSITORY = Path(__file__).resolve().parents[2]
LONGEST = 32
"""Signs of the name of a task or kind that every database takes."""

SQUARE = {"type": "Polygon", "coordinates": [[[0.0, 0.0], [9.5, 0.0], [9.5, 9.5], [0.0, 0.0]]]}
BOX = BoxTarget((1.0, 2.5, 30.0, 40.25), 0.75, 3)
MAPPING = (
    mapping.Request("red"),
    mapping.Request(
        "red", bands=(3, 2, 1), stretch="2,98", resample="none", area=SQUARE, engine="torch",
        options=mapping_options.Options(overlap=0.5, test_time_augmentation=True, batch=4),
    ),
)  # fmt: skip
DETECTION = (
    detection.Request("bright"),
    detection.Request(
        "bright", bands=(1, 2, 3), area=SQUARE,
        options=detection_options.Options(overlap=0.0, batch=1, min_confidence=0.1, max_detections=7),
    ),
)  # fmt: skip


def training(name: str) -> TrainingRequest:
    """The training of a shipped description, with its nested tuples and tables."""
    path = f"models/configs/{name}.toml"
    return TrainingRequest(
        TrainConfig.read(REPOSITORY / path), "patches", work="work", card=False, description=Description(path, "1" * 64)
    )


REQUESTS: dict[tuple[str, str], tuple[Any, ...]] = {
    ("mapping", "mapping"): MAPPING,
    ("mapping", "scored"): MAPPING,
    ("mapping", "explanation"): (
        ExplanationRequest(AskedPixel(3, 4), "grad-cam", "encoder.4"),
        ExplanationRequest(AskedOutline(SQUARE, 2), "occlusion"),
    ),
    ("mapping", "outlines"): (OutlinesRequest(0.5, 100.0, 25.0), OutlinesRequest(0.25, 0.0, 0.0, terrain=True)),
    ("mapping", "evaluation"): (
        mapping_models.EvaluationRequest("images", "masks"),
        mapping_models.EvaluationRequest("images", "masks", 0.4, test_time_augmentation=True),
    ),
    ("mapping", "training"): (
        training("unet-regnety"),
        replace(training("aerial-unet"), command="card", work="", card=True, keep_scores=True),
    ),
    ("detection", "detection"): DETECTION,
    ("detection", "scored"): DETECTION,
    ("detection", "explanation"): (ExplanationRequest(BOX, "d-rise"), ExplanationRequest(BOX, "hires-cam", "layer2")),
    ("detection", "outline"): (OutlineQuestion(BOX, "red"), OutlineQuestion(BOX, "red", 0.25)),
    ("detection", "evaluation"): (
        detection_models.EvaluationRequest("images", "masks"),
        detection_models.EvaluationRequest("images", "masks", 0.3, 0.5, "fusion"),
    ),
    ("detection", "training"): (training("detection/rt-detr-small"),),
    ("susceptibility", "susceptibility_map"): (
        MapRequest(),
        MapRequest(
            AreaPlan(("slope",), TerrainOptions("zevenbergen_thorne", 0.5), (GivenFactor("rock", 1, "category", 2),), 3,
                     "EPSG:32717", 12.5),
            InventoryPlan("upper", "slide", "yes", "x", "y", "EPSG:4326", swap_xy=True),
            SamplingPlan(2.0, 50.0, 5.0, 100, 7), Plan(("svm",), ("blocks",), 3, 2, 4), ("svm",), False, False, 0.02,
        ),
    ),
    ("susceptibility", "susceptibility_elsewhere"): (ApplyRequest(), ApplyRequest(InventoryPlan(x="a", y="b"))),
    ("susceptibility", "explanation"): (ExplainRequest("svm"), ExplainRequest("svm", "cell", 3, 4, 50, 6)),
    ("susceptibility", "sensitivity"): (
        SensitivityRequest("svm"), SensitivityRequest("svm", (0.0, 10.0), (5.0,), 2, 3),
    ),
    ("susceptibility", "validation"): (
        susceptibility.Request(Columns("slide", ("slope",))),
        susceptibility.Request(
            Columns("slide", ("slope", "rock"), ("rock",), "x", "y", "EPSG:32717", "area", "year", "yes", swap_xy=True),
            ("svm", "average"), ("random", "group"), 4, 3, 2,
        ),
    ),
    ("displacement", "explanation"): (
        reasons.ExplainRequest("A", "ridge"), reasons.ExplainRequest("A", "ridge", "2020-01-02", "2020-01-05", 3),
    ),
    ("displacement", "scenario"): (
        supposed.ScenarioRequest("A", "ridge", (("rain", 120.0), ("lake", -2.5))),
    ),
    ("displacement", "acknowledgement"): (
        seen.Acknowledgement("A", "2020-01-02T00:00:00", 1, "N. N.", "Looked at on site."),
    ),
    ("displacement", "point_velocity"): (
        points.PointsRequest(), points.PointsRequest("m", "EPSG:32633", 20.0, (13.2, 38.7, 250.0), 50.0),
    ),
    ("displacement", "forecast"): (
        monitored.ForecastRequest(series.Columns("date", ("a", "b"))),
        monitored.ForecastRequest(
            series.Columns(
                "date", components=(series.Components("A", "n", "e", "u"),), reference=series.Components("B", "x", "y"),
                rain=("rain",), level=("lake",), increments=True, unit="cm", date_order="dmy", clock="hour",
            ),
            forecasts.Plan(7, 0.6, ("no_change", "ridge"), 5, 100, ("lake",), "split", 3), ("A",), "7D",
            (Correction("remove", "A", "2020-01-01"), Correction("shift", "A", "2020-01-01", "", 2.5, "north", "step")),
        ),
        monitored.ForecastRequest(series.Columns("date", ("a", "b"), reference="c", station="name")),
    ),
}
"""Requests of every kind that declares one: the least that can be asked, and all of it."""

ASKED = [
    pytest.param(task, kind, request, id=f"{task}-{kind}-{number}")
    for (task, kind), requests in REQUESTS.items()
    for number, request in enumerate(requests)
]


def as_stored(request: Any) -> dict[str, Any]:
    """The parameters of a request as they are read from the database."""
    content: dict[str, Any] = json.loads(json.dumps(finite(parameters_of(request)), allow_nan=False))
    return content


def refs() -> Iterator[tuple[str, Ref]]:
    """Everything that tasks name without importing it."""
    for task in tasks().values():
        for owner, declared in ((task.name, task), *((f"{task.name}-{kind.name}", kind) for kind in task.kinds)):
            for entry in fields(declared):  # type: ignore[arg-type]
                if isinstance(value := getattr(declared, entry.name), Ref):
                    yield f"{owner}-{entry.name}", value


@pytest.mark.parametrize("ref", [pytest.param(ref, id=name) for name, ref in refs()])
def test_everything_that_a_task_names_is_there(ref: Ref) -> None:
    assert ref.load() is not None


def every_kind() -> list[Any]:
    return [
        pytest.param(task, kind, id=f"{task.name}-{kind.name}") for task in tasks().values() for kind in task.kinds
    ]


@pytest.mark.parametrize(("task", "kind"), every_kind())
def test_a_kind_is_worked_by_job_and_request_and_gives_a_result(task: Task, kind: Kind) -> None:
    assert len(inspect.signature(kind.work.load()).parameters) == 2
    assert issubclass(kind.result.load(), RunResult)
    assert result_class(task.name, kind.name) is kind.result.load()
    assert task.kind(kind.name) is kind
    if kind.request is not None:
        asked = kind.request.load()
        assert is_dataclass(asked)
        assert asked.__dataclass_params__.frozen  # type: ignore[attr-defined]


def test_names_are_told_apart() -> None:
    for names in (
        [task.name for task in load_tasks()],
        *([kind.name for kind in task.kinds] for task in tasks().values()),
        *([kind.title for kind in task.kinds] for task in tasks().values()),
        *([metric.name for metric in task.metrics] for task in tasks().values()),
        *([role.name for role in task.roles] for task in tasks().values()),
    ):
        assert len(set(names)) == len(names) > 0
        assert all(names)
    for task in tasks().values():
        assert len(task.name) <= LONGEST
        assert all(len(kind.name) <= LONGEST for kind in task.kinds)
        assert any(kind.primary for kind in task.kinds)


def test_a_number_that_two_tasks_share_is_written_alike() -> None:
    """A list of runs of all tasks has one column for it."""
    for shown in kinds.all_metrics():
        for task in tasks().values():
            assert task.metric(shown.name) in (None, shown)


def test_every_kind_that_declares_a_request_is_tried_here() -> None:
    declared = {(task.name, kind.name) for task in tasks().values() for kind in task.kinds if kind.request is not None}
    assert set(REQUESTS) == declared


@pytest.mark.parametrize(("task", "kind", "request_"), ASKED)
def test_a_request_comes_back_from_the_database_as_it_was(task: str, kind: str, request_: Any) -> None:
    found = request_from(task, kind, as_stored(request_))

    assert found == request_
    assert type(found) is type(request_)
    assert parameters_of(found) == parameters_of(request_)
    assert types_of(found) == types_of(request_)


def types_of(request: Any) -> list[type]:
    """Types of all that a request holds: a list equals no tuple, but a whole number equals a broken one."""
    if is_dataclass(request):
        inner: Any = [getattr(request, entry.name) for entry in fields(request)]
    elif isinstance(request, dict):
        inner = list(request.values())
    else:
        inner = request if isinstance(request, list | tuple) else ()
    return [type(request), *(found for one in inner for found in types_of(one))]


@pytest.mark.parametrize(("task", "kind", "request_"), ASKED)
def test_what_another_version_asked_beside_is_passed_over(task: str, kind: str, request_: Any) -> None:
    assert request_from(task, kind, {**as_stored(request_), "of_another_version": {"deep": [1]}}) == request_


@pytest.mark.parametrize(("task", "kind", "request_"), ASKED)
def test_what_is_of_the_wrong_type_or_missing_is_said_with_its_name(task: str, kind: str, request_: Any) -> None:
    parameters, title = as_stored(request_), find_task(task).kind(kind).title.lower()  # type: ignore[union-attr]
    said = rf"The parameters of this {title} cannot be used\. {{}}\b.*settings of this version"
    for entry, key in zip(fields(request_), parameters, strict=True):  # some are stored under an earlier name
        with pytest.raises(InputError, match=said.format(key)):
            request_from(task, kind, {**parameters, key: [[{}]]})
        if entry.default is MISSING and entry.default_factory is MISSING:
            without = {name: value for name, value in parameters.items() if name != key}
            with pytest.raises(InputError, match=said.format(key)):
                request_from(task, kind, without)


@pytest.mark.parametrize(
    ("task", "kind", "change", "words"),
    [
        ("mapping", "mapping", {"options": {"overlap": 5}}, "The overlap 5 is not between 0 and 0.9"),
        ("mapping", "outlines", {"threshold": 1.5}, "The threshold 1.5 is not between 0 and 1"),
        ("mapping", "explanation", {"method": "tea-leaves"}, "tea-leaves"),
        ("detection", "detection", {"options": {"limit": 0}}, "The number of detections per tile, 0, is not between"),
        ("detection", "outline", {"threshold": -1}, "The threshold -1 is not between 0 and 1"),
    ],
)
def test_what_a_request_refuses_itself_is_said_in_its_words(
    task: str, kind: str, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=f"^[^.]*{words}"):
        request_from(task, kind, {**as_stored(REQUESTS[task, kind][0]), **change})


def test_parameters_of_a_kind_without_a_request_stay_as_they_are() -> None:
    parameters = {"anything": [1, {"deep": None}]}
    free = [(task.name, kind.name) for task in tasks().values() for kind in task.kinds if kind.request is None]
    assert free
    for task, kind in free:
        assert request_from(task, kind, parameters) == parameters


def test_a_task_or_a_kind_that_nobody_knows_is_said() -> None:
    with pytest.raises(InputError, match=r"no task 'sorcery'.*Available tasks: .*mapping"):
        find_task("sorcery")
    with pytest.raises(InputError, match="no kind of run 'sorcery' of the task mapping"):
        result_class("mapping", "sorcery")
    assert find_task("mapping").kind("sorcery") is None
    assert find_task("mapping").metric("sorcery") is None


@pytest.mark.parametrize(
    "target", ["no_such_module:TASK", "core.tasks.mapping.no_such_module:TASK", "core.tasks.mapping.task:NOTHING"]
)
def test_a_further_task_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    monkeypatch.setenv(FURTHER, target)

    with pytest.raises(ModelError, match=rf"^{target} is not part of this installation"):
        load_tasks()


def test_a_further_task_is_one_like_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "further_task_of_a_test.py").write_text(
        "from core.runs.kinds import Kind, Ref, Task\n"
        "KINDS = (Kind('count', 'Count', work=Ref('further_task_of_a_test:count')),)\n"
        "TASK = Task('counting', 'Counting', 'counts', (), KINDS)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    own = [task.name for task in load_tasks()]
    monkeypatch.setenv(FURTHER, " further_task_of_a_test:TASK ,")

    assert [task.name for task in load_tasks()] == [*own, "counting"]


def test_a_module_that_is_broken_is_not_told_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_task_of_a_test.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(ZeroDivisionError):
        Ref("broken_task_of_a_test:TASK").load()
