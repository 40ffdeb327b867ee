"""``python -m core susceptibility train|predict CONFIG.toml``: maps of areas, from the configuration of a page."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.options import add_options, announcing, progress, store_for
from core.cli.view_options import add_view_options, check_view, view_of
from core.errors import InputError
from core.jobs.perform import run_in_process
from core.raster.folder import make_folder, plain_values
from core.tasks.susceptibility.map_config import AreaFiles, read_config
from core.tasks.susceptibility.view import Choice

if TYPE_CHECKING:
    from core.runs.records import DatasetRecord
    from core.runs.store import Store
    from core.tasks.susceptibility.map_result import SusceptibilityMap


def add_map_commands(commands: Any) -> None:  # noqa: ANN401  argparse names no public class for it
    """Commands about maps of areas."""
    train = commands.add_parser(
        "train", help="validate models on an area, fit them and map it", description=__doc__
    )
    train.add_argument("config", type=Path, help="TOML file as in docs/susceptibility_map.toml, or of a run's export")
    train.set_defaults(do=_train)
    predict = commands.add_parser("predict", help="apply the fitted models of a run to another area")
    predict.add_argument("config", type=Path, help="TOML file whose [data] names the same factors of that area")
    predict.add_argument("--run", required=True, help="id of the run of the fitted models, or its first digits")
    predict.set_defaults(do=_predict)
    for one in (train, predict):
        one.add_argument("--out", type=Path, help="folder to export the map to")
        add_view_options(one, [Choice])
        add_options(one)


def _train(arguments: argparse.Namespace) -> None:
    from core.tasks.susceptibility.map_result import SusceptibilityMap
    from core.tasks.susceptibility.run_map import order_of

    _checked(arguments)
    files, request = read_config(arguments.config)
    if files.inventory is None:
        raise InputError(f"[data] in {arguments.config.name} names no inventory.", "Models learn from landslides.",
                         "Name one: inventory = \"landslides.gpkg\".")  # fmt: skip
    with store_for(arguments, arguments.out) as store:
        dem, factors = _rasters(store, files)
        inventory = store.add_dataset(files.inventory, files.inventory.name)
        order = order_of(request, dem, factors, inventory, name=arguments.name)
        identity = run_in_process(store, order, announcing(store, arguments), progress("Mapping"))
        _tell(store, store.result(identity, SusceptibilityMap), arguments)


def _predict(arguments: argparse.Namespace) -> None:
    from core.cli.run_commands import find
    from core.tasks.susceptibility.map_result import SusceptibilityMap
    from core.tasks.susceptibility.run_applied import order_of

    _checked(arguments)
    if arguments.no_store:
        raise InputError("--no-store leaves no run whose models could be applied.", remedy="Leave it out.")
    files, _ = read_config(arguments.config)
    with store_for(arguments) as store:
        parent = store.result(find(store, arguments.run).id, SusceptibilityMap)
        dem, factors = _rasters(store, files)
        inventory = None if files.inventory is None else store.add_dataset(files.inventory, files.inventory.name)
        order = order_of(parent, dem, factors, inventory, name=arguments.name)
        identity = run_in_process(store, order, announcing(store, arguments), progress("Mapping"))
        _tell(store, store.result(identity, SusceptibilityMap), arguments)


def _checked(arguments: argparse.Namespace) -> None:
    """Refuse what would be found out only at the end."""
    if arguments.no_store and arguments.out is None:
        raise InputError("Nothing would be left of this run.", "It is neither stored nor exported.", "Give --out.")
    check_view(Choice, arguments)
    if arguments.out is not None:
        make_folder(arguments.out)


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
