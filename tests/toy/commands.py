"""``python -m core wells …``."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.cli.options import add_options, announcing, store_for
from core.cli.view_options import add_view_options, check_view, view_of
from core.jobs.perform import run_in_process
from tests.toy.result import Trends
from tests.toy.run import LEVELS, Request, order_trends
from tests.toy.view import Choice


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Commands about wells."""
    run = parser.add_subparsers(dest="command", required=True).add_parser("run", help="fit lines to a table")
    run.add_argument("input", type=Path, help="CSV, TSV or Excel table")
    run.add_argument("--last", type=int, default=0, help="take only the last rows")
    add_view_options(run, [Choice])
    add_options(run)
    run.set_defaults(do=_run)


def _run(arguments: argparse.Namespace) -> None:
    check_view(Choice, arguments)
    with store_for(arguments) as store:
        table = store.add_dataset(arguments.input, arguments.input.name, "table")
        order = order_trends(table, Request(arguments.last), name=arguments.name)
        result = store.result(run_in_process(store, order, announcing(store, arguments)), Trends)
        print(f"{LEVELS} {table.name}, run {result.id}")
        for one in view_of(Choice, result, arguments).shown(result):
            print(f"{one.column}: mean {one.mean:.3f}, trend {one.slope:+.3f}")
