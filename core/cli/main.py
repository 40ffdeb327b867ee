"""The command line: ``python -m core <task> <command>``, with the same core and the same numbers as the pages.

Whatever computes something keeps it as a run of the store, which the pages show, unless ``--no-store`` is given.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from core.cli import batch_commands, review_commands, run_commands
from core.cli.terminal import guard_terminal
from core.errors import LandslideError
from core.runs.kinds import tasks

INTERRUPTED = 130
"""Exit status that shells know as stopped by Ctrl-C."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="SlideLens on the command line")
    groups = parser.add_subparsers(dest="task", required=True)
    for task in tasks().values():
        if task.commands is not None:
            task.commands.load()(groups.add_parser(task.name, help=task.summary))
    described = "runs in the store: list, show, export, report, delete, prune"
    run_commands.add_commands(groups.add_parser("runs", help=described))
    several = "process several images with the same settings: list, show, export, delete"
    batch_commands.add_commands(groups.add_parser("batches", help=several))
    reviewing = "review detections, landslides or labels: mark, draw, reshape, split, merge, undo, redo, export"
    review_commands.add_commands(groups.add_parser("review", help=reviewing))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or 2 when an input, a model or the store cannot be used."""
    guard_terminal()
    level = os.environ.get("SLIDELENS_LOG", "INFO").upper()
    known = level in logging.getLevelNamesMapping()
    logging.basicConfig(level=level if known else "INFO", format="%(asctime)s %(message)s")
    for foreign in ("alembic", "numexpr", "optuna", "pyogrio"):
        logging.getLogger(foreign).setLevel(logging.WARNING)
    parsed = _parser().parse_args(arguments)
    try:
        parsed.do(parsed)
    except LandslideError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read this has read enough, as `head` does; Python would complain again when it empties its buffer.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
