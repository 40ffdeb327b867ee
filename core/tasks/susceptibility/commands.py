"""``python -m core susceptibility …``: the same validation as on the page, from a table or a configuration."""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from core.cli.options import add_options, announcing, progress, store_for
from core.errors import InputError
from core.jobs.perform import run_in_process
from core.raster.folder import plain_values, write_json
from core.tasks.susceptibility.cells import Columns
from core.tasks.susceptibility.export import metrics_of
from core.tasks.susceptibility.folds import SCHEMES
from core.tasks.susceptibility.map_commands import add_map_commands
from core.tasks.susceptibility.models import AVERAGE, MODELS, NAMES, monotone_of, title_of
from core.tasks.susceptibility.result import SusceptibilityResult
from core.tasks.susceptibility.run import Request, order_of
from core.tasks.susceptibility.tuning import TITLES

LARGEST_CONFIG = 1_000_000
"""Bytes of a configuration."""

PLAN = {"models", "cv", "folds", "repeats", "seed", "tune", "trials", "weights", "monotone"}


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Commands about susceptibility."""
    commands = parser.add_subparsers(dest="command", required=True)
    evaluate = commands.add_parser(
        "evaluate", help="validate models on a table of labelled cells", description=__doc__,
    )  # fmt: skip
    evaluate.add_argument("config", type=Path, nargs="?", help="TOML file that holds these options by name")
    evaluate.add_argument("--table", type=Path, help=(
        "CSV, TSV, Excel or dBase table, one row per cell, or layer of units (GeoPackage, GeoJSON, zipped Shapefile)"
    ))
    evaluate.add_argument("--target", help="column with the label (landslide or not)")
    evaluate.add_argument("--positive", help="value of the label that stands for a landslide")
    evaluate.add_argument("--factors", type=_list, help="factor columns, separated by commas")
    evaluate.add_argument("--categorical", type=_list, help="factors that are categorical")
    evaluate.add_argument("--circular", type=_list, help="factors that are directions in degrees (-1: flat)")
    evaluate.add_argument("--x", help="column of the easting or longitude")
    evaluate.add_argument("--y", help="column of the northing or latitude")
    evaluate.add_argument("--crs", help="coordinate system of x and y, such as EPSG:32717")
    evaluate.add_argument("--swap-xy", action="store_true", default=None, help="swap x and y")
    evaluate.add_argument("--group", help="column of the area, for --cv group")
    evaluate.add_argument("--date", help="column of the event, for --cv date")
    evaluate.add_argument("--models", type=_list, help=f"all, or some of {', '.join(NAMES)}")
    evaluate.add_argument("--cv", type=_list, help=f"validation schemes: {', '.join(SCHEMES)}")
    evaluate.add_argument("--folds", type=int, help="number of folds (5)")
    evaluate.add_argument("--repeats", type=int, help="number of repeats (20); repeat r uses seed + r")
    evaluate.add_argument("--seed", type=int, help="seed of the first repeat (0)")
    evaluate.add_argument("--tune", choices=tuple(TITLES), help=(
        "tune settings by inner cross-validation on the training cells of each fit"
    ))
    evaluate.add_argument("--trials", type=int, help="settings tried for each fit, with three inner fits each (15)")
    evaluate.add_argument("--weights", choices=("none", "balanced"), help="balanced: both classes have the same weight")
    evaluate.add_argument("--monotone", help="factors with which the index of XGBoost may only rise or fall: "
                                             "slope:+,distance:-")
    evaluate.add_argument("--out", type=Path, help="JSON file for scores and provenance")
    add_options(evaluate)
    evaluate.set_defaults(do=_evaluate)
    add_map_commands(commands)
    listed = commands.add_parser("models", help="list the available models")
    listed.set_defaults(do=_models)


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _evaluate(arguments: argparse.Namespace) -> None:
    table, request = asked(arguments)
    with store_for(arguments) as store:
        record = store.add_dataset(table, table.name)
        order = order_of(record, request, name=arguments.name)
        identity = run_in_process(store, order, announcing(store, arguments), progress("Fitting model"))
        content = metrics_of(store.result(identity, SusceptibilityResult))
        if arguments.out is None:
            print(json.dumps(plain_values(content), indent=1))
        else:
            write_json(content, arguments.out)
            for line in (*content["verdict"], *content["notes"]):
                print(line)


def asked(arguments: argparse.Namespace) -> tuple[Path, Request]:
    """The table and the request of a command: its options, and those that stand in its configuration.

    Raises
    ------
    InputError
        When the configuration cannot be read, holds what is not known, or an option is missing.
    """
    given: dict[str, Any] = {} if arguments.config is None else _configured(arguments.config)
    names = {"table", *PLAN, *(one.name for one in fields(Columns))}
    given |= {name: value for name in names if (value := getattr(arguments, name)) is not None}
    for name, what in (("table", "table"), ("target", "label column"), ("factors", "factors")):
        if not given.get(name):
            raise InputError(f"No {what} was given.", remedy=f"Give it with --{name}.")
    models = tuple(given.get("models", ("all",)))
    models = (*MODELS, AVERAGE) if models == ("all",) else models
    placed = bool(given.get("x"))
    schemes = tuple(given.get("cv", ("random", "spatial") if placed else ("random",)))
    columns = {one.name: given[one.name] for one in fields(Columns) if one.name in given}
    settings = ("folds", "repeats", "seed", "trials", "weights", "monotone")
    plan: dict[str, Any] = {name: given[name] for name in settings if name in given}
    if "tune" in given:
        plan["tuning"] = given["tune"]
    if isinstance(plan.get("monotone"), str):
        plan["monotone"] = monotone_of(plan["monotone"])
    if plan.get("repeats", 1) < 1:
        raise InputError("The number of repeats is less than 1.", remedy="Give --repeats 1 or more.")
    return Path(given["table"]), Request(Columns(**columns), models, schemes, **plan)


def _configured(path: Path) -> dict[str, Any]:
    """Options from a TOML file; a table named in it lies relative to it."""
    try:
        if path.stat().st_size > LARGEST_CONFIG:
            raise InputError(
                f"{path.name} is too large for a configuration file.", remedy="Give a TOML file of options."
            )
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"The configuration {path.name} cannot be read.", f"{error}.", (
                "Follow the example in docs/susceptibility.toml."
            )
        ) from error
    known: Mapping[str, type | tuple[type, ...]] = {
        "table": str, "folds": int, "repeats": int, "seed": int, "models": list, "cv": list, "factors": list,
        "categorical": list, "circular": list, "swap_xy": bool,
        "trials": int, "monotone": dict,
        **dict.fromkeys(("target", "positive", "x", "y", "crs", "group", "date", "tune", "weights"), str),
    }  # fmt: skip
    for name, value in content.items():
        if name not in known:
            raise InputError(
                f"{path.name} has an unknown option {name!r}.", remedy=f"Options are {', '.join(sorted(known))}."
            )
        texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        signs = not isinstance(value, dict) or all(type(one) is int for one in value.values())
        if type(value) is not known[name] or (isinstance(value, list) and not texts) or not signs:
            what = {str: "a text", int: "a whole number", list: "a list of texts", bool: "true or false",
                    dict: "a table of 1 and -1"}  # fmt: skip
            said = what[known[name]]  # type: ignore[index]
            raise InputError(f"{name} in {path.name} is not {said}.", remedy="Correct the value.")
    made: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in content.items()}
    if "table" in content:
        made["table"] = path.parent / str(content["table"])
    return made


def _models(arguments: argparse.Namespace) -> None:
    del arguments
    width = max(map(len, NAMES))
    for name in NAMES:
        what = "mean of the other models" if name == AVERAGE else MODELS[name].what
        print(f"{name:<{width}}  {title_of(name)}: {what}")
