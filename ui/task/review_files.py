"""What can be made of a review: files, training patches, and the reference of its image."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.feedback import guard
from ui.messages import tr
from ui.state import Slot
from ui.task.export import folder_of, offer

if TYPE_CHECKING:
    from core.runs.records import SceneRecord
    from ui.task.reviewing import Reviewing

PATCHES = (64, 128, 256, 512)
"""Sizes of training patches that are offered."""

TITLES = {
    "reviewed.gpkg": "Reviewed inventory with status, reason and reviewer, GeoPackage",
    "reviewed.geojson": "Reviewed inventory, GeoJSON",
    "reviewed.csv": "Reviewed inventory, table with coordinates, CSV",
    "reviewed.shp.zip": "Reviewed inventory, Shapefile (zip), with shortened field names",
    "reviewed.kml": "Reviewed inventory, KML, for Google Earth and mobile apps",
    "reviewed_fields.csv": "Meaning, unit and codes of each field of the reviewed inventory, CSV",
    "review_log.csv": "All edits with time and reviewer, CSV",
    "review.json": "Counts, settings and reviewers, JSON",
    "training.zip": "Image patches and masks for training, zip",
}


def show_files(at: Reviewing) -> None:
    """Files of the reviewed inventory and training patches, prepared when they are asked for."""
    from core.review.inventory import export_review
    from core.review.training import TILE

    folder = folder_of(at.run, ("review", at.review.number, at.opened.view))
    prepared = Slot(f"review-prepared-{at.run}", at.review.number)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if st.button(tr("Prepare reviewed files"), key=f"review-files-{at.run}"):
            with guard(), st.spinner(tr("Writing the files")):
                export_review(at.opened, folder)
        pressed = st.button(
            tr("Prepare training patches"), key=f"review-training-{at.run}",
            help=tr("Square patches of the image with masks; unreviewed ground is marked as unknown."),
        )  # fmt: skip
        tile = st.selectbox(
            tr("Patch size, px"), PATCHES, PATCHES.index(TILE), key=f"review-patch-{at.run}", width=130,
        )  # fmt: skip
        if pressed:
            with guard(), st.spinner(tr("Cutting patches")):
                _write_patches(at, folder, tile)
    if folder.is_dir():
        prepared.put(at.review.number)
        offer(folder, TITLES, at.run)
    elif prepared.get() != at.review.number:
        st.caption(tr("The review was edited since its files were prepared. Prepare them again to download them."))


def _write_patches(at: Reviewing, folder: Path, tile: int) -> None:
    from core.raster.folder import make_folder
    from core.review.training import write_training

    make_folder(folder)
    # In a folder of its own, since others may ask for the same at this moment.
    with TemporaryDirectory(dir=folder, prefix=".patches-") as place:
        made = Path(place)
        told = write_training(at.opened, made / "patches", tile=tile)
        archive = Path(shutil.make_archive(str(made / "training"), "zip", made / "patches"))
        archive.replace(folder / "training.zip")
    st.caption(
        tr("{patches:,} patches; {known_share:.0f} % of their pixels are labelled.").format(
            patches=told["patches"], known_share=100 * told["known_share"]
        )
    )


def show_reference(at: Reviewing, score: Callable[[SceneRecord], str], record: SceneRecord) -> None:
    """The finished review as the scene's reference."""
    from core.review.inventory import write_reference
    from core.wording import agree, count
    from ui.task.input_picker import checked
    from ui.task.tabs import next_tab

    waiting, left_out, found = at.review.counts["unreviewed"], at.opened.found.left_out, at.opened.found
    unreviewed = f"{count(waiting, found.noun, found.several)} {agree(waiting, 'is', 'are')} not reviewed"
    left = [
        *([unreviewed] if waiting else []),
        *([f"{count(left_out, found.noun, found.several)} cannot be reviewed"] if left_out else []),
        *([] if at.review.examined else ["nobody has confirmed that the whole area was searched for missed ones"]),
    ]
    agreed = True
    if record.reference is not None and not left:
        agreed = st.checkbox(
            tr("Replace the reference inventory that the image has now"), key=f"review-replace-{at.run}",
            help=tr("Earlier runs and their scores keep the present one."),
        )  # fmt: skip
    pressed = st.button(
        tr("Use as reference of this image and score this run"), disabled=bool(left) or not agreed,
        key=f"review-reference-{at.run}",
        help=tr("Makes the landslides of the finished review the reference inventory of the image. It repeats the "
                "outlines that you accepted, so scores against it tend to be higher than against an independent "
                "inventory."),
    )  # fmt: skip
    if left:
        st.caption(tr("Not available yet: {list}.").format(list=' and '.join(left)))
    if not pressed:
        return
    with guard():
        path = folder_of(at.run, ("reference", at.review.number, at.opened.view)) / "reference.gpkg"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_reference(at.opened, path)
        known = resources.store().attach(
            record.id, "reference", io.BytesIO(path.read_bytes()), ".gpkg", checked(record, "reference"),
            name=f"Review of run {at.run[:8]} by {', '.join(sorted({one.reviewer for one in at.review.log}))}",
        )  # fmt: skip
        scored = score(known)
        next_tab(at.opened.run.task).put("Scores")
        st.query_params["scene"], st.query_params["run"] = known.id, scored
        st.rerun()
