"""Keeping the result of a command as a run, or in a temporary store."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.runs.store import Store


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command that makes a run."""
    parser.add_argument("--name", default="", help="name of the run in lists")
    parser.add_argument("--tag", action="append", default=[], help="tag for finding the run; may be given several "
                                                                   "times")
    parser.add_argument("--no-store", action="store_true", help="do not keep the run in the store")


@contextmanager
def store_for(arguments: argparse.Namespace, beside: Path | None = None) -> Iterator[Store]:
    """Give the store of this installation, or with ``--no-store`` one that is removed at the end.

    Parameters
    ----------
    beside
        Folder, on a disk that has room, in which that one lies.

    Raises
    ------
    InputError
        When a tag cannot be used, before anything is computed.
    """
    from core.runs.records import checked_tags
    from core.runs.store import Store, default_store

    checked_tags(arguments.tag)
    if not arguments.no_store:
        yield default_store()
        return
    with tempfile.TemporaryDirectory(prefix=".slidelens-", dir=beside) as folder:
        store = Store(Path(folder))
        try:
            yield store
        finally:
            store.database.close()


def announcing(store: Store, arguments: argparse.Namespace) -> Callable[[str], None]:
    """A callback that labels a started run and prints its id on standard error."""

    def begun(identity: str) -> None:
        if arguments.tag:
            store.label(identity, tags=arguments.tag)
        if not arguments.no_store:
            print(f"run {identity}", file=sys.stderr, flush=True)

    return begun


def progress(label: str) -> Callable[[int, int], None]:
    """Progress on standard error, on one line where that is a terminal."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty() or done == total:
            print(f"\r{label} {done}/{total}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return show
