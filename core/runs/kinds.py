"""The contract of a task: what a task declares of itself, once, and how everything else finds it.

A task is one folder below `core.tasks` whose module ``task`` declares a `Task`, and one line in `core.tasks.registry`.
Whatever works with runs of any task (store, queue, workers, reports, commands, routes, pages) asks the declaration for
what it needs and never names a task itself.

The registry lies above this module. It is therefore found by its name on first use, as are all `Ref` of a task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from core.errors import InputError, ModelError
from core.runs.records import Form

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from core.runs.records import Order, Run
    from core.runs.result import RunResult


@dataclass(frozen=True)
class Ref:
    """Something that is imported when it is first needed.

    Attributes
    ----------
    target
        ``"module:name"``.
    """

    target: str

    def load(self) -> Any:  # noqa: ANN401  whatever the name stands for
        """Import the module and return what the name stands for.

        Raises
        ------
        ModelError
            When there is no such module or name.
        """
        module, _, name = self.target.partition(":")
        try:
            return getattr(import_module(module), name)
        except (ModuleNotFoundError, AttributeError) as error:
            raise ModelError(f"{self.target} is not part of this installation.", str(error), "Update it.") from error


@dataclass(frozen=True)
class Role:
    """What a dataset is to a run.

    Attributes
    ----------
    name
        Name in the order, such as ``"scene"``.
    form
        ``"raster"``, ``"vector"`` or ``"table"``; several where either will do.
    title
        Name on pages.
    many, optional
        Whether a run takes several of them, or may do without.
    """

    name: str
    form: tuple[Form, ...]
    title: str
    many: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Metric:
    """A number by which runs are compared.

    Attributes
    ----------
    name, title
        Key among the metrics of a run, and its heading.
    form
        ``"score"`` (three decimals), ``"share"`` (per cent) or ``"count"`` (a whole number).
    better
        Whether higher or lower values are better; empty where neither is.
    headline
        Whether a list of runs of all tasks has a column for it.
    """

    name: str
    title: str
    form: Literal["score", "share", "count"] = "score"
    better: Literal["high", "low", ""] = "high"
    headline: bool = False

    def text(self, value: float | None) -> str:
        """The number as it is written; a dash where it is undefined."""
        if value is None or value != value:
            return "–"
        if self.form == "count":
            return f"{value:,.0f}"
        return f"{100 * value:.1f} %" if self.form == "share" else f"{value:.3f}"


@dataclass(frozen=True)
class Joint:
    """How a kind of run joins the results of several others, as a report tells it.

    Attributes
    ----------
    record
        Key in the provenance of a list with a record of each joined result, among others its ``model``.
    title
        Heading of what joined them.
    limits_title, limits
        Heading and text of what limits it.
    """

    record: str
    title: str
    limits_title: str
    limits: str


@dataclass(frozen=True)
class Kind:
    """A kind of run within a task.

    Attributes
    ----------
    name
        Name within the task, as it stands in the rows of the store.
    title
        Name on pages.
    titles
        Names of runs of it that were ordered with a ``command`` of another purpose, by that command.
    work
        ``(Job, request) -> RunResult``: computes the run; see `core.jobs.perform.Job`.
    request
        Frozen dataclass of the parameters; None where they are taken as they are. See `request_from`.
    result
        Subclass of `core.runs.result.RunResult`.
    working
        What a run of it does while it is running.
    group
        Under which heading a list of runs finds it.
    primary
        Whether the pages open, read, compare and export it. Other kinds are derived from such a run, or are about a
        model.
    report
        A `core.report.content.ReportKind`; None where there is no report of it.
    bundled_as
        Folder, in the zip of the run it is derived from, that holds its files; empty where it is not part of it.
    shards
        ``(store, run) -> Call | None``: how several workers share the run; None where one does it whole.
    address
        ``(run) -> (page, query parameters)``: where it is seen; None for the task's page with its id.
    first
        Whether it answers a request on inputs alone: its settings can be taken over for another run.
    again_from_parent
        Whether the settings of the run that it is derived from are taken over in place of its own.
    explains
        Whether it explains the run that it is derived from, whose page and report show it.
    needs
        Roles of the task that it cannot do without though others can.
    joins
        How it joins the results of several runs; None where it does not.
    labels
        ``(store, run, view) -> core.review.labels.Labelled``: the labelled rows that it learnt from, to be reviewed;
        None where there are none.
    """

    name: str
    title: str
    work: Ref
    request: Ref | None = None
    result: Ref = Ref("core.runs.result:RunResult")
    working: str = "Working"
    group: str = "Results"
    primary: bool = False
    report: Ref | None = None
    bundled_as: str = ""
    shards: Ref | None = None
    address: Ref | None = None
    first: bool = False
    again_from_parent: bool = False
    explains: bool = False
    needs: tuple[str, ...] = ()
    joins: Joint | None = None
    labels: Ref | None = None
    titles: Mapping[str, str] = field(default_factory=dict, hash=False)

    def title_of(self, run: Run) -> str:
        """What a run of this kind is called on pages."""
        return self.titles.get(str(run.parameters.get("command", "")), self.title)


@dataclass(frozen=True)
class Task:
    """A task of the application.

    Attributes
    ----------
    name, title
        Name in rows, commands and addresses, and its heading.
    summary
        What its commands do, in a few words.
    roles
        What a run takes.
    kinds
        Its kinds of runs.
    metrics
        Numbers by which its runs are compared, in the order in which they are shown.
    counted
        At which settings those numbers are counted, in a sentence.
    counted_each
        The same of several runs beside each other; `counted` where that says it of them too.
    level
        Title of the model's own number from which something counts as found; empty where there is none.
    models
        ``"folder"`` where models are folders below ``models/<task>``, ``"fitted"`` where they are artifacts of runs.
    model_title
        ``(name) -> title`` of a fitted model; None where a model's folder says it.
    view
        Frozen dataclass of the post-processing, with a class method ``default(result)``; see `core.runs.view`.
    layers
        ``name -> core.plots.layers.TileLayer`` or ``DotLayer``: how the rasters and points of its runs are painted.
    features
        ``(store, run, view) -> core.review.found.Found``: what a run found, to be reviewed one by one; None where
        there is no such thing.
    export
        ``(store, run, view | None, folder) -> dict``: writes files for other programs and returns what was exported.
    commands
        ``(parser) -> None``: adds its commands.
    batch
        A `core.batch.figures.BatchFigures`: what a row of a batch shows; None where a run takes more than one dataset.
    page
        A `ui.task.task.TaskPage`: how the browser shows it. Nothing in core loads it.
    """

    name: str
    title: str
    summary: str
    roles: tuple[Role, ...]
    kinds: tuple[Kind, ...]
    metrics: tuple[Metric, ...] = ()
    counted: str = ""
    counted_each: str = ""
    level: str = ""
    models: Literal["folder", "fitted"] = "fitted"
    model_title: Ref | None = None
    view: Ref | None = None
    layers: Ref | None = None
    features: Ref | None = None
    export: Ref | None = None
    commands: Ref | None = None
    batch: Ref | None = None
    page: Ref | None = None
    _by_name: Mapping[str, Kind] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {kind.name: kind for kind in self.kinds})

    def kind(self, name: str) -> Kind | None:
        """A kind by its name; None when the task has none of that name."""
        return self._by_name.get(name)

    def metric(self, name: str) -> Metric | None:
        """A metric by its name; None when the task has none of that name."""
        return next((metric for metric in self.metrics if metric.name == name), None)


REGISTRY = Ref("core.tasks.registry:load_tasks")


@lru_cache(maxsize=1)
def tasks() -> Mapping[str, Task]:
    """All tasks by name, in the order in which they are listed."""
    return {task.name: task for task in REGISTRY.load()()}


def find_task(name: str) -> Task:
    """A task by its name.

    Raises
    ------
    InputError
        When there is none of that name.
    """
    known = tasks()
    if name not in known:
        raise InputError(f"There is no task {name!r}.", "It may belong to a newer version.",
            f"Available tasks: {', '.join(known)}.")
    return known[name]


def role_title(role: str) -> str:
    """What the role of a run's input is called; one that no task here declares is named after itself.

    Examples
    --------
    >>> role_title("dem"), role_title("other_orbit"), role_title("of_another_version")
    ('Elevation model', 'Points of the other orbit', 'Of another version')
    """
    declared = (one.title for task in tasks().values() for one in task.roles if one.name == role)
    return next(declared, role.replace("_", " ").capitalize())


def kind_of(run: Run) -> Kind | None:
    """The kind of a run; None when this installation does not know its task or kind."""
    task = tasks().get(run.task)
    return None if task is None else task.kind(run.kind)


def is_primary(run: Run) -> bool:
    """Whether the pages open, read, compare and export a run, and others are derived from such a one."""
    kind = kind_of(run)
    return kind is not None and kind.primary


def is_explanation(run: Run) -> bool:
    """Whether a run explains the one that it is derived from."""
    kind = kind_of(run)
    return kind is not None and kind.explains


def kind_groups() -> dict[str, tuple[str, ...]]:
    """Names of kinds of runs of all tasks by the heading under which a list finds them, results first."""
    groups: dict[str, dict[str, None]] = {}
    for task in tasks().values():
        for kind in task.kinds:
            groups.setdefault(kind.group, {})[kind.name] = None
    return {title: tuple(names) for title, names in groups.items()}


def all_metrics() -> Iterator[Metric]:
    """The metrics of all tasks, each name once."""
    seen: dict[str, Metric] = {}
    for task in tasks().values():
        for metric in task.metrics:
            seen.setdefault(metric.name, metric)
    return iter(seen.values())


def check_inputs(order: Order, forms: Sequence[str]) -> None:
    """Refuse an order whose datasets are not those that its task takes.

    A run that starts from datasets alone needs all that are not optional; one that is derived from another run, or is
    about a model, may do without.

    Parameters
    ----------
    forms
        Form of each dataset of the order; empty where it is not in the store.

    Raises
    ------
    InputError
        When one has a role that the task does not know, is of another form, is one too many, or one is missing.
    """
    task = tasks().get(order.task)
    if task is None:
        return  # whoever comes to work on it says so
    roles, given = {role.name: role for role in task.roles}, [one.role for one in order.inputs]
    for name, form in zip(given, forms, strict=True):
        if name not in roles:
            raise InputError(f"{task.title} takes no {name!r}.", remedy=f"It takes: {', '.join(roles) or 'nothing'}.")
        role = roles[name]
        if form and form not in role.form:
            raise InputError(
                f"A {form} cannot be used as {role.title.lower()}.", remedy=f"Choose a {' or a '.join(role.form)}."
            )
        if given.count(name) > 1 and not role.many:
            raise InputError(f"{task.title} takes one {role.title.lower()}, not several.", remedy="Choose one.")
    kind = task.kind(order.kind)
    if kind is None or not kind.first:
        return
    needed = [role for role in task.roles if not role.optional or role.name in kind.needs]
    missing = [role for role in needed if role.name not in given]
    if missing:
        raise InputError(f"{task.title}: the input “{missing[0].title.lower()}” is missing.", remedy="Choose one.")


def result_class(task: str, kind: str) -> type[RunResult]:
    """The class of the results of a kind of run.

    Raises
    ------
    InputError
        When this installation does not know it.
    """
    found = find_task(task).kind(kind)
    if found is None:
        raise InputError(f"There is no kind of run {kind!r} of the task {task}.", remedy="Update SlideLens.")
    made: type[RunResult] = found.result.load()
    return made


@lru_cache(maxsize=64)
def _adapter(request: Ref) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(request.load())


def request_from(task: str, kind: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401  the kind's own request
    """The request that stands in the parameters of an order or a run.

    Raises
    ------
    InputError
        When the parameters are not those of such a request.
    """
    from pydantic import ValidationError

    found = find_task(task).kind(kind)
    if found is None or found.request is None:
        return parameters
    adapter = _adapter(found.request)
    try:
        return adapter.validate_python(dict(parameters))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "they"
        raise InputError(
            f"The parameters of this {found.title.lower()} cannot be used.", f"{where}: {first['msg']}.",
            "Start a new run with the settings of this version.",
        ) from error  # fmt: skip


def parameters_of(request: Any) -> dict[str, Any]:  # noqa: ANN401  any frozen dataclass
    """A request as the parameters of an order: plain values for JSON."""
    from pydantic import TypeAdapter

    plain: dict[str, Any] = TypeAdapter(type(request)).dump_python(request, by_alias=True)
    return plain
