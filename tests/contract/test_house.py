"""The rules of the house, read from the source itself."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# The doors for rasters, vectors and tables from elsewhere, and those who open what was made here.
READERS = {Path("core/raster") / name for name in ("untrusted.py", "foreign_shapefile.py", "write.py", "geopackage.py")}
READERS |= {Path("core/series") / name for name in ("delimited.py", "workbook.py", "hdf5.py")}
READER_CALLS = {
    "rasterio.open",
    "geopandas.read_file",
    "geopandas.read_parquet",
    "pyogrio.read_dataframe",
    "pyogrio.read_arrow",
    "pyogrio.open_arrow",
    "pyogrio.raw.read",
    "pyogrio.raw.open_arrow",
    "pandas.read_csv",
    "pandas.read_table",
    "pandas.read_excel",
    "pandas.read_html",
    "pandas.read_xml",
    "openpyxl.load_workbook",
    "h5py.File",
}
LOADER_CALLS = {"joblib.load", "torch.jit.load", "torch.hub.load", "numpy.load", "pandas.read_pickle"}
NEVER_IMPORTED = {"pickle", "cloudpickle", "dill", "shelve", "marshal", "fiona"}
ENGINES = {"torch", "rasterio", "folium", "leafmap", "shap", "captum"}
STREAMLIT = {"streamlit", "streamlit_folium"}
PAGE_LINES = 150


def tracked() -> list[Path]:
    """Every file that is or would be committed, relative to the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout, so there is no list of tracked files")
    return [Path(name) for name in listing.stdout.split("\0") if name and (REPOSITORY / name).is_file()]


def python_files(*folders: str) -> list[Path]:
    """Python sources below the named folders, or the named files, relative to the repository."""
    found = [path for name in folders for path in sorted((REPOSITORY / name).rglob("*.py"))]
    found += [REPOSITORY / name for name in folders if (REPOSITORY / name).is_file()]
    return [path.relative_to(REPOSITORY) for path in found if "node_modules" not in path.parts]


def program_files() -> list[Path]:
    """Everything that runs for a user; tests may read what they themselves have made."""
    return python_files("app.py", "core", "ui", "pages")


def parse(path: Path) -> ast.Module:
    return ast.parse((REPOSITORY / path).read_text(encoding="utf-8"), filename=str(path))


def imports(tree: ast.Module) -> Iterator[str]:
    """Full dotted names of all that a module imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def aliases(tree: ast.Module) -> dict[str, str]:
    """Local name to full dotted name, so that ``import geopandas as gpd`` hides nothing."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                known[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return known


def dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (inner := dotted(node.value)):
        return f"{inner}.{node.attr}"
    return None


def full_name(node: ast.expr, known: dict[str, str]) -> str | None:
    """Dotted name of an expression with what a module calls it resolved, None for what has no name."""
    name = dotted(node)
    if name is None:
        return None
    head, _, rest = name.partition(".")
    return ".".join(part for part in (known.get(head, head), rest) if part)


def uses(tree: ast.Module, names: set[str]) -> list[str]:
    """Where a module mentions one of the full dotted names, called or handed on."""
    known = aliases(tree)
    named = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name))
    return [f"line {node.lineno}: {name}" for node in named if (name := full_name(node, known)) in names]


def top_level(names: Iterator[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def test_dependencies_run_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    if not linter.exists():
        pytest.skip("import-linter is not installed beside this Python")
    command = [str(linter), "--no-logo", "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    run = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_room_says_what_it_is_for() -> None:
    # A folder without __init__.py is also invisible to the import contracts above.
    rooms = {path.parent for path in python_files("core")}
    silent = [
        str(room)
        for room in sorted(rooms)
        if not (door := REPOSITORY / room / "__init__.py").is_file() or not ast.get_docstring(parse(door))
    ]
    assert not silent, f"rooms without an __init__.py that says what they are for: {silent}"


def test_only_the_app_its_ui_and_its_pages_know_streamlit() -> None:
    guilty = [str(path) for path in python_files("core") if STREAMLIT & top_level(imports(parse(path)))]
    assert not guilty


def test_pages_leave_the_engines_to_core() -> None:
    guilty = {
        str(path): sorted(found)
        for path in python_files("pages")
        if (found := ENGINES & top_level(imports(parse(path))))
    }
    assert not guilty


def test_pages_are_thin() -> None:
    texts = {str(path): (REPOSITORY / path).read_text(encoding="utf-8") for path in python_files("pages")}
    assert not {path for path, text in texts.items() if len(text.splitlines()) >= PAGE_LINES}


def test_files_from_elsewhere_have_one_door() -> None:
    guilty = {
        str(path): found
        for path in program_files()
        if path not in READERS and (found := uses(parse(path), READER_CALLS))
    }
    assert not guilty, f"open these through core.raster.untrusted or core.series.table: {guilty}"


def test_nothing_is_ever_unpickled() -> None:
    everywhere = program_files() + python_files("benchmarks", "data")
    imported = {
        str(path): sorted(found)
        for path in everywhere
        if (found := NEVER_IMPORTED & top_level(imports(parse(path))))
    }
    called = {str(path): found for path in everywhere if (found := uses(parse(path), LOADER_CALLS))}
    assert not imported
    assert not called


def loads_more_than_weights(tree: ast.Module) -> list[int]:
    """Lines on which torch.load is called, or handed on, without a literal ``weights_only=True``."""
    safe: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            said = {word.arg: word.value for word in node.keywords}.get("weights_only")
            if isinstance(said, ast.Constant) and said.value is True:
                safe.add(id(node.func))
    known = aliases(tree)
    named = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name))
    return [node.lineno for node in named if id(node) not in safe and full_name(node, known) == "torch.load"]


def test_torch_reads_weights_and_nothing_else() -> None:
    everywhere = program_files() + python_files("benchmarks", "data")
    guilty = {str(path): found for path in everywhere if (found := loads_more_than_weights(parse(path)))}
    assert not guilty, f"torch.load needs weights_only=True here: {guilty}"


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("import torch\ntorch.load('x', weights_only=True)", []),
        ("import torch\ntorch.load('x')", [2]),
        ("import torch\ntorch.load('x', weights_only=False)", [2]),
        ("from torch import load\nload('x')", [2]),
        ("import torch as t\nreader = t.load", [2]),
    ],
)
def test_a_load_of_anything_but_weights_is_seen(source: str, lines: list[int]) -> None:
    assert loads_more_than_weights(ast.parse(source)) == lines


@pytest.mark.parametrize(
    "source",
    [
        "import rasterio\nrasterio.open('x')",
        "import rasterio as rio\nrio.open('x')",
        "from rasterio import open as look\nlook('x')",
        "def f():\n    import geopandas as gpd\n    return gpd.read_file('x')",
        "import pyogrio.raw\npyogrio.raw.read('x')",
        "import rasterio\nreader = rasterio.open",
    ],
)
def test_the_door_cannot_be_passed_under_another_name(source: str) -> None:
    assert uses(ast.parse(source), READER_CALLS)


def test_the_door_leaves_other_names_alone() -> None:
    source = "import rasterio.windows\nopen('x')\nrasterio.windows.Window(0, 0, 1, 1)"
    assert not uses(ast.parse(source), READER_CALLS)


def test_no_file_names_a_package_registry_or_a_machine() -> None:
    # Written in pieces, or this file would name them itself.
    hosts = ["py" + r"pi\.org", "pyp" + r"i\.python", "pythonhosted" + r"\.org", "npm" + r"js\.(org|com)"]
    folders = ["/wor" + "k/(main|shared)", "/tm" + "p/sl/", "/roo" + r"t/\.", "/op" + "t/(pyp" + "i|wheels)"]
    wanted = re.compile("|".join(hosts + folders), re.IGNORECASE)
    guilty = []
    for path in tracked():
        content = (REPOSITORY / path).read_bytes()
        if b"\0" in content[:8192]:
            continue
        for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), start=1):
            if found := wanted.search(line):
                guilty.append(f"{path}:{number}: {found.group()}")
    assert not guilty, "\n".join(guilty)
