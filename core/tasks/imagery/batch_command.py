"""``python -m core TASK batch``: one request asked of a folder of images, or of several files."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.batch_commands import OUT, print_table, write_out
from core.cli.options import add_options, announcing, progress, store_for
from core.cli.view_options import add_view_options, check_view, given, view_of
from core.errors import InputError, LandslideError
from core.raster.folder import make_folder
from core.runs.kinds import Ref

if TYPE_CHECKING:
    from core.batch.batches import Batch
    from core.batch.table import View
    from core.raster.scene import Scene
    from core.runs.records import Order, SceneRecord
    from core.runs.store import Store

Ask = Callable[[argparse.Namespace, "Scene"], Any]
"""The request of a task for an image, as its options say."""


def add_batch(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    words: str,
    view: type,
    options: Callable[[argparse.ArgumentParser], None],
    ask: Ask,
    order_of: Ref,
) -> None:
    """The command ``batch`` of a task.

    Parameters
    ----------
    words
        What it does.
    view
        What is chosen after the runs.
    options
        Adds the options that `ask` reads.
    order_of
        ``(record, request) -> Order``: the order of a request on an image.
    """
    parser = commands.add_parser("batch", help=words)
    parser.add_argument("input", type=Path, nargs="+", help="folder of images, or several image files")
    parser.add_argument("--references", type=Path, help="folder of inventories with the names or numbers of the images")
    parser.add_argument("--out", type=Path, help=OUT)
    add_view_options(parser, [view])
    options(parser)
    add_options(parser)
    parser.set_defaults(do=lambda arguments: _batch(arguments, view, ask, order_of))


def _batch(arguments: argparse.Namespace, view: type, ask: Ask, order_of: Ref) -> None:
    from core.batch.batches import add
    from core.batch.intake import take_files
    from core.batch.table import read_table

    if arguments.no_store and arguments.out is None:
        raise InputError(
            "The results of this batch would be lost.", "It is neither stored nor exported.", "Give --out."
        )
    check_view(view, arguments)
    paths = _paths(arguments.input)
    if arguments.out is not None:
        make_folder(arguments.out.parent if arguments.out.suffix else arguments.out)
    with store_for(arguments) as store:
        taken = take_files(store, paths, "file on this computer", progress("images read"), arguments.references)
        name, images = arguments.name or _name(arguments.input), [one.id for one in taken.scenes]
        batch = add(store, name, images, taken.refused, taken.notes)
        batch = _run_all(store, batch, list(taken.scenes), arguments, ask, order_of)
        chosen: View | None = None
        if given(view, arguments):
            chosen = lambda result: view_of(view, result, arguments)  # noqa: E731
        table = read_table(store, batch, chosen)
        print_table(table)
        if not arguments.no_store:
            print(f"batch {batch.id}")
        if arguments.out is not None and table.counted("done"):
            write_out(store, batch, arguments.out, chosen)
    if table.unfinished:
        number, rows = len(table.unfinished), len(table.rows)
        raise InputError(f"{number} of {rows} images {'has' if number == 1 else 'have'} no result.")


def _paths(given: list[Path]) -> list[Path]:
    """Files, and the images in folders."""
    from core.batch.intake import files_in

    return [path for one in given for path in (files_in(one) if one.is_dir() else [one])]


def _name(given: list[Path]) -> str:
    return given[0].resolve().name if len(given) == 1 and given[0].is_dir() else ""


def _ask(record: SceneRecord, arguments: argparse.Namespace, ask: Ask) -> Any:  # noqa: ANN401  of its task
    """The request on one image: a stated pixel size is of those that do not say themselves how large pixels are."""
    from core.tasks.imagery.model_commands import stated

    size = arguments.pixel_size if record.scene.grid.crs is None else None
    return ask(argparse.Namespace(**{**vars(arguments), "pixel_size": size}), stated(record.scene, size))


def _run_all(
    store: Store, batch: Batch, scenes: list[SceneRecord], arguments: argparse.Namespace, ask: Ask, order_of: Ref
) -> Batch:
    """Run all images one after the other, whatever becomes of each; those that the model does not fit are refused."""
    from core.batch.batches import Refused, change, without
    from core.jobs.perform import perform
    from core.runs.provenance import this_process
    from core.tasks.imagery.batch import orders

    refused: list[tuple[str, Refused]] = []
    asked: list[tuple[SceneRecord, Order]] = []
    make = order_of.load()
    for record in scenes:
        try:
            asked.append((record, make(record, _ask(record, arguments, ask))))
        except LandslideError as error:
            refused.append((record.id, Refused(record.scene.name, str(error))))
    if not asked:
        raise InputError("The model fits none of the images.", refused[0][1].why)
    narrowed = without(batch, refused)
    batch = change(store, batch, datasets=narrowed.datasets, refused=narrowed.refused)
    for number, (record, order) in enumerate(asked, start=1):
        (one,) = orders(batch, order, [record], arguments.pixel_size)
        identity = store.begin(one, server=this_process(), worker="command line")
        announcing(store, arguments)(identity)
        perform(store, identity, claimed=True, listen=progress(f"image {number} of {len(asked)}, tiles"))
    return batch
