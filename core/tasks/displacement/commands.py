"""``python -m core displacement …``: the same forecasts as on the page, from a table or a configuration."""

from __future__ import annotations

import argparse
import json
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.options import add_options, announcing, progress, store_for
from core.errors import InputError
from core.jobs.perform import run_in_process
from core.raster.folder import make_folder, plain_values, write_json
from core.raster.write import atomic_path
from core.series.columns import Columns, Components
from core.series.drivers import names_beside
from core.series.heads import read_series_table
from core.tasks.displacement import driver_options, points_command, rain_command
from core.tasks.displacement.decomposed import TITLES as DECOMPOSITIONS
from core.tasks.displacement.export import metrics_of
from core.tasks.displacement.findings import ahead_table
from core.tasks.displacement.forecasters import FIRST, FORECASTERS, NAMES
from core.tasks.displacement.plan import Plan
from core.tasks.displacement.result import ForecastResult
from core.tasks.displacement.run import ForecastRequest, order_of
from core.tasks.displacement.tuning import TITLES as TUNINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pandas import DataFrame

    from core.runs.store import Store
    from core.series.corrections import Correction
    from core.series.drivers import DriverTable

LARGEST_CONFIG = 1_000_000
"""Bytes of a configuration."""

CORRECTED = {"outliers": "outlier", "steps": "step", "stuck": "stuck"}
"""What can be corrected by command, and how it is called where it is found."""

DRIVERS = ("rain", "level", "groundwater", "discharge", "temperature")


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Commands about displacement."""
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what, do in (
        ("evaluate", (
            "evaluate forecasts of a monitored slope by walk-forward validation, and write the scores"
        ), _evaluate),
        ("train", "evaluate, forecast, and export series, forecasts, scores and charts to a folder", _train),
        ("predict", "evaluate, and write the forecasts beyond the end of the series as CSV", _predict),
        ("explain", (
            "evaluate, and explain the forecasts of a model by contributions of rain, levels, movement and season"
        ), _explain),
    ):
        one = commands.add_parser(name, help=what, description=__doc__)
        _add_options(one)
        if name == "explain":
            one.add_argument("--model", help="model to explain; default: the selected model, or the best one that can "
                                             "be explained")
            one.add_argument("--event", type=_list, metavar="SINCE,UNTIL",
                             help="days whose rain is removed, as YYYY-MM-DD; default: the wettest period")  # fmt: skip
        one.set_defaults(do=do)
    points_command.add(commands)
    rain_command.add(commands)
    listed = commands.add_parser("models", help="list the available models")
    listed.set_defaults(do=_models)
    shown = commands.add_parser("columns", help="show how the columns of a table are recognised by default")
    shown.add_argument("table", type=Path)
    shown.set_defaults(do=_columns)


def _add_options(one: argparse.ArgumentParser) -> None:
    one.add_argument("table", type=Path, help="CSV, TSV, Excel or dBase table, or a TOML file with these options")
    one.add_argument("--time", help="time column")
    one.add_argument("--clock", help="column of the time of day, if separate")
    one.add_argument("--displacement", dest="displacements", type=_list, help="displacement columns, one per station")
    one.add_argument("--components", type=_list, help="columns NORTH,EAST[,UP] of one station; --name gives its name")
    one.add_argument("--station", help="column of station names, in a table with one row per station and time")
    one.add_argument("--reference", type=_list, help="column, or NORTH,EAST[,UP], of a stable station to subtract")
    for name in DRIVERS:
        one.add_argument(f"--{name}", type=_list, help=f"columns of {name}")
    driver_options.add_file(one)
    one.add_argument("--earlier", type=Path, help="earlier file with the same stations and columns, to be joined with "
                                                  "this one")
    one.add_argument("--known-future", type=_list, help="drivers known up to the target: rain, level …, or columns")
    one.add_argument("--step", help="auto, month, or a number followed by D or h, such as 7D (auto)")
    one.add_argument("--increments", action="store_true", default=None, help=(
        "displacements are increments since the previous row"
    ))
    one.add_argument("--date-order", choices=("dmy", "mdy", "ymd"), help="order of day, month and year")
    one.add_argument("--unit", choices=("mm", "cm", "m"), help="unit of the displacement")
    one.add_argument("--correct", type=_list, help=f"corrections of detected errors: {', '.join(CORRECTED)}; default: "
                                                   "none")
    one.add_argument("--stations", type=_list, help="stations to forecast (all)")
    one.add_argument("--horizon", type=int, help="forecast horizon in steps (1)")
    one.add_argument("--test-share", type=float, help="share of the series, at its end, used for testing (0.3)")
    one.add_argument("--models", type=_list, help=f"all, or some of {', '.join(NAMES)} (default: the fast ones)")
    one.add_argument("--refit", type=int, help="number of origins between two fits (a tenth of the test set)")
    one.add_argument("--window", type=int, help="number of past steps used for training; default: all")
    one.add_argument("--intervals", choices=("adaptive", "split"), help=(
        "adaptive: intervals follow the recent errors; split: fixed (adaptive)"
    ))
    one.add_argument("--strategy", choices=("direct", "recursive"), help=(
        "direct: fitted for the horizon; recursive: one step at a time (direct)"
    ))
    one.add_argument("--decomposition", choices=tuple(DECOMPOSITIONS), help=(
        "decomposition into trend, periodic part and rest before forecasting (none)"
    ))
    one.add_argument("--tuning", choices=tuple(TUNINGS), help="how settings are tuned before each fit (none)")
    one.add_argument("--trials", type=int, help="settings tried before each fit (10)")
    one.add_argument("--features", type=int, help="number of most informative features used; default: all")
    one.add_argument("--seed", type=int, help="seed of all models (0)")
    one.add_argument("--out", type=Path, help="output: JSON (evaluate), CSV (predict), folder (train, explain)")
    add_options(one)


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _run(arguments: argparse.Namespace, do: Callable[[Store, ForecastResult], None]) -> None:
    table, given = _given(arguments)
    with store_for(arguments) as store:
        record = store.add_dataset(table, table.name, "table")
        request = request_of(given, table)
        beside = None
        if "drivers" in given:
            beside = store.add_dataset(given["drivers"], given["drivers"].name, "table")
        earlier = None
        if arguments.earlier is not None:
            earlier = store.add_dataset(arguments.earlier, arguments.earlier.name, "table")
        order = order_of(record, request, drivers=beside, earlier=earlier, name=arguments.name)
        identity = run_in_process(store, order, announcing(store, arguments), progress("Forecasting"))
        do(store, store.result(identity, ForecastResult))


def _evaluate(arguments: argparse.Namespace) -> None:
    def tell(store: Store, result: ForecastResult) -> None:
        del store
        content = metrics_of(result)
        if arguments.out is None:
            print(json.dumps(plain_values(content), indent=1))
            return
        write_json(content, arguments.out)
        _say(content)

    _run(arguments, tell)


def _train(arguments: argparse.Namespace) -> None:
    from core.tasks.displacement.export import export_run
    from core.tasks.displacement.view import Look

    if arguments.out is None:
        raise InputError("No output folder was given.", remedy="Give one (--out).")
    _run(arguments, lambda store, result: _say(export_run(result, Look.default(result), arguments.out)))


def _predict(arguments: argparse.Namespace) -> None:
    def tell(store: Store, result: ForecastResult) -> None:
        del store
        table = ahead_table(result)
        if arguments.out is None:
            print(table.to_csv(index=False), end="")
            return
        with atomic_path(arguments.out) as aside:
            table.to_csv(aside, index=False)
        _say(metrics_of(result))

    _run(arguments, tell)


def _explain(arguments: argparse.Namespace) -> None:
    from core.tasks.displacement.explained import write_explanations

    event = arguments.event or ()
    if len(event) not in (0, 2):
        raise InputError("--event needs two dates.", remedy="Write --event 2020-06-03,2020-06-09.")
    if arguments.out is not None:
        make_folder(arguments.out)

    def tell(store: Store, result: ForecastResult) -> None:
        for sentence in write_explanations(store, result, arguments.model or "", event, arguments.out):
            print(sentence)

    _run(arguments, tell)


def _say(content: dict[str, Any]) -> None:
    for told in content["verdict"].values():
        for line in told:
            print(line)
    for line in content["notes"]:
        print(line)


def _given(arguments: argparse.Namespace) -> tuple[Path, dict[str, Any]]:
    """The table, and the options of a command: those of its configuration, and its own before them."""
    known = {*(one.name for one in fields(Columns)), *(one.name for one in fields(Plan)), "step", "stations",
             "station_name", "correct", *driver_options.NAMES} - {"places"}  # fmt: skip
    given: dict[str, Any] = {}
    table = arguments.table
    if table.suffix.lower() == ".toml":
        given = _configured(table, {*known, "table"})
        if "table" not in given:
            raise InputError(f"{table.name} does not name a table.", remedy="Add it: table = \"slope.csv\".")
        folder = table.parent
        table = folder / str(given.pop("table"))
        if "drivers" in given:
            given["drivers"] = folder / given["drivers"]
    given |= {name: value for name in known if (value := getattr(arguments, name, None)) is not None}
    if arguments.name:
        given["station_name"] = arguments.name
    return table, given


def request_of(given: dict[str, Any], table: Path) -> ForecastRequest:
    """The request of some options; columns that are not named are guessed from the table where that is plain.

    Raises
    ------
    InputError
        When they cannot be used.
    """
    from core.series.guess import guess_columns

    frame = read_series_table(table)
    guess = guess_columns(frame)
    columns: dict[str, Any] = {one.name: given[one.name] for one in fields(Columns) if one.name in given}
    columns.setdefault("time", guess.time)
    columns["places"] = guess.places
    named = given.get("components")
    if named is not None:
        columns["components"] = (_components(named, given.get("station_name") or _common(named), "--components"),)
        if "reference" in given:
            columns["reference"] = _components(given["reference"], "reference", "--reference")
    elif "reference" in given:
        if len(given["reference"]) != 1:
            raise InputError(
                "The displacement of a reference must be a single column.", remedy="Name one (--reference)."
            )
        columns["reference"] = given["reference"][0]
    if not columns.get("displacements") and not columns.get("components"):
        raise InputError(
            "The displacement columns are not given.",
            _guessed(guess), "Name them (--displacement, or --components NORTH,EAST --name STATION).",
        )  # fmt: skip
    models = tuple(given.get("models", FIRST))
    plan = {one.name: given[one.name] for one in fields(Plan) if one.name in given and one.name != "models"}
    made = Columns(**columns)
    drivers = driver_options.driver_table(given["drivers"], given) if "drivers" in given else None
    if "known_future" in plan:
        plan["known_future"] = _known_future(plan["known_future"], _drivers(made, drivers, given))
    return ForecastRequest(
        made, Plan(models=tuple(FORECASTERS) if models == ("all",) else models, **plan),
        tuple(given.get("stations", ())), given.get("step", "auto"), _corrections(given, frame, made, table.name),
        drivers,
    )  # fmt: skip


def _corrections(given: dict[str, Any], frame: DataFrame, columns: Columns, name: str) -> tuple[Correction, ...]:
    """Corrections of all that is found of the kinds that are named."""
    wanted = tuple(given.get("correct", ()))
    if not wanted:
        return ()
    from core.series.cleaning import findings
    from core.series.corrections import correction_of
    from core.series.read import monitoring_of

    for one in wanted:
        if one not in CORRECTED:
            raise InputError(f"{one!r} cannot be corrected.", remedy=f"Choose from {', '.join(CORRECTED)} (--correct).")
    kinds = {CORRECTED[one] for one in wanted}
    stations = given.get("stations", ())
    made = (
        correction_of(one) for one in findings(monitoring_of(frame, columns, name))
        if one.what in kinds and (not stations or one.station in stations)
    )  # fmt: skip
    return tuple(one for one in made if one is not None)


def _components(columns: tuple[str, ...], name: str, option: str) -> Components:
    if not 2 <= len(columns) <= 3:
        raise InputError(f"{option} needs two or three columns.", remedy=f"Give them as {option} NORTH,EAST[,UP].")
    return Components(name, *columns)


def _common(columns: tuple[str, ...]) -> str:
    import os

    return os.path.commonprefix(list(columns)).strip(" _-.") or "station"


def _drivers(columns: Columns, beside: DriverTable | None, given: dict[str, Any]) -> list[tuple[str, str]]:
    """What each driver of the table and of a file beside it is, and its name."""
    ours = [name for _, name in columns.drivers]
    more = () if beside is None else names_beside(ours, beside.names, given["drivers"].name)
    what = [quantity for quantity, _ in (*columns.drivers, *(() if beside is None else beside.drivers))]
    return list(zip(what, (*ours, *more), strict=True))


def _known_future(names: tuple[str, ...], drivers: list[tuple[str, str]]) -> tuple[str, ...]:
    """Drivers whose future is known, of their names or of what they are."""
    found: list[str] = []
    for name in names:
        ours = [driver for quantity, driver in drivers if name in (quantity, driver)]
        if not ours:
            raise InputError(f"There is no driver {name!r} to be known up to the target.",
                             remedy=f"Give its column (--{name if name in DRIVERS else 'rain'}).")  # fmt: skip
        found += ours
    return tuple(dict.fromkeys(found))


def _guessed(guess: Columns) -> str:
    probable = [*guess.displacements, *(f"{one.north},{one.east}" for one in guess.components)]
    return f"Probably {'; '.join(probable[:6])}." if probable else ""


def _configured(path: Path, known: set[str]) -> dict[str, Any]:
    """Options from a TOML file; lists become tuples."""
    try:
        if path.stat().st_size > LARGEST_CONFIG:
            raise InputError(
                f"{path.name} is too large for a configuration file.", remedy="Give a TOML file of options."
            )
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(
            f"The configuration {path.name} cannot be read.", f"{error}.", (
                "Follow the example in docs/displacement.toml."
            )
        ) from error
    lists = {"displacements", "components", "reference", "known_future", "stations", "models", "correct",
             "drivers_columns", *DRIVERS}  # fmt: skip
    kinds: dict[str, type | tuple[type, ...]] = {
        **dict.fromkeys(known, str), **dict.fromkeys(lists, list), "increments": bool,
        **dict.fromkeys(("horizon", "refit", "window", "seed", "trials", "features"), int), "test_share": (int, float),
    }  # fmt: skip
    if "displacement" in content:
        content["displacements"] = content.pop("displacement")  # by the name of its option
    for name, value in content.items():
        if name not in known:
            options = ", ".join(sorted(known - {"displacements"} | {"displacement"}))
            raise InputError(f"{path.name} has an unknown option {name!r}.", remedy=f"Options are {options}.")
        texts = not isinstance(value, list) or all(isinstance(one, str) for one in value)
        if not isinstance(value, kinds[name]) or (isinstance(value, bool) and name != "increments") or not texts:
            raise InputError(f"{name} in {path.name} cannot be {value!r}.", remedy="See docs/displacement.toml.")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in content.items()}


def _models(arguments: argparse.Namespace) -> None:
    del arguments
    width = max(map(len, NAMES))
    for name, one in FORECASTERS.items():
        print(f"{name:<{width}}  {one.title}: {one.what}")


def _columns(arguments: argparse.Namespace) -> None:
    from dataclasses import asdict

    from core.series.guess import guess_columns

    print(json.dumps(asdict(guess_columns(read_series_table(arguments.table))), indent=1, ensure_ascii=False))
