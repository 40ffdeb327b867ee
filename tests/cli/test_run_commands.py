"""What was computed is listed, shown, exported, reported and removed by command line as well."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import geopandas
import numpy as np
import pytest
from sqlalchemy import update

from core.cli.main import main
from core.cli.units import before, octets, words
from core.errors import InputError
from core.raster.scene import Scene
from core.runs.records import Failure, Order
from core.runs.store import Store
from core.runs.tables import RunRow
from core.tasks.imagery.result import image_inputs
from core.tasks.mapping.result import MappingResult
from tests.factories import keep, made_run, ramp, write_raster

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def mapping(tmp_path: Path, store: Store) -> str:
    """A finished mapping with truth."""
    record = store.add_scene(write_raster(tmp_path / "valley.tif", ramp(40, 40)), "valley", origin="sample")
    probability = np.zeros((40, 40))
    probability[5:25, 5:25] = 0.9
    made = made_run(tmp_path / "made", probability, reference=(probability > 0.5).astype(np.uint8))
    made = replace(made, inputs=image_inputs("valley", record.scene.digest))
    return keep(store, made, record.id).id


@pytest.fixture
def explanation(tmp_path: Path, store: Store, mapping: str) -> str:
    """An explanation of it."""
    made = made_run(tmp_path / "cam", np.full((4, 4), 0.5))
    return keep(store, replace(made, kind="explanation", artifacts={"cam": "probability.tif"}), parents=(mapping,)).id


def run(*arguments: object) -> int:
    return main(["runs", *map(str, arguments)])


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_runs_are_listed_the_newest_first(
    store: Store, mapping: str, explanation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = store.order(Order("mapping", "mapping", {}, image_inputs(""), model="blue", name="A name"))
    store.fail(failed, Failure("It failed."))
    store.label(mapping, tags=["a", "b"], pinned=True)

    assert run("list") == 0

    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "ID"
    assert [row.split()[0] for row in rows] == [failed[:8], explanation[:8], mapping[:8]]
    assert rows[0].split()[3:] == ["failed", "mapping", "mapping", "blue", "–", "–", "–", "–", "A", "name"]
    told = ["done", "mapping", "mapping", "made", "1.000", "–", "–", "–", "valley", "[a,", "b]", "(pinned)"]
    assert rows[2].split()[3:] == told


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], "fem"),
        (["--status", "failed"], "f"),
        (["--status", "failed", "--status", "done"], "fem"),
        (["--model", "blue"], "f"),
        (["--tag", "a"], "m"),
        (["--text", "VALLEY"], "m"),
        (["--task", "mapping"], "fem"),
        (["--task", "detection"], ""),
        (["--limit", "1"], "f"),
    ],
)
def test_a_list_is_narrowed(
    store: Store, mapping: str, explanation: str, capsys: pytest.CaptureFixture[str], options: list[str], found: str
) -> None:
    failed = store.order(Order("mapping", "mapping", {}, image_inputs(""), model="blue", name="A name"))
    store.fail(failed, Failure("It failed."))
    store.label(mapping, tags=["a"])
    letters = {failed: "f", explanation: "e", mapping: "m"}

    assert run("list", "--json", *options) == 0

    assert "".join(letters[one["run"]["id"]] for one in printed(capsys)) == found


def test_a_run_is_found_by_its_first_digits_when_they_tell(
    store: Store, mapping: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in (mapping, mapping[:6], mapping[:10].upper()):
        assert run("show", text) == 0
        content = printed(capsys)
        assert content["run"]["id"] == mapping
        assert content["metrics"]["f1"] == 1.0
        assert content["provenance"] == store.provenance(mapping)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "abcde"], "6 to 32 digits"),
        (["show", "../etc/passwd"], "6 to 32 digits"),
        (["show", "valley"], "6 to 32 digits"),
        (["show", "0" * 32], "No run"),
        (["delete", "ffffff"], "No run"),
        (["list", "--status", "finished"], "queued, running, done"),
        (["list", "--limit", "0"], "1 or more"),
        (["prune"], "--older-than, --keep, --orphans"),
        (["prune", "--keep", "20"], "not a size"),
        (["prune", "--older-than", "30"], "neither an age nor a date"),
        (["export", "RUN", "--out", "OUT", "--threshold", "2"], "between 0 and 1"),
        (["report", "RUN", "--minimum-area", "-1"], "area"),
        (["report", "WAITING"], "queued"),
        (["export", "WAITING", "--out", "OUT"], "queued"),
        (["export", "WAITING", "--out", "OUT.zip"], "queued"),
    ],
)
def test_what_cannot_be_done_ends_with_status_2_and_says_why(
    tmp_path: Path, store: Store, mapping: str, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    waiting = store.order(Order("mapping", "mapping", {}, image_inputs("")))
    out = tmp_path / "out"
    places = {"RUN": mapping, "WAITING": waiting, "OUT": str(out), "OUT.zip": f"{out}.zip"}

    assert run(*(places.get(argument, argument) for argument in arguments)) == 2

    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert store.count() == 2
    assert not Path(f"{out}.zip").exists()


def test_digits_that_two_runs_share_do_not_tell(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for last in "01":
        monkeypatch.setattr("core.runs.queue.new_id", lambda last=last: "abcdef" + "0" * 25 + last)
        store.order(Order("mapping", "mapping", {}, image_inputs("")))

    assert run("show", "abcdef") == 2
    assert "2 runs have an id that starts with abcdef" in capsys.readouterr().err
    assert run("show", "abcdef" + "0" * 25 + "1") == 0


def test_a_mapping_is_exported_as_at_its_end_or_with_another_choice(
    tmp_path: Path, mapping: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("export", mapping[:8], "--out", tmp_path / "a") == 0
    assert capsys.readouterr().out == f"{tmp_path / 'a'}\n"
    content = json.loads((tmp_path / "a" / f"valley_mapping_metrics_{mapping[:8]}.json").read_text())
    assert (content["run"], content["threshold"], content["landslides"]) == (mapping, 0.5, 1)
    assert (tmp_path / "a" / f"valley_mapping_landslides_{mapping[:8]}.gpkg").is_file()
    stray = tmp_path / "a" / f"valley_mapping_old_{mapping[:8]}.tif"
    other = tmp_path / "a" / "valley_mapping_old_ffffffff.tif"
    kept = (("run", "zip"), ("report", "html"), ("report", "pdf"), ("map", "png"), ("landslides", "qml"))
    saved = [tmp_path / "a" / f"valley_mapping_{name}_{mapping[:8]}.{ending}" for name, ending in kept]
    for path in (stray, other, *saved):
        path.touch()

    assert run("export", mapping, "--out", tmp_path / "a", "--threshold", 0.95) == 0
    content = json.loads((tmp_path / "a" / f"valley_mapping_metrics_{mapping[:8]}.json").read_text())
    assert content["landslides"] == 0
    assert not stray.exists()  # of an earlier export of this run
    assert other.exists()
    assert all(path.exists() for path in saved)  # by a browser or by hand


def test_a_run_is_exported_as_one_zip(tmp_path: Path, mapping: str, explanation: str) -> None:
    assert run("export", mapping, "--out", tmp_path / "deep" / "run.zip") == 0

    with ZipFile(tmp_path / "deep" / "run.zip") as archive:
        assert archive.testzip() is None
        digits = mapping[:8]
        wanted = ("probability.tif", "reference.tif", "report.html", "report.pdf", "figure.png", "landslides.csv",
                  "landslides.geojson", "landslides.gpkg", "landslides.kml", "landslides.shp.zip",
                  "landslides-fields.csv", "mask.tif", "metrics.json")  # fmt: skip
        assert archive.namelist() == [
            "manifest.json",
            *("valley_mapping_{}_{}.{}".format(name.split(".")[0], digits, name.split(".", 1)[1]) for name in wanted),
            f"explanations/{explanation[:8]}/made_mapping_cam_{explanation[:8]}.tif",
        ]
        manifest = json.loads(archive.read("manifest.json"))
        sizes = {one.filename: one.file_size for one in archive.infolist()}
    prepared = [one["file"] for one in manifest["prepared"]]
    whats = ["report", "report", "figure", *["landslides"] * 5, "landslides-fields", "mask", "metrics"]
    assert [name.split("_")[2] for name in prepared] == whats
    assert all(one["bytes"] == sizes[one["file"]] for one in manifest["prepared"])
    assert manifest["left_out"] == []


def test_what_is_no_mapping_is_exported_as_its_files(tmp_path: Path, explanation: str) -> None:
    assert run("export", explanation, "--out", tmp_path / "out") == 0

    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"made_mapping_cam_{explanation[:8]}.tif", "manifest.json"
    }  # fmt: skip
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["run"]["id"] == explanation


def test_without_its_scene_a_mapping_leaves_without_a_figure(tmp_path: Path, mapping: str) -> None:
    (tmp_path / "valley.tif").unlink()

    assert run("export", mapping, "--out", tmp_path / "out") == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert f"valley_mapping_landslides_{mapping[:8]}.gpkg" in names
    assert not any(name.endswith(".png") for name in names)
    assert run("export", mapping, "--out", tmp_path / "out.zip") == 0


def test_a_report_is_kept_with_the_run_and_copied(
    tmp_path: Path, store: Store, mapping: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("report", mapping[:6]) == 0
    kept = store.artifact(mapping, "report").path
    assert capsys.readouterr().out == f"{kept}\n"

    assert run("report", mapping, "--out", tmp_path / "deep" / "report.html", "--threshold", 0.95) == 0
    copied = (tmp_path / "deep" / "report.html").read_text("utf-8")
    assert copied == store.artifact(mapping, "report").path.read_text("utf-8")
    assert "0.95" in copied
    assert not kept.exists()  # replaced

    for arguments in (["--out", tmp_path / "report.pdf"], ["--pdf", "--out", tmp_path / "noname"]):
        assert run("report", mapping, *arguments) == 0
        assert arguments[-1].read_bytes() == store.artifact(mapping, "report_pdf").path.read_bytes()
        assert arguments[-1].read_bytes()[:5] == b"%PDF-"


def test_a_run_is_passed_on_by_its_addresses(
    tmp_path: Path, mapping: str, explanation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("link", mapping[:8], "--server", "https://example.org/slides/", "--threshold", 0.95) == 0
    page, *tiles = capsys.readouterr().out.splitlines()
    assert page.startswith(f"https://example.org/slides/mapping?run={mapping}&threshold=0.95&minimum=")
    at = f"https://example.org/slides/tiles/run/{mapping}"
    assert f"{at}/mask/{{z}}/{{x}}/{{y}}.png?threshold=0.95" in tiles
    image, *layers = tiles
    assert image.startswith("https://example.org/slides/tiles/scene/")
    assert {one.removeprefix(at).split("/")[1] for one in layers} == {"probability", "mask", "truth", "outcome"}

    assert run("link", explanation) == 2
    assert "finished result" in capsys.readouterr().err


def test_runs_are_deleted_with_what_stands_on_them(
    store: Store, mapping: str, explanation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("delete", mapping[:8], explanation, explanation[:8]) == 0
    assert capsys.readouterr().out == "2 runs deleted\n"
    assert store.runs() == []


def test_nothing_is_deleted_when_one_of_the_ids_is_wrong(store: Store, mapping: str) -> None:
    assert run("delete", mapping, "ffffff") == 2
    assert store.count() == 1


def test_pruning_says_first_what_would_go(
    store: Store, mapping: str, explanation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pinned = keep(store, store.result(mapping, MappingResult)).id
    store.label(pinned, pinned=True)
    stray = store.home / "artifacts" / "ab" / "abc.tif"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"stray")
    long_ago = (datetime.now(UTC) - timedelta(days=90)).timestamp()
    with store.database.write() as session:
        session.execute(update(RunRow).values(created=long_ago))

    assert run("prune", "--older-than", "30d", "--keep", "1KB", "--orphans", "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["run", explanation[:8]], ["run", mapping[:8]]]
    assert lines[2] == "2 runs, 0 uploads and 0 prepared exports would be deleted"
    assert "over the quota" in lines[3]
    assert "0 orphaned files would be deleted" in lines[4]  # too young
    assert store.count() == 3

    os.utime(stray, (1, 1))
    prepared = store.home / "exports" / pinned / "abc"
    prepared.mkdir(parents=True)
    os.utime(prepared, (1, 1))
    assert run("prune", "--older-than", "30d", "--orphans") == 0
    out = capsys.readouterr().out
    assert "2 runs, 0 uploads and 1 prepared export deleted" in out
    assert str(stray) in out
    assert not stray.exists()
    assert [left.id for left in store.runs()] == [pinned]

    store.run(pinned).artifacts[0].path.unlink()
    assert run("prune", "--orphans") == 0
    assert f"damaged: the probability file of run {pinned[:8]} (valley)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "size"),
    [("20GB", 20_000_000_000), ("500 MB", 500_000_000), ("1.5TiB", 3 * 2**39), ("0B", 0), ("7kb", 7000),
     ("2KiB", 2048)],
)  # fmt: skip
def test_sizes_are_read_as_written(text: str, size: int) -> None:
    assert octets(text) == size


@pytest.mark.parametrize("text", ["", "20", "GB", "-1GB", "1e3MB", "1,5GB", "20G", "20 GB ", "ib", "1ib", "٢GB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a size"):
        octets(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30d", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("12h", datetime(2026, 3, 31, tzinfo=UTC)),
        ("2w", datetime(2026, 3, 17, 12, tzinfo=UTC)),
        ("0d", NOW),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T06:30", datetime(2026, 1, 31, 6, 30, tzinfo=UTC)),
        ("2026-01-31T06:30:00+02:00", datetime(2026, 1, 31, 4, 30, tzinfo=UTC)),
    ],
)
def test_ages_and_dates_are_read_as_written(text: str, moment: datetime) -> None:
    assert before(text, NOW) == moment


@pytest.mark.parametrize(
    "text",
    ["", "30", "d", "-3d", "1.5d", "30 d", "3m", "2026-02-30", "31.01.2026", "20260131", "999999w", "2026-13-01"],
)
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="neither an age nor a date"):
        before(text, NOW)


def test_a_date_to_come_is_refused() -> None:
    with pytest.raises(InputError, match="future"):
        before("2026-04-01", NOW)


def test_sizes_are_told_in_powers_of_ten() -> None:
    sizes = (0, 999, 1000, 1_560_000, 20 * 10**9)
    assert [words(size) for size in sizes] == ["0 B", "999 B", "1.0 kB", "1.6 MB", "20.0 GB"]


def test_a_large_mapping_is_exported_with_its_landslides(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.tasks.mapping import export, findings, run_outlines

    path = write_raster(tmp_path / "scene.tif", ramp(40, 60))
    scene = Scene.open(path)
    probability = np.zeros((40, 60))
    probability[5:15, 5:15] = probability[20:30, 30:50] = 0.9
    made = replace(made_run(tmp_path / "made", probability), inputs=image_inputs("made", scene.digest))
    run = keep(store, made, store.add_scene(path, "scene").id)
    for module in (findings, export, run_outlines):
        monkeypatch.setattr(module, "LARGEST", 1000)

    assert main(["runs", "export", run.id, "--out", str(tmp_path / "out"), "--threshold", "0.5"]) == 0

    assert len(geopandas.read_file(tmp_path / "out" / f"made_mapping_landslides_{run.id[:8]}.gpkg")) == 2
    (outlined,) = store.children(run.id, "outlines")
    assert outlined.status == "done"
    assert outlined.metrics["landslides"] == 2
    assert main(["runs", "export", run.id, "--out", str(tmp_path / "again"), "--threshold", "0.5"]) == 0
    assert len(store.children(run.id, "outlines")) == 1
