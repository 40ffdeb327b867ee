"""``python -m core susceptibility train|predict|explain …``: maps of areas, from the configuration of a page."""

from __future__ import annotations

import argparse
import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.options import add_options, announcing, progress, store_for
from core.cli.view_options import add_view_options, check_view, view_of
from core.errors import InputError
from core.jobs.perform import run_in_process
from core.raster.files import regular_file
from core.raster.folder import make_folder, plain_values
from core.raster.write import atomic_path
from core.tasks.susceptibility.map_config import AreaFiles, read_config
from core.tasks.susceptibility.result import SusceptibilityResult
from core.tasks.susceptibility.view import Choice

if TYPE_CHECKING:
    from core.runs.records import DatasetRecord
    from core.runs.store import Store
    from core.tasks.susceptibility.map_result import SusceptibilityMap
    from core.tasks.susceptibility.run_explanation import ExplainRequest


def add_map_commands(commands: Any) -> None:  # noqa: ANN401  argparse names no public class for it
    """Commands about maps of areas."""
    train = commands.add_parser(
        "train", help="validate models on an area, fit them and map the susceptibility", description=__doc__
    )
    train.add_argument("config", type=Path, help="TOML file like docs/susceptibility_map.toml or the one in a run's "
                                                 "export")
    train.set_defaults(do=_train)
    predict = commands.add_parser("predict", help="apply the fitted models of a run to another area")
    predict.add_argument("config", type=Path, help="TOML file whose [data] names the same factors for the other area")
    predict.add_argument("--run", required=True, help="id of the run with the fitted models (the first digits suffice)")
    predict.set_defaults(do=_predict)
    explain = commands.add_parser("explain", help="explain a model of a run by the contributions of its factors (SHAP "
                                                  "values)")
    explain.add_argument("run", help="id of the run (the first digits suffice)")
    explain.add_argument("--model", help="name of a model of the run; default: the one shown first")
    explain.add_argument("--target", choices=("model", "cell", "area"), default="model",
                         help="explain the model over many cells, a single cell, or the whole map as "
                              "rasters")  # fmt: skip
    explain.add_argument("--x", type=float, help="position of the cell in the coordinate system of the map")
    explain.add_argument("--y", type=float)
    explain.add_argument("--row", type=int, help="row of the design matrix, for a cell of a table")
    explain.add_argument("--cells", type=int, default=2_000, help=(
        "number of cells over which the model is explained (2,000)"
    ))
    explain.add_argument("--out", type=Path, help="folder for the files of the explanation")
    add_options(explain)
    explain.set_defaults(do=_explain)
    for one in (train, predict):
        one.add_argument("--out", type=Path, help="folder for the exported map")
        one.add_argument("--elements", type=Path, help="roads or buildings to count by class, for --out")
        add_view_options(one, [Choice])
        add_options(one)


def _train(arguments: argparse.Namespace) -> None:
    from core.tasks.susceptibility.map_result import SusceptibilityMap
    from core.tasks.susceptibility.run_map import order_of

    _checked(arguments)
    files, request = read_config(arguments.config)
    if files.inventory is None:
        raise InputError(f"[data] in {arguments.config.name} names no inventory.", "Models are trained on landslides.",
                         "Add one: inventory = \"landslides.gpkg\".")  # fmt: skip
    _check_shown(arguments, request.mapped, request.plan.schemes)
    with store_for(arguments, arguments.out) as store:
        dem, factors = _rasters(store, files)
        inventory = store.add_dataset(files.inventory, files.inventory.name)
        areas = None if files.areas is None else store.add_dataset(files.areas, files.areas.name, "vector")
        order = order_of(request, dem, factors, inventory, areas, name=arguments.name)
        identity = run_in_process(store, order, announcing(store, arguments), progress("Mapping"))
        _tell(store, store.result(identity, SusceptibilityMap), arguments)


def _predict(arguments: argparse.Namespace) -> None:
    from core.cli.run_commands import find
    from core.tasks.susceptibility.map_result import SusceptibilityMap
    from core.tasks.susceptibility.run_applied import ApplyRequest, order_of

    _checked(arguments)
    if arguments.no_store:
        raise InputError("With --no-store, the fitted models would not be kept.", remedy="Omit --no-store.")
    files, asked = read_config(arguments.config)
    with store_for(arguments) as store:
        parent = store.result(find(store, arguments.run).id, SusceptibilityMap)
        _check_shown(arguments, parent.mapped, parent.schemes)
        dem, factors = _rasters(store, files)
        inventory = None if files.inventory is None else store.add_dataset(files.inventory, files.inventory.name)
        request = ApplyRequest(asked.inventory)
        order = order_of(parent, dem, factors, inventory, request, name=arguments.name)
        identity = run_in_process(store, order, announcing(store, arguments), progress("Mapping"))
        _tell(store, store.result(identity, SusceptibilityMap), arguments)


def _explain(arguments: argparse.Namespace) -> None:
    from core.cli.run_commands import find
    from core.tasks.susceptibility.run_explanation import order_explanation

    if arguments.no_store:
        raise InputError("With --no-store, there would be no run to explain.", remedy="Omit --no-store.")
    if arguments.out is not None:
        make_folder(arguments.out)
    with store_for(arguments) as store:
        run = find(store, arguments.run)
        result = store.result(run.id)
        if not isinstance(result, SusceptibilityResult):
            raise InputError(f"Run {run.id[:8]} is not a run of susceptibility models.", remedy="Give another run.")
        order = order_explanation(result, _asked(result, arguments))
        identity = run_in_process(store, order, announcing(store, arguments), progress("Explaining"))
        made = store.result(identity)
        for note in made.notes:
            print(note)
        if arguments.out is not None:
            for role, name in made.artifacts.items():
                path = made.folder / name
                with atomic_path(arguments.out / f"{role}{path.suffix}") as aside:
                    shutil.copyfile(path, aside)
            return
        print(json.dumps(plain_values(dict(made.provenance["explained"])), indent=1))


def _asked(result: SusceptibilityResult, arguments: argparse.Namespace) -> ExplainRequest:
    """What is to be explained.

    Raises
    ------
    InputError
        When a cell is to be, and it is not said which.
    """
    from core.tasks.susceptibility.map_result import SusceptibilityMap
    from core.tasks.susceptibility.run_explanation import ExplainRequest

    mapped = result.mapped if isinstance(result, SusceptibilityMap) else result.models
    model, cells = arguments.model or mapped[0], arguments.cells
    if arguments.target != "cell":
        return ExplainRequest(model, arguments.target, cells=cells)
    if isinstance(result, SusceptibilityMap):
        if arguments.x is None or arguments.y is None or not math.isfinite(arguments.x + arguments.y):
            raise InputError("No cell was given.", remedy="Give --x and --y in the coordinate system of the map.")
        row, column = result.grid.rowcol(arguments.x, arguments.y)
        if not (0 <= row < result.grid.height and 0 <= column < result.grid.width):
            raise InputError("The point lies outside the map.", remedy="Check --x and --y.")
        return ExplainRequest(model, "cell", row, column, cells)
    if arguments.row is None:
        raise InputError("No cell was given.", remedy="Give --row, a row of the design matrix.")
    return ExplainRequest(model, "cell", arguments.row, 0, cells)


def _checked(arguments: argparse.Namespace) -> None:
    """Refuse what would be found out only at the end."""
    if arguments.no_store and arguments.out is None:
        raise InputError("The result of this run would be lost.", "It is neither stored nor exported.", "Give --out.")
    if arguments.elements is not None and arguments.out is None:
        raise InputError("Elements can only be counted if an export folder is given.", remedy="Give --out.")
    if arguments.elements is not None:
        regular_file(arguments.elements)
    check_view(Choice, arguments)
    if arguments.out is not None:
        make_folder(arguments.out)


def _check_shown(arguments: argparse.Namespace, mapped: Sequence[str], schemes: Sequence[str]) -> None:
    """Refuse to show a model that is not mapped, or a validation that is not made."""
    for flag, known in (("model", mapped), ("scheme", schemes)):
        asked = getattr(arguments, flag, None)
        if asked is not None and asked not in known:
            raise InputError(f"{asked!r} cannot be shown.", f"It is not among the settings of {arguments.config.name}.",
                             f"Choose from {', '.join(known)} (--{flag}).")  # fmt: skip


def _rasters(store: Store, files: AreaFiles) -> tuple[DatasetRecord | None, list[DatasetRecord]]:
    dem = None if files.dem is None else store.add_dataset(files.dem, files.dem.stem, "raster")
    return dem, [store.add_dataset(one, one.stem, "raster") for one in files.factors]


def _tell(store: Store, result: SusceptibilityMap, arguments: argparse.Namespace) -> None:
    from core.tasks.susceptibility.export import metrics_of
    from core.tasks.susceptibility.map_export import export_map

    if arguments.out is None:
        print(json.dumps(plain_values(metrics_of(result)), indent=1))
        return
    content = export_map(store, result, view_of(Choice, result, arguments), arguments.out)
    for line in (*content["verdict"], *content["notes"]):
        print(line)
    if arguments.elements is not None:
        _count(result, arguments)


def _count(result: SusceptibilityMap, arguments: argparse.Namespace) -> None:
    """Elements at risk, as a table and a GeoPackage."""
    from core.raster.features import write_features
    from core.tasks.susceptibility.at_risk import elements_at_risk
    from core.tasks.susceptibility.classed import classed

    found = elements_at_risk(
        arguments.elements, result, classed(result, view_of(Choice, result, arguments)), arguments.elements.name
    )
    with atomic_path(arguments.out / "elements.csv") as aside:
        found.classes.to_csv(aside, index=False)
    write_features(found.elements, arguments.out / "elements.gpkg", "elements")
    print(found.classes.to_string(index=False))
