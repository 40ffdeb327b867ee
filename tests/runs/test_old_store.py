"""A store written by an earlier version is migrated when it is opened, and loses nothing.

``tests/runs/stores`` holds its home folder, its contents as recorded when it was made, and the script that made it. All
calls into the code are in ``tests/runs/stores/adapters.py``, so that renamed functions are adapted in one place.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import KINDS, sqlite_url
from tests.runs.stores import adapters, contents, packing

EXPECTED: dict[str, Any] = json.loads(packing.EXPECTED.read_text(encoding="utf-8"))

CLOSE = 1e-6
"""Relative difference allowed between numbers, for sums taken in another order on another machine."""

SHADE = 5
"""Steps of 255 by which the mean colour of a block of a tile may differ: the nearest pixel at an edge may be another
one where places are rounded in another way."""

ROUNDED = 0.5
"""Relative difference allowed of the least area that a page begins with, which is a whole figure since."""

MOVED: frozenset[str] = frozenset({"runs.scene_id", "runs.scene", "runs.scene_digest", "scenes", "series"})
"""Tables, and columns as ``table.column``, whose content a migration has moved elsewhere. Commands and addresses must
still give the same."""

@dataclass(frozen=True)
class Opened:
    """The old store, open in the version that is tested: its home folder and the address of its database."""

    home: Path
    url: str


@contextmanager
def opening(folder: Path, kind: str, request: pytest.FixtureRequest) -> Iterator[Opened]:
    """Unpack the store and make it the default one; on PostgreSQL its rows come from a database of the old revision."""
    home = packing.unpack(folder)
    database = contextmanager(_sqlite if kind == "sqlite" else _postgresql)
    with database(home, request) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLIDELENS_HOME", str(home))
        patch.setenv("SLIDELENS_DATABASE_URL", url)
        store = adapters.default_store()
        yield Opened(home, url)
        store.database.close()


def _sqlite(home: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    del request
    yield sqlite_url(home)


def _postgresql(home: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    server, name = request.getfixturevalue("postgresql"), f"slidelens_{secrets.token_hex(6)}"
    url = server.make(name)
    try:
        adapters.make_tables(url, packing.REVISION)
        contents.copy_rows(sqlite_url(home), url)
        (home / packing.DATABASE).unlink()
        yield url
    finally:
        server.drop(name)


@pytest.fixture(scope="module", params=KINDS)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Return the old store on either kind of database, to be read only."""
    with opening(tmp_path_factory.mktemp("old"), request.param, request) as store:
        yield store


@pytest.fixture(scope="module")
def gathered(opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the contents of the old store in the form in which they were recorded."""
    return contents.gather(tmp_path_factory.mktemp("exports"))


@pytest.fixture(params=KINDS)
def changing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Return the old store on either kind of database, to be changed."""
    with opening(tmp_path / "old", request.param, request) as store:
        yield store


def lost(found: Any, wanted: Any, place: str = "") -> Iterator[str]:
    """Recorded values that are missing or have changed; additional ones are allowed, and sentences may be reworded."""
    if place.endswith("/words"):
        return
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, value in wanted.items():
            if key in found:
                yield from lost(found[key], value, f"{place}/{key}")
            else:
                yield f"{place}/{key} is missing"
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
            yield from lost(one, other, f"{place}/{number}")
    elif _is_number(wanted) and _is_number(found):
        close = ROUNDED if place.endswith(("/choice/minimum_area", "/minimum_area_m2")) else CLOSE
        if not math.isclose(found, wanted, rel_tol=close, abs_tol=1e-9):
            yield f"{place} is {found}, was {wanted}"
    elif found != wanted:
        yield f"{place} is {str(found)[:200]}, was {str(wanted)[:200]}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def of_runs(part: str, content: dict[str, Any]) -> dict[str, Any]:
    """One part of what is known of each run, by run."""
    return {run: known[part] for run, known in content["runs"].items() if known.get(part) is not None}


def test_the_comparison_reports_missing_and_changed_values() -> None:
    wanted = {"a": [1, {"b": "x"}], "c": None, "d": 0.5}

    assert list(lost({"a": [1, {"b": "x", "more": 1}], "c": None, "d": 0.5 + 1e-9, "e": 1}, wanted)) == []
    assert len(list(lost({"a": [1], "c": 0, "d": 0.6}, wanted))) == 3
    assert list(lost({"a": [1, {}], "c": None, "d": 0.5}, wanted)) == ["/a/1/b is missing"]


def test_the_store_holds_runs_of_every_kind_and_state() -> None:
    runs = [known["shown"]["run"] for known in EXPECTED["runs"].values()]

    assert {(run["task"], run["kind"]) for run in runs if run["status"] == "done"} == {
        ("mapping", "mapping"), ("mapping", "scored"), ("mapping", "change"), ("mapping", "outlines"),
        ("mapping", "explanation"), ("mapping", "evaluation"), ("mapping", "training"),
        ("detection", "detection"), ("detection", "scored"), ("detection", "fused"), ("detection", "explanation"),
        ("detection", "outline"), ("detection", "evaluation"), ("detection", "training"),
    }  # fmt: skip
    assert {run["status"] for run in runs} == {"queued", "done", "failed", "cancelled", "interrupted"}


def test_every_row_is_still_there(opened: Opened, tmp_path: Path) -> None:
    old = contents.rows(sqlite_url(packing.unpack(tmp_path)))
    assert {table: len(rows) for table, rows in old.items()} == EXPECTED["rows"]

    now = contents.rows(opened.url)
    for table, rows in old.items():
        if table in MOVED:
            continue
        kept = [column for column in (rows[0] if rows else ()) if f"{table}.{column}" not in MOVED]
        then = [{column: row[column] for column in kept} for row in rows]
        left = [{column: row[column] for column in kept if column in row} for row in now[table]]
        missing = [row for row in then if row not in left]
        assert not missing, f"{table}: {len(missing)} rows are missing or changed, the first {str(missing[0])[:300]}"


def test_scenes_and_series_are_datasets_under_the_same_ids(opened: Opened, tmp_path: Path) -> None:
    old, now = contents.rows(sqlite_url(packing.unpack(tmp_path))), contents.rows(opened.url)
    datasets = {row["id"]: row for row in now["datasets"]}
    links = {(row["dataset_id"], row["role"]): row["other_id"] for row in now["dataset_links"]}
    same = ("created", "name", "file_digest", "origin", "synthetic", "licence", "citation")

    for table, form in (("scenes", "raster"), ("series", "table")):
        for row in old[table]:
            dataset = datasets[row["id"]]
            assert (dataset["form"], bool(dataset["companion"])) == (form, False)
            assert [dataset[column] for column in same] == [row[column] for column in same]
            assert Path(dataset["file"]).name == Path(row["file"]).name
    for row in old["scenes"]:
        for role, column in (("reference", "truth"), ("dem", "dem")):
            linked = datasets.get(links.get((row["id"], role), ""), {"file": ""})
            assert Path(linked["file"]).name == Path(row[column]).name
        assert links.get((row["id"], "before"), "") == row["before"]
    companions = [row["file"] for row in now["datasets"] if row["companion"]]
    assert len(companions) == len(set(companions)) > 0  # each file once, however many scenes share it
    assert len(datasets) == len(old["scenes"]) + len(old["series"]) + len(companions)


@pytest.mark.parametrize("part", ["shown", "findings", "files"])
def test_runs_keep_their_metadata_findings_and_files(gathered: dict[str, Any], part: str) -> None:
    found, wanted = of_runs(part, gathered), of_runs(part, EXPECTED)
    by_role = {"shown": contents.with_roles, "files": contents.with_roles_sent}.get(part)
    if by_role is not None:
        found, wanted = ({run: by_role(known) for run, known in one.items()} for one in (found, wanted))
    missing = list(lost(found, wanted))

    assert not missing, "\n".join(missing[:20])


def test_runs_are_listed_in_their_order(gathered: dict[str, Any]) -> None:
    assert gathered["listed"] == EXPECTED["listed"]


def test_scenes_and_series_keep_their_files_and_metadata(opened: Opened, gathered: dict[str, Any]) -> None:
    store = adapters.default_store()
    series = {identity: adapters.series(store, identity) for identity in EXPECTED["series"]}

    assert list(lost(gathered["scenes"], EXPECTED["scenes"])) == []
    assert list(lost(series, EXPECTED["series"])) == []


def test_tiles_are_unchanged(gathered: dict[str, Any]) -> None:
    """Transparency everywhere, and the colours of all that is seen whole: what colour is transparent is not seen."""
    missing = []
    for address, wanted in EXPECTED["tiles"].items():
        found = gathered["tiles"].get(address, "")
        ours, theirs = (np.frombuffer(bytes.fromhex(one), np.uint8).reshape(-1, 4) for one in (found, wanted))
        if len(found) != len(wanted):
            missing.append(address)
            continue
        seen = theirs[:, 3] == 255
        apart = np.abs(ours.astype(int) - theirs)
        if (apart[:, 3] > SHADE).any() or (apart[seen] > SHADE).any():
            missing.append(address)

    assert not missing, "\n".join(missing)
    opaque = sum(bytes.fromhex(wanted)[3::4].count(255) for wanted in EXPECTED["tiles"].values())
    assert opaque > 300, "too little is seen for its colours to say anything"


def test_comparisons_of_runs_are_unchanged(gathered: dict[str, Any]) -> None:
    assert list(lost(gathered["compared"], EXPECTED["compared"])) == []


def test_bundles_hold_the_same_files(gathered: dict[str, Any]) -> None:
    wanted = {run: known for run, known in of_runs("bundle", EXPECTED).items() if known["status"] == 200}

    def by_role(bundles: dict[str, Any]) -> dict[str, Any]:
        """Bundles with what each of their files is in place of its name."""
        return {
            run: {**known, "files": {contents.role_of(name): file for name, file in known["files"].items()}}
            for run, known in bundles.items() if run in wanted
        }  # fmt: skip

    assert list(lost(by_role(of_runs("bundle", gathered)), by_role(wanted))) == []


def test_exports_hold_the_same_numbers_and_files(gathered: dict[str, Any]) -> None:
    wanted = {run: known for run, known in of_runs("export", EXPECTED).items() if known["status"] == 0}
    found = of_runs("export", gathered)

    assert list(lost({run: found[run].get("metrics") for run in wanted},
                     {run: known["metrics"] for run, known in wanted.items()})) == []  # fmt: skip
    missing = {
        run: set(map(contents.role_of, known["files"])) - set(map(contents.role_of, found[run].get("files", ())))
        for run, known in wanted.items()
    }
    assert not any(missing.values()), missing


def test_reports_are_written_for_every_kind_that_had_one(changing: Opened, tmp_path: Path) -> None:
    found = contents.reports(tmp_path)

    for run, wanted in EXPECTED["reports"].items():
        if wanted["status"] == 0:
            assert found[run]["status"] == 0, run
            assert found[run]["names the run"], run
            assert found[run]["pictures"] >= wanted["pictures"], run


def test_pruning_keeps_pinned_and_queued_runs_and_their_parents(changing: Opened) -> None:
    left, wanted = contents.prune(changing.home), EXPECTED["prune"]

    assert left["status"] == 0
    assert left["runs"] == wanted["runs"]
    assert left["scenes"] == wanted["scenes"]
    # Tables that no run uses go as well; the earlier version kept them for ever.
    tables = {f"files/{one['digest'][:2]}/{one['digest']}.csv" for one in EXPECTED["series"].values()}
    assert left["files"] == sorted(set(wanted["files"]) - tables)
