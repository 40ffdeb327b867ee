"""No task and no kind of run is named outside its own folder: everything else asks the registry.

Read are all Python sources of ``core``, ``ui``, ``pages`` and ``app.py`` but for ``core/tasks``, ``ui/<task>``,
``pages/<task>.py`` and the migrations, whose texts never change. The names are those that the registry knows: of all
tasks, and of all their kinds of runs.

What is found
-------------
Modules
    An import of ``core.tasks.<task>`` or ``ui.<task>``, also relative, inside a function or for types alone; and a
    string with such a module or the script ``pages/<task>.py`` in it, as for importlib or `core.runs.kinds.Ref`.
Name of a task, such as ``"mapping"``
    Every string that equals it, wherever it stands; an attribute of anything but an imported library, a keyword of a
    call, a function or a method of that name (``store.mapping(…)``).
Name of a kind, such as ``"explanation"``, which may be an ordinary word
    A string that equals it where it decides something: compared (``==``, ``in``, ``match``); in a tuple, list or set;
    given to a parameter or bound to a variable called ``task``, ``tasks``, ``kind`` or ``kinds`` (by keyword, by
    position where a function or dataclass of ours has such a parameter there, or as its default); and as a key of a
    table. A table is a dict at the level of a module or class, a dict that is looked up where it is written, a dict
    with several such keys, or a subscript or ``get`` of a constant (``TITLES["scored"]``). A method of that name that
    is called on a store, a task or jobs (``store.explanation(…)``) counts too.

What is left alone
------------------
Docstrings and longer texts; names of variables and parameters, of modules and of classes; and keys of records that
were read from a file or are being written to one (``record.get("training")``, ``target["outline"]``): there the word is
part of a format, not the name of a kind.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from core.runs.kinds import tasks

REPOSITORY = Path(__file__).resolve().parents[2]
NAMED_HERE = (Path("core/tasks"), Path("core/runs/migrations"))
PARAMETERS = {"task", "tasks", "kind", "kinds"}
OURS = {"core", "ui", "pages"}
RECEIVERS = {"store", "jobs", "task"}
SHARED_FOLDERS = {"joined"}
"""Folders of ``core.tasks`` that are of tasks without being one."""

TASKS = frozenset(tasks())
KINDS = frozenset(kind.name for task in tasks().values() for kind in task.kinds)

Finding = tuple[int, str]
Positions = dict[str, dict[int, str]]


def everywhere() -> list[Path]:
    """Sources of the program, relative to the repository."""
    found = [path for folder in ("core", "ui", "pages") for path in sorted((REPOSITORY / folder).rglob("*.py"))]
    return [path.relative_to(REPOSITORY) for path in [*found, REPOSITORY / "app.py"]]


def sources() -> list[Path]:
    """Those of them that must not name a task."""
    own = {Path("ui") / task for task in TASKS} | {Path("pages") / f"{task}.py" for task in TASKS}
    return [path for path in everywhere() if not any(path.is_relative_to(place) for place in (*NAMED_HERE, *own))]


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse((REPOSITORY / path).read_text(encoding="utf-8"), filename=str(path))


def parameters_of(node: ast.AST) -> dict[int, str]:
    """Positions at which what is defined here takes a task or a kind, as its caller counts them."""
    names: list[str] = []
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        given = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        names = given[1:] if given[:1] in (["self"], ["cls"]) else given
    elif isinstance(node, ast.ClassDef):
        fields = [one for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
        names = [field.target.id for field in fields if isinstance(field.target, ast.Name)]
    return {position: name for position, name in enumerate(names) if name in PARAMETERS}


def positions(trees: Iterable[ast.Module]) -> Positions:
    """By the name of a function or dataclass, where it takes a task or a kind."""
    known: Positions = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and (at := parameters_of(node)):
            known.setdefault(node.name, {}).update(at)
    return known


class Reading:
    """What one module says of tasks and kinds.

    Parameters
    ----------
    tree
        The module.
    module
        Its dotted name, for relative imports.
    takers
        What takes a task or a kind by position; see `positions`.
    """

    def __init__(self, tree: ast.Module, module: str = "", takers: Positions | None = None) -> None:
        self.tree, self.module, self.takers = tree, module, takers or {}
        self.parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self.libraries = set(libraries(tree))
        self.texts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}

    def findings(self) -> list[Finding]:
        """Line and what stands there, in the order of the lines."""
        return sorted({found for node in ast.walk(self.tree) for found in self._at(node)})

    def _at(self, node: ast.AST) -> Iterator[Finding]:
        match node:
            case ast.Import():
                yield from ((node.lineno, f"imports {name.name}") for name in node.names if of_task(name.name))
            case ast.ImportFrom():
                modules = [f"{self._imported_from(node)}.{name.name}" for name in node.names]
                yield from ((node.lineno, f"imports {module}") for module in modules if of_task(module))
            case ast.Constant(value=str(text)) if id(node) not in self.texts:
                yield from ((node.lineno, f"{what} {text!r}") for what in self._string(node, text))
            case ast.Attribute(attr=name) if name in TASKS and root_name(node) not in self.libraries:
                yield node.lineno, f"attribute .{name}"
            case ast.Attribute(attr=name) if name in KINDS - TASKS and self._asked_of_store(node):
                yield node.lineno, f"attribute .{name}"
            case ast.keyword(arg=str(name)) if name in TASKS:
                yield node.lineno, f"keyword {name}="
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node.name in TASKS:
                yield node.lineno, f"function {node.name}"

    def _imported_from(self, node: ast.ImportFrom) -> str:
        package = self.module.split(".")[: -node.level] if node.level else []
        return ".".join([*package, *filter(None, [node.module])])

    def _string(self, node: ast.Constant, text: str) -> Iterator[str]:
        if script := re.search(r"pages/(\w+)\.py\b", text):
            if script.group(1) in TASKS:
                yield "script"
        elif any(of_task(module) for module in re.findall(r"\b(?:core\.tasks|ui)\.\w+", text)):
            yield "module"
        if text in TASKS:
            yield "name of a task"
        elif text in KINDS and (use := self._use(node)):
            yield f"name of a kind, {use}:"

    def _use(self, node: ast.expr) -> str:
        """How a string is used that equals the name of a kind; empty where it is a word like any other."""
        above = self.parents[node]
        match above:
            case ast.Compare() | ast.MatchValue():
                return "compared"
            case ast.Tuple() | ast.List() | ast.Set():
                return "listed"
            case ast.Dict() if node in above.keys:
                return "key of a table" if self._is_table(above) else ""
            case ast.Subscript() if above.slice is node:
                return "looked up" if is_table(above.value) else ""
            case ast.keyword(arg=name):
                return f"given as {name}" if name in PARAMETERS else ""
            case ast.Call() if node in above.args:
                return self._argument(above, node)
            case ast.Assign() | ast.AnnAssign() | ast.NamedExpr():
                targets = above.targets if isinstance(above, ast.Assign) else [above.target]
                return "bound" if any(last_name(target) in PARAMETERS for target in targets) else ""
            case ast.arguments():
                return "default" if node in self._defaults(above) else ""
            case ast.IfExp() | ast.BoolOp() | ast.Starred():
                return self._use(above)
            case _:
                return ""

    def _is_table(self, node: ast.Dict) -> bool:
        above = self.parents[node]
        if len([key for key in node.keys if isinstance(key, ast.Constant) and key.value in KINDS]) > 1:
            return True
        if isinstance(above, ast.Subscript) or (isinstance(above, ast.Attribute) and above.attr == "get"):
            return True
        if isinstance(above, ast.Assign | ast.AnnAssign):
            return isinstance(self.parents[above], ast.Module | ast.ClassDef)
        return False

    def _argument(self, call: ast.Call, node: ast.expr) -> str:
        if isinstance(call.func, ast.Attribute) and call.func.attr == "get" and is_table(call.func.value):
            return "looked up"
        at = self.takers.get(last_name(call.func), {})
        return f"given as {at[call.args.index(node)]}" if call.args.index(node) in at else ""

    def _defaults(self, given: ast.arguments) -> list[ast.expr]:
        """Defaults of parameters that take a task or a kind."""
        plain = [*given.posonlyargs, *given.args]
        pairs: list[tuple[ast.arg, ast.expr | None]] = list(zip(plain[::-1], given.defaults[::-1], strict=False))
        pairs += zip(given.kwonlyargs, given.kw_defaults, strict=True)
        return [default for argument, default in pairs if default is not None and argument.arg in PARAMETERS]

    def _asked_of_store(self, node: ast.Attribute) -> bool:
        above = self.parents[node]
        return isinstance(above, ast.Call) and above.func is node and last_name(node.value) in RECEIVERS


def libraries(tree: ast.Module) -> Iterator[str]:
    """Names by which a module calls modules that are not ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] not in OURS:
                    yield name.asname or name.name.split(".")[0]


def root_name(node: ast.expr) -> str:
    """The first word of a dotted name: ``shapely`` of ``shapely.geometry.mapping``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def of_task(module: str) -> bool:
    """Whether a dotted name lies in the folder of a task."""
    parts = module.split(".")
    if parts[:2] == ["core", "tasks"]:
        return len(parts) > 2 and parts[2] in TASKS | SHARED_FOLDERS
    return parts[0] == "ui" and len(parts) > 1 and parts[1] in TASKS


def last_name(node: ast.expr) -> str:
    """The last word of what is called or asked: ``store`` of ``resources.store()``."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id.lstrip("_") if isinstance(node, ast.Name) else ""


def is_table(node: ast.expr) -> bool:
    """Whether something that is looked up is a constant."""
    return last_name(node).isupper()


@pytest.fixture(scope="module")
def takers() -> Positions:
    """What of the whole program takes a task or a kind by position."""
    return positions(parse(path) for path in everywhere())


def test_the_registry_knows_tasks_and_kinds() -> None:
    assert len(TASKS) > 1
    assert len(KINDS - TASKS) > 1
    assert len(sources()) > 100


def test_no_task_or_kind_is_named_outside_its_folder(takers: Positions) -> None:
    guilty = [
        f"{path}:{line}: {what}"
        for path in sources()
        for line, what in Reading(parse(path), ".".join(path.with_suffix("").parts), takers).findings()
    ]
    assert not guilty, "ask the registry (core.runs.kinds) instead:\n" + "\n".join(guilty)


TAKERS = {"children": {1: "kind"}, "find_model": {0: "task"}, "Order": {0: "task", 1: "kind"}}


def found(source: str) -> list[str]:
    return [what for _, what in Reading(ast.parse(source), "core.report.make", TAKERS).findings()]


@pytest.mark.parametrize(
    "source",
    [
        "import core.tasks.mapping.run",
        "from core.tasks import detection",
        "from core.tasks.joined import box_outline",
        "from ..tasks.mapping.view import Choice",
        "from ui import mapping as page",
        "def f():\n    from ui.detection.layers import layers",
        "import_module('core.tasks.mapping.run')",
        "Ref('core.tasks.mapping.run:map_scene')",
        "f'ui.detection.{name}'",
        "st.switch_page('../pages/mapping.py')",
        "find_model('mapping', name)",
        "task: str = 'mapping'",
        "TITLES = ('detection',)",
        "store.mapping(identity)",
        "choice.detection",
        "f(mapping=1)",
        "def detection(self): ...",
        "store.children(run.id, 'explanation')",
        "store.runs(RunFilter(kinds=('explanation',)))",
        "Order(task, 'scored', {})",
        "Order(task, kind='scored')",
        "run.kind == 'explanation'",
        "run.kind in ('outline', other)",
        "'fused' in record",
        "match run.kind:\n    case 'training': pass",
        "TITLES = {'explanation': 'Explanations'}",
        "def f(kind):\n    return {'explanation': 1}.get(kind)",
        "def f(kind):\n    return {'explanation': 1}[kind]",
        "def f():\n    return {'explanation': 1, 'outline': 2}",
        "TITLES['scored']",
        "kinds.TITLES.get('scored')",
        "def f(kind='explanation'): ...",
        "def f(*, kind: str = 'explanation'): ...",
        "kind = 'scored' if again else first",
        "resources.store().explanation(identity)",
    ],
)
def test_a_name_is_found(source: str) -> None:
    assert found(source)


@pytest.mark.parametrize(
    "source",
    [
        "'''Of kind explanation: mapping.'''",
        "def f():\n    'mapping'",
        "from collections.abc import Mapping",
        "from core.tasks.imagery.inputs import SCENE",
        "from ui.task.task import TaskPage",
        "def f(explanation: RunResult, mapping: Mapping) -> None: ...",
        "import shapely.geometry\nshapely.geometry.mapping(shape)",
        "spec.training",
        "st.title('Explanation of a box')",
        "record.get('training', {})",
        "target['outline']",
        "def f():\n    return {'training': dict(spec.training)}",
        "count(1, 'outline')",
        "outline = shape(target)",
        "word = 'explanation'",
    ],
)
def test_an_ordinary_word_is_left_alone(source: str) -> None:
    assert not found(source)


def test_where_a_function_takes_a_kind_is_read_from_its_definition() -> None:
    source = "class Store:\n    def children(self, identity, kind=''): ...\nclass Order:\n    task: str\n    kind: str"
    assert positions([ast.parse(source)]) == {"children": {1: "kind"}, "Order": {0: "task", 1: "kind"}}
