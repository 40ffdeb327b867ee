"""Several images at once: chosen as files, as a zip, or as a folder, and taken in as a batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import LandslideError
from ui import labels, resources
from ui.feedback import Progress
from ui.messages import tr

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from core.batch.batches import Batch, Refused
    from core.batch.intake import Taken
    from core.raster.progress import ProgressCallback
    from core.runs.records import SceneRecord

ONE = (
    "GeoTIFF (also Cloud Optimized), PNG or JPEG, up to 200 MB. For larger files, ask the administrator for a data "
    "folder."
)

TYPES = ["tif", "tiff", "png", "jpg", "jpeg", "zip"]
REFERENCES = ["tif", "tiff", "png", "jpg", "jpeg", "gpkg", "geojson", "zip"]


def ask_uploads() -> SceneRecord | Batch | None:
    """Show the uploader; an image, or a batch of several, once the button was pressed.

    Raises
    ------
    LandslideError
        When nothing of what was uploaded can be used, or it is too much.
    """
    from core.batch.intake import LIMITS

    files = st.file_uploader(
        tr("Images"),
        type=TYPES,
        accept_multiple_files=True,
        key="scene-upload",
        help=tr("{one} Choose several images, or a zip of images, to process them as one batch. {limits}").format(
            one=ONE, limits=LIMITS
        ),
    )
    if not files:
        return None
    if len(files) == 1 and not _is_zip(files[0].name):
        if not st.button(tr("Use this image"), width="stretch"):
            return None
        return resources.store().upload_scene(files[0], PurePath(files[0].name).name)
    with st.expander(tr("References (optional)")):
        known = st.file_uploader(
            tr("Reference inventories"), type=REFERENCES, accept_multiple_files=True, key="reference-uploads",
            help=tr("Known landslides, to score each image: files with the name of the image, or with the same last "
            "number."),
        )  # fmt: skip
    zips = any(_is_zip(one.name) for one in files)
    words = "Use the images of these files" if zips else f"Use these {labels.count(len(files), 'image')}"
    if not st.button(words, width="stretch"):
        return None
    return _batch_of(files, known)


def _is_zip(name: str) -> bool:
    return PurePath(name).suffix.lower() == ".zip"


def _batch_of(files: Sequence[UploadedFile], known: Sequence[UploadedFile]) -> Batch:
    from core.batch.intake import expanded, single, take_uploads

    sources, refused = expanded((one.name, one, one.size) for one in files)
    references = [single(one.name, one, one.size) for one in known]
    progress = Progress("Reading the images")
    try:
        taken = take_uploads(resources.store(), sources, _telling(progress), references)
    finally:
        progress.done()
    return _made("", taken, refused)


def take_folder(folder: Path) -> Batch:
    """The images of a folder of the data folder as a batch; links that lead out of the data folder are refused.

    Raises
    ------
    LandslideError
        When none of its files can be used, or they are too many.
    """
    from core.batch.batches import Refused
    from core.batch.intake import files_in, take_files
    from core.raster.untrusted import resolve_inside
    from core.runs.store import data_folder

    root = data_folder() or folder
    paths, refused = [], []
    for path in files_in(folder):
        try:
            paths.append(resolve_inside(root, path.relative_to(root)))
        except LandslideError as error:
            refused.append(Refused(path.name, str(error)))
    progress = Progress("Reading the images")
    try:
        taken = take_files(resources.store(), paths, "data folder", _telling(progress))
    finally:
        progress.done()
    return _made(folder.name, taken, refused)


def _telling(progress: Progress) -> ProgressCallback:
    return lambda done, total: progress(done / max(total, 1), f"Reading image {min(done + 1, total)} of {total}")


def _made(name: str, taken: Taken, refused: Sequence[Refused]) -> Batch:
    from core.batch.batches import add

    images = [one.id for one in taken.scenes]
    return add(resources.store(), name, images, (*refused, *taken.refused), taken.notes)
