"""``python -m core review …``: correct what a run found, or the labels it learnt from, and take the result away."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.run_commands import SHORTEST, find
from core.cli.view_options import add_view_options, chosen_for, view_of, views
from core.errors import InputError
from core.runs.kinds import find_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from shapely.geometry.base import BaseGeometry

    from core.review.edits import Edit
    from core.review.found import Opened
    from core.review.labels import OpenedLabels
    from core.review.state import Review
    from core.runs.store import Store

MOST_BYTES = 20_000_000
"""Size of a file with an outline."""


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Commands about reviews."""
    commands = parser.add_subparsers(dest="command", required=True)
    add = {name: commands.add_parser(name, help=words) for name, words in WORDS.items()}
    for one in add.values():
        one.add_argument("run", help=f"id of a run, or its first digits ({SHORTEST} or more)")
    for name in ("mark", "delete", "restore", "merge"):
        add[name].add_argument("ids", nargs="+", metavar="ID", help="ids of features or rows, as listed by show")
    for name in ("reshape", "split"):
        add[name].add_argument("ids", nargs=1, metavar="ID", help="id of a feature")
    for name in ("draw", "reshape", "split"):
        add[name].add_argument(
            "--outline", type=Path, required=True, help="GeoJSON file with one polygon, in WGS 84, or in columns "
            "and rows if the image has no coordinate system",
        )  # fmt: skip
    holds = add["draw"].add_mutually_exclusive_group()
    for flag, label, words in (("--landslide", True, "holds"), ("--no-landslide", False, "does not hold")):
        holds.add_argument(flag, dest="label", action="store_const", const=label,
                           help=f"the drawn unit of a validated layer {words} a landslide")
    judged = add["mark"].add_mutually_exclusive_group(required=True)
    for flag, judgement in (("--correct", "confirmed"), ("--wrong", "rejected"), ("--unreviewed", "unreviewed")):
        judged.add_argument(flag, dest="judgement", action="store_const", const=judgement)
    add["mark"].add_argument("--reason", help="why it is a false alarm, or the label wrong, such as 'road or building'")
    add["delete"].add_argument("--reason", help="why it is deleted, such as 'found twice'")
    for name in ("mark", "delete", "draw"):
        add[name].add_argument("--note", help="note to store with the edit")
    add["searched"].add_argument("--not", dest="examined", action="store_false", help="withdraw the confirmation")
    for name in EDITS:
        add[name].add_argument("--reviewer", required=True, help="name of the reviewer, stored with the edit")
        add_view_options(add[name], views(reviewed=True))
    for name in ("show", "export", "reference", "patches"):
        add_view_options(add[name], views(reviewed=True))
    add["export"].add_argument("--out", type=Path, required=True, help="folder")
    add["reference"].add_argument("--out", type=Path, required=True, help="GeoPackage to write")
    add["patches"].add_argument("--out", type=Path, required=True, help="folder")
    add["patches"].add_argument("--tile", type=int, default=256, help="side of a patch in pixels (256)")
    for name, one in add.items():
        one.set_defaults(do=DO[name])


WORDS = {
    "show": "print the review of a run as JSON: its features or labels, and progress",
    "mark": "mark features, or labels of a validated table, as correct, wrong or not reviewed",
    "delete": "remove features from the reviewed inventory, or rows and units from the corrected data",
    "restore": "put deleted features back as they were",
    "draw": "add a feature that the model missed, or a unit",
    "reshape": "replace the outline of a feature",
    "split": "split a feature along an outline into the parts inside and outside",
    "merge": "merge several features into one",
    "searched": "confirm that the whole area was searched for missed landslides",
    "undo": "undo the reviewer's last edit",
    "redo": "redo the reviewer's last undone edit",
    "export": "export the reviewed inventory or labels and the log to a folder",
    "reference": "export a finished review as a reference inventory",
    "patches": "export patches of the image and masks from the review for training",
}
EDITS = ("mark", "delete", "restore", "draw", "reshape", "split", "merge", "searched", "undo", "redo")


OF_LABELS = ("show", "mark", "delete", "restore", "undo", "redo", "export")
"""Commands that labels of a table allow, too: they have no outlines, and none of them is missed."""

OF_UNITS = (*OF_LABELS, "draw", "reshape", "split", "merge")
"""Commands that units with outlines allow."""

MOST_LABELS = 50
"""Labels that `show` prints beside those that were reviewed: the ones that the model contradicts most."""


def _opened_any(arguments: argparse.Namespace) -> tuple[Store, Opened | OpenedLabels]:
    """The outlines of a run with their review, or its labels."""
    from core.review.found import can_be_reviewed, open_review
    from core.review.labels import has_labels, open_labels
    from core.runs.store import default_store

    store = default_store()
    run = find(store, arguments.run)
    if has_labels(run):
        chosen_for(run.task, run.id, arguments)  # refuses options that labels do not depend on
        labels = open_labels(store, run)
        _check_labels(labels, arguments)
        return store, labels
    declared = find_task(run.task).view
    view = None
    if can_be_reviewed(run) and declared is not None:
        view = view_of(declared.load(), store.result(run.id), arguments)
    return store, open_review(store, run, view)


def _check_labels(opened: OpenedLabels, arguments: argparse.Namespace) -> None:
    """Refuse what only outlines allow, and what only an inventory allows."""
    outlined = opened.labelled.has_outlines
    allowed = OF_UNITS if outlined else OF_LABELS
    if arguments.command not in allowed:
        raise InputError(
            f"The {'units of a layer' if outlined else 'labels of a table'} do not allow {arguments.command!r}.",
            "They are no inventory of landslides." if outlined else "They have no outlines.",
            f"Use one of {', '.join(allowed)}.",
        )


def _opened(arguments: argparse.Namespace) -> tuple[Store, Opened]:
    from core.review.found import Opened

    store, opened = _opened_any(arguments)
    assert isinstance(opened, Opened)  # noqa: S101  labels were refused
    return store, opened


def _outline(path: Path, opened: Opened | OpenedLabels) -> BaseGeometry:
    """The one polygon of a GeoJSON file."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path.name} is larger than {MOST_BYTES / 1e6:.0f} MB.", remedy=
                "Give a file with one outline.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is not a readable GeoJSON file.", str(error)) from error
    features = content.get("features") if isinstance(content, dict) and "features" in content else [content]
    if not isinstance(features, list) or len(features) != 1 or not isinstance(features[0], dict):
        raise InputError(f"{path.name} does not hold exactly one polygon.", remedy="Give a file with one outline.")
    return opened.drawn(features[0].get("geometry", features[0]) or {})


def _edit(make: Callable[[argparse.Namespace, Opened | OpenedLabels], Edit]) -> Callable[[argparse.Namespace], None]:
    def do(arguments: argparse.Namespace) -> None:
        store, opened = _opened_any(arguments)
        _append(store, opened, make(arguments, opened), arguments.reviewer)

    return do


def _append(store: Store, opened: Opened | OpenedLabels, edit: Edit, reviewer: str) -> None:
    """Add an edit to the log, and print what it made of the review."""
    from core.review.log import append

    review = append(
        store, opened.run.id, opened.features, edit, reviewer=reviewer, seen=opened.review.number,
        view=opened.view_values,
    )  # fmt: skip
    told: dict[str, Any] = {"edit": review.number, "words": edit.words, "counts": _counts(opened, review)}
    if covered := _overlaps(edit, review):
        told["overlaps"] = covered
    print(json.dumps(told, indent=1))


def _counts(opened: Opened | OpenedLabels, review: Review) -> dict[str, int]:
    """How many features, or labels, there are of each status that they may have."""
    return {name: number for name, number in review.counts.items() if name in opened.statuses}


def _overlaps(edit: Edit, review: Review) -> list[dict[str, Any]]:
    """Which other features the outlines that an edit made overlap: that ground is in the inventory more than once."""
    from core.review.overlap import overlaps

    return [
        {"id": name, "overlaps": one.name, "share": round(one.share, 4), "covered": round(one.covered, 4)}
        for name in edit.made if name in review.features
        for one in overlaps(
            [other for other in review.features.values() if other.id != name], review.features[name].outline
        )
    ]  # fmt: skip


def _ids(arguments: argparse.Namespace, opened: Opened | OpenedLabels) -> tuple[str, ...]:
    return tuple(dict.fromkeys(opened.named(one) for one in arguments.ids))


def _mark(arguments: argparse.Namespace, opened: Opened | OpenedLabels) -> Edit:
    return opened.judge(_ids(arguments, opened), arguments.judgement, arguments.reason, arguments.note)


def _delete(arguments: argparse.Namespace, opened: Opened | OpenedLabels) -> Edit:
    from core.review.edits import Edit

    return Edit("delete", _ids(arguments, opened), reason=arguments.reason, note=arguments.note)


def _restore(arguments: argparse.Namespace, opened: Opened | OpenedLabels) -> Edit:
    from core.review.edits import Edit

    return Edit("restore", _ids(arguments, opened))


def _searched(arguments: argparse.Namespace, opened: Opened | OpenedLabels) -> Edit:
    from core.review.edits import Edit

    del opened
    return Edit("examined", examined=arguments.examined)


def _draw(arguments: argparse.Namespace, opened: Opened | OpenedLabels) -> Edit:
    from core.review import actions, units
    from core.review.labels import OpenedLabels

    outline = _outline(arguments.outline, opened)
    if not isinstance(opened, OpenedLabels):
        if arguments.label is not None:
            raise InputError("A drawn feature of this run is a landslide.", remedy=
                "Leave out --landslide and --no-landslide.")
        return actions.draw(opened.review, outline, opened.grid, arguments.note)
    if arguments.label is None:
        raise InputError("The label of the drawn unit is missing.", remedy="Give --landslide or --no-landslide.")
    return units.draw(opened.review, outline, landslide=arguments.label, note=arguments.note)


def _reshape(arguments: argparse.Namespace, opened: Opened | OpenedLabels) -> Edit:
    from core.review import actions

    return actions.reshape(opened.review, _ids(arguments, opened)[0], _outline(arguments.outline, opened))


def _split(arguments: argparse.Namespace, opened: Opened | OpenedLabels) -> Edit:
    from core.review import actions

    return actions.split_off(opened.review, _ids(arguments, opened)[0], _outline(arguments.outline, opened))


def _merge(arguments: argparse.Namespace, opened: Opened | OpenedLabels) -> Edit:
    from core.review import actions

    return actions.merge(opened.review, _ids(arguments, opened), opened.noun)


def _turn(arguments: argparse.Namespace) -> None:
    from core.review import log

    store, opened = _opened_any(arguments)
    turn = log.undo if arguments.command == "undo" else log.redo
    review = turn(store, opened.run.id, opened.features, arguments.reviewer)
    turned = next(one for one in review.log if one.number == review.log[-1].edit.of)
    print(json.dumps({"edit": review.number, "words": turned.edit.words, "counts": _counts(opened, review)}, indent=1))


def _show(arguments: argparse.Namespace) -> None:
    from core.raster.folder import plain_values
    from core.review.inventory import inventory, summary
    from core.review.label_files import label_summary, label_table
    from core.review.labels import OpenedLabels

    _, opened = _opened_any(arguments)
    content: dict[str, Any]
    if isinstance(opened, OpenedLabels):
        rows = label_table(opened).drop(columns=["run", "status_label"])
        ranked = rows.iloc[opened.order].astype(object)
        shown = ranked[(ranked["status"] != "unreviewed") | (ranked.index.isin(ranked.index[:MOST_LABELS]))]
        content = {**label_summary(opened), "labels": shown.where(shown.notna(), None).to_dict("records")}
    else:
        table = inventory(opened)
        area = "area_m2" if "area_m2" in table else "area_px"
        columns = ["id", "status", area, "reason", "note", "reviewer", "reviewed", "parents"]
        content = {**summary(opened), "features": table[columns].to_dict("records")}
    print(json.dumps(plain_values(content), indent=1, allow_nan=False))


def _export(arguments: argparse.Namespace) -> None:
    from core.review.inventory import export_review
    from core.review.label_files import export_labels
    from core.review.labels import OpenedLabels

    _, opened = _opened_any(arguments)
    if isinstance(opened, OpenedLabels):
        told = export_labels(opened, arguments.out)
    else:
        told = export_review(opened, arguments.out)
    print(json.dumps(told, indent=1))


def _reference(arguments: argparse.Namespace) -> None:
    from core.review.inventory import write_reference

    _, opened = _opened(arguments)
    write_reference(opened, arguments.out)
    print(arguments.out)


def _patches(arguments: argparse.Namespace) -> None:
    from core.review.training import write_training

    _, opened = _opened(arguments)
    print(json.dumps(write_training(opened, arguments.out, tile=arguments.tile), indent=1))


DO: dict[str, Callable[[argparse.Namespace], None]] = {
    "show": _show, "mark": _edit(_mark), "delete": _edit(_delete), "restore": _edit(_restore), "draw": _edit(_draw),
    "reshape": _edit(_reshape), "split": _edit(_split), "merge": _edit(_merge), "searched": _edit(_searched),
    "undo": _turn, "redo": _turn, "export": _export, "reference": _reference, "patches": _patches,
}  # fmt: skip
