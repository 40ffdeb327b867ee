"""Make ``store_0002.zip`` and ``expected.json``: a home folder with runs of every kind, at schema revision 0002.

The two files are kept so that later versions can be checked against a store that they did not write. This script runs
with the version that it was made for, and is kept as the record of what the store holds::

    PYTHONPATH=. python tests/runs/stores/make_store_0002.py

Identifiers and times differ each time. Absolute paths are replaced by the placeholders of `tests.runs.stores.packing`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import tests.detection.fakes  # noqa: F401  registers its family
import torch
from core.detection import export as detection_export
from core.detection import findings as detection_findings
from core.mapping import export as mapping_export
from core.mapping import findings as mapping_findings
from core.mapping.options import Options as MappingOptions
from core.runs.reporting import make_report
from core.runs.terrain import relief_scene
from core.runs.work import perform

from core.cli import main as command_line
from core.errors import RunCancelled
from core.runs import (
    box_outline,
    detection,
    difference,
    explain,
    explain_box,
    fusion,
    mapping,
    outlines,
    reasons,
    scoring,
)
from core.runs.records import Order, RunFilter
from core.runs.store import Store, default_store
from tests.runs.stores import adapters, contents, inputs_0002, packing

REPOSITORY = Path(__file__).resolve().parents[3]
HOST = "example-host"
"""Stands for the name of the machine that the store was made on."""

MAPPER, OTHER_MAPPER = "unet-regnety", "segformer-mit"
DETECTOR, TERRAIN_DETECTOR, VELOCITY_DETECTOR, OUTLINING_DETECTOR = (
    "yolo11n-p2", "dem-fcos", "insar-fcos", "mask-components",
)  # fmt: skip
VISITOR = "0123456789abcdef0123456789abcdef"


def ordered(store: Store, order: Order, **labels: Any) -> str:
    """Do an order as a worker does, and label its run."""
    identity = store.order(order)
    perform(store, identity, worker="worker-1", raising=True)
    store.label(identity, **labels)
    return identity


def command(*arguments: object) -> None:
    """Run a command; it must succeed."""
    if status := command_line([str(argument) for argument in arguments]):
        raise SystemExit(f"{arguments} ended with {status}")


def newest(store: Store, kind: str) -> str:
    return store.runs(RunFilter(kinds=(kind,), limit=1))[0].id


class Maker:
    """Fills a store; each method adds the runs of one theme.

    Attributes
    ----------
    valley, before, photo, velocity
        Ids of scenes: with reference, elevation and an earlier scene; that earlier one; without a coordinate system;
        of one signed band with nodata.
    """

    def __init__(self, store: Store, data: Path) -> None:
        self.store, self.data = store, data
        self.valley = self._uploaded("valley_after.tif", truth="valley_inventory.gpkg", dem="valley_dem.tif")
        self.before = self._uploaded("valley_before.tif")
        store.set_before(self.valley, self.before)
        self.photo = self._uploaded("photo.png")
        self.velocity = self._uploaded("valley_velocity.tif", truth="valley_moving.gpkg")
        store.upload_series(io.BytesIO((data / "gauge.csv").read_bytes()), "Gauge 7 – Südhang.csv")

    def _uploaded(self, name: str, **attached: str) -> str:
        record = self.store.upload_scene(io.BytesIO((self.data / name).read_bytes()), name)
        for role, file in attached.items():
            content = io.BytesIO((self.data / file).read_bytes())
            record = self.store.attach(record.id, role, content, Path(file).suffix)
        return record.id

    def mappings(self) -> None:
        store, record = self.store, self.store.scene_record
        request = mapping.Request(MAPPER, options=MappingOptions(turned=True))
        order = mapping.order_of(record(self.valley), request, owner=VISITOR, name="After the storm")
        after = ordered(
            store, order, note="First look.\nCheck the gravel bars – Kiesbänke.", tags=["storm", "überprüft"],
            pinned=True,
        )  # fmt: skip
        before = ordered(store, mapping.order_of(record(self.before), mapping.Request(MAPPER)), tags=["storm"])
        self.after, second = store.mapping(after), store.mapping(before)
        ordered(store, difference.order_difference(second, self.after), name="What is new")
        chosen = mapping_findings.Choice(0.5, 1000.0, 400.0)
        ordered(store, outlines.order_outlines(self.after, chosen, terrain=True))
        scene, layers = record(self.valley).scene, explain.layers_of(MAPPER)
        found = mapping_findings.find(self.after, mapping_findings.Choice(0.3)).polygons
        explain.explain(store, scene, self.after, found.iloc[[0]], layers[1].name)
        explain.explain(store, scene, self.after, (80, 80), layers[0][-1].name)
        corners = [scene.grid.transform @ corner for corner in ((20, 20), (140, 20), (140, 140), (20, 140), (20, 20))]
        from rasterio.warp import transform_geom

        drawn = transform_geom(scene.grid.crs, "EPSG:4326", {"type": "Polygon", "coordinates": [corners]})
        part = mapping.Request(OTHER_MAPPER, bands=(1, 2, 3), stretch="2,98", engine="torch")
        ordered(store, mapping.order_of(record(self.valley), part, drawn, owner=VISITOR), name="A drawn part")

    def photo_mappings(self) -> None:
        """Runs in pixel space: without a reference, then scored against one that was attached later."""
        corners = [[4, 4], [140, 4], [140, 124], [4, 124], [4, 4]]
        store, drawn = self.store, {"type": "Polygon", "coordinates": [corners]}
        record = store.scene_record(self.photo)
        found = store.mapping(ordered(store, mapping.order_of(record, mapping.Request(MAPPER), drawn)))
        searched = store.detection(ordered(store, detection.order_of(record, detection.Request(DETECTOR), drawn)))
        content = io.BytesIO((self.data / "photo_mask.png").read_bytes())
        record = store.attach(self.photo, "truth", content, ".png")
        scored = scoring.rescore(store, found, record)
        ordered(store, scoring.order_scored(found, record), tags=["scored by a worker"])
        explain.explain(store, record.scene, scored, (30, 40), explain.layers_of(MAPPER)[1].name)
        boxes = detection.rescore(store, searched, record)
        ordered(store, detection.order_scored(searched, record))
        seen = detection_findings.find(boxes, detection_findings.Choice(0.01))
        explain_box.explain_box(store, record.scene, boxes, explain_box.question_of(seen, 1))
        box_outline.outline_box(store, record.scene, boxes, box_outline.outline_question(seen, 1, MAPPER, 0.3))

    def detections(self) -> None:
        store, record = self.store, self.store.scene_record
        order = detection.order_of(record(self.valley), detection.Request(DETECTOR), owner=VISITOR, name="Boxes")
        self.boxes = store.detection(ordered(store, order, tags=["storm"], note="Compare with the mapping."))
        relief = relief_scene(store, record(self.valley))
        ground = ordered(store, detection.order_of(relief, detection.Request(TERRAIN_DETECTOR)))
        tree = fusion.find_tree(fusion.list_trees()[0])
        fused = fusion.order_fused(self.boxes, store.detection(ground), tree, name="Image and terrain")
        ordered(store, fused, pinned=True)
        seen = detection_findings.find(self.boxes, detection_findings.Choice(0.05))
        asked = explain_box.question_of(seen, 1)
        ordered(store, explain_box.order_explanation(self.boxes, asked, owner=VISITOR))
        ordered(store, explain_box.order_explanation(self.boxes, explain_box.question_of(seen, 2, "occlusion")))
        ordered(store, box_outline.order_outline(self.boxes, box_outline.outline_question(seen, 1, MAPPER)))
        nothing = box_outline.outline_question(seen, 2, OTHER_MAPPER, 1.0)
        ordered(store, box_outline.order_outline(self.boxes, nothing), name="Nothing was mapped in this box")
        ordered(store, detection.order_of(record(self.velocity), detection.Request(VELOCITY_DETECTOR)))
        ordered(store, detection.order_of(record(self.before), detection.Request(OUTLINING_DETECTOR)))

    def commands(self) -> None:
        """Runs of the command line, of files that are used where they lie."""
        place = ["in_place/valley_after.tif", "--model", OTHER_MAPPER, "--truth", "in_place/valley_inventory.gpkg"]
        command(
            "mapping", "predict", *place, "--before", "in_place/valley_before.tif", "--dem", "in_place/valley_dem.tif",
            "--name", "By command", "--tag", "batch",
        )  # fmt: skip
        command("detection", "predict", *place[:2], OUTLINING_DETECTOR, *place[3:], "--tag", "batch")
        squares = ["--images", "squares/images", "--masks", "squares/masks"]
        command("mapping", "evaluate", "--model", OTHER_MAPPER, *squares)
        command("detection", "evaluate", "--model", OUTLINING_DETECTOR, *squares, "--name", "Boxes of squares")
        for task, name in (("mapping", "tiny-mapper"), ("detection", "tiny-detector")):
            command(task, "train", f"{name}.toml", "--data", "squares", "--work", "work", "--tag", "squares")
        command("mapping", "card", "tiny-mapper.toml", "--data", "squares", "--keep-scores")
        sample = self.store.add_scene(
            self.data / "in_place" / "sample.tif", "Sample (synthetic)", origin="sample", synthetic=True,
            licence="CC0-1.0", citation="Made by a script.",
        )  # fmt: skip
        lost = self.store.add_scene(self.data / "in_place" / "lost.tif", "A file that is gone", origin="data folder")
        for record in (sample, lost):
            ordered(self.store, mapping.order_of(record, mapping.Request(OTHER_MAPPER)))
        lost.scene.path.unlink()

    def unfinished(self) -> None:
        """Runs that failed, were cancelled or interrupted, and one that waits."""
        store, record = self.store, self.store.scene_record(self.valley)
        order = mapping.order_of(record, mapping.Request(MAPPER), owner=VISITOR)

        def wrong(*_: object) -> Any:
            raise ZeroDivisionError("division by zero")

        def stopped(*_: object) -> Any:
            raise RunCancelled("The mapping was stopped.", "Nothing of it was kept.")

        perform(store, store.order(mapping.order_of(record, mapping.Request(MAPPER, bands=(7, 8, 9)))))
        perform(store, store.order(replace(order, name="A fault of the program")), work=wrong)
        perform(store, store.order(replace(order, name="Stopped while it worked")), work=stopped)
        store.cancel(store.order(replace(order, name="Cancelled while it waited")))
        searching = detection.order_of(record, detection.Request(DETECTOR))
        for name, failure, status in (
            ("Its worker was lost", reasons.lost("worker-2"), "failed"),
            ("The server was stopped", reasons.interrupted(), "interrupted"),
            ("Its process ended", reasons.abandoned(), "interrupted"),
        ):  # fmt: skip
            identity = store.order(replace(searching, name=name))
            store.claim(identity, server=f"{HOST}:1:0", worker="worker-2")
            store.fail(identity, failure, status)
        asked = explain_box.question_of(detection_findings.find(self.boxes, detection_findings.Choice(0.05)), 3)
        failed = store.order(explain_box.order_explanation(self.boxes, asked))
        store.fail(failed, reasons.overtime(60))
        store.order(replace(order, name="Waits"))

    def derived(self) -> None:
        """Reports, prepared exports, and a file that no run names."""
        store, record = self.store, self.store.scene_record(self.valley)
        boxes = detection_findings.default_choice(self.boxes)
        choice = mapping_findings.Choice(0.5, 1000.0, 0.0)
        make_report(store, self.after.id, choice, f"http://localhost:8501/mapping?run={self.after.id}&threshold=0.50")
        make_report(store, self.boxes.id)
        make_report(store, newest(store, "change"))
        folder = self._prepared(self.after.id, (choice, record.dem, "without copies"))
        mapping_export.export_run(self.after, record.scene, choice, folder, dem=record.dem, copies=False)
        detection_export.export_run(self.boxes, boxes, self._prepared(self.boxes.id, boxes), copies=False)
        stray = store.home / "artifacts" / "00" / f"{'0' * 64}.json"
        stray.parent.mkdir(exist_ok=True)
        stray.write_text("{}\n", "utf-8")

    def _prepared(self, run: str, asked: object) -> Path:
        """Where the page keeps what was prepared of a run at a choice."""
        return self.store.home / "exports" / run / hashlib.sha256(repr(asked).encode()).hexdigest()[:16]


def main() -> None:
    platform.node = lambda: HOST  # before any run asks for it
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory(prefix="store-") as folder:
        root = Path(folder).resolve()
        home, data = root / "home", root / "data"
        (data / "in_place").mkdir(parents=True)
        inputs_0002.write_inputs(data)
        for name in ("valley_after.tif", "valley_before.tif", "valley_dem.tif", "valley_inventory.gpkg"):
            (data / "in_place" / name).write_bytes((data / name).read_bytes())
        for name in ("sample.tif", "lost.tif"):
            (data / "in_place" / name).write_bytes((data / "valley_before.tif").read_bytes())
        models = root / "models"
        for task in ("mapping", "detection", "fusion"):
            (models / task).mkdir(parents=True)
            for path in (REPOSITORY / "models" / task).iterdir():
                (models / task / path.name).symlink_to(path)
        os.environ |= {"SLIDELENS_HOME": str(home), "SLIDELENS_MODELS": str(models)}
        os.chdir(data)
        store = default_store()
        maker = Maker(store, data)
        for fill in (
            maker.mappings, maker.photo_mappings, maker.detections, maker.commands, maker.unfinished, maker.derived,
        ):  # fmt: skip
            print(fill.__name__, file=sys.stderr, flush=True)
            fill()
        store.database.close()
        os.chdir(REPOSITORY)
        packing.pack(home, data / "in_place", REPOSITORY)
        record(root)


def record(folder: Path) -> None:
    """Write down what the packed store holds, by what this version says of it."""
    homes = {name: packing.unpack(folder / name) for name in ("read", "report", "prune")}
    tables = contents.rows(f"sqlite:///{(homes['read'] / packing.DATABASE).as_posix()}")
    told: dict[str, Any] = {"revision": packing.REVISION, "rows": {name: len(rows) for name, rows in tables.items()}}
    for name, home in homes.items():
        print(name, file=sys.stderr, flush=True)
        os.environ["SLIDELENS_HOME"] = str(home)
        if name == "read":
            told |= contents.gather(folder / "exports")
            ids = [one["id"] for one in tables["series"]]
            told["series"] = {identity: adapters.series(adapters.default_store(), identity) for identity in ids}
        elif name == "report":
            (folder / "reports").mkdir()
            told["reports"] = contents.reports(folder / "reports")
        else:
            told["prune"] = contents.prune(home)
    text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True)
    packing.EXPECTED.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
