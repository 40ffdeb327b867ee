"""Open data that users may fetch: real images with the landslides that experts drew in them.

The manifest ``open_data.csv`` pins every address to a commit and every file to its SHA-256;
``data_sets.toml`` says what the data sets are. Nothing is fetched by reading them.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar

from core.catalog.fetch import Progress, RemoteFile, fetch_file, fetch_files, open_data_folder
from core.catalog.reference import write_reference
from core.errors import InputError

MANIFEST = Path(__file__).with_name("open_data.csv")
DATA_SETS = Path(__file__).with_name("data_sets.toml")


@dataclass(frozen=True)
class DataSet:
    """What a data set is and how it may be used.

    Attributes
    ----------
    id
        Name in the manifest.
    title, sensor
        In words.
    ground_distance_m
        Metres per pixel, or None where it differs or is not known.
    split
        Which split of the publisher the files belong to; empty where there is none.
    licence, citation, caution
        Shown before use: the terms, whom to cite, and what is wrong with the data.
    """

    id: str
    title: str
    sensor: str
    ground_distance_m: float | None
    split: str
    licence: str
    citation: str
    caution: str


@dataclass(frozen=True)
class OpenPair:
    """A real image and the mask of its landslides, not fetched yet.

    Attributes
    ----------
    id
        Stable name such as ``landslide4sense-1045``.
    title
        For people.
    data_set
        Where it comes from; holds licence and citation.
    image, mask
        The files as published.
    """

    id: str
    title: str
    data_set: DataSet
    image: RemoteFile
    mask: RemoteFile

    @property
    def licence(self) -> str:
        """Terms of use."""
        return self.data_set.licence

    @property
    def citation(self) -> str:
        """Whom to cite."""
        return self.data_set.citation

    @property
    def size_bytes(self) -> int:
        """Bytes to fetch in all."""
        return self.image.size_bytes + self.mask.size_bytes


@dataclass(frozen=True)
class FetchedPair:
    """A pair on disk.

    Attributes
    ----------
    pair
        What was fetched.
    image
        The image as published, PNG without coordinates.
    reference
        One-band PNG of the same size: 255 landslide, 0 none.
    """

    pair: OpenPair
    image: Path
    reference: Path


def _rows() -> Iterator[dict[str, str]]:
    with MANIFEST.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _file(row: dict[str, str]) -> RemoteFile:
    return RemoteFile(row["address"], row["mirror_path"], row["sha256"], int(row["bytes"]))


def files_of(data_set: str) -> tuple[RemoteFile, ...]:
    """All files of a data set of the manifest."""
    return tuple(_file(row) for row in _rows() if row["dataset"] == data_set)


@lru_cache(maxsize=1)
def data_sets() -> dict[str, DataSet]:
    """Describe every data set of the manifest, by name."""
    described = tomllib.loads(DATA_SETS.read_text(encoding="utf-8"))
    licences = {row["dataset"]: row["licence"] for row in _rows()}
    return {
        name: DataSet(
            id=name,
            title=entry["title"],
            sensor=entry["sensor"],
            ground_distance_m=entry.get("ground_distance_m"),
            split=entry["split"],
            licence=licences[name],
            citation=entry["citation"],
            caution=entry["caution"],
        )
        for name, entry in described.items()
    }


@lru_cache(maxsize=1)
def open_pairs() -> tuple[OpenPair, ...]:
    """List the image and mask pairs that can be fetched for detection and mapping."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in _rows():
        if row["pair"]:
            found.setdefault(row["pair"], {})[row["role"]] = row
    return tuple(
        OpenPair(
            id=identity,
            title=rows["image"]["title"],
            data_set=data_sets()[rows["image"]["dataset"]],
            image=_file(rows["image"]),
            mask=_file(rows["mask"]),
        )
        for identity, rows in found.items()
    )


def open_pair(identity: str) -> OpenPair:
    """Return one pair by its id.

    Raises
    ------
    InputError
        When there is none of that name.
    """
    for pair in open_pairs():
        if pair.id == identity:
            return pair
    raise InputError(
        f"The open-data catalogue has no image named {identity!r}.", remedy="Choose an image from the catalogue."
    )


def fetch(
    pair: OpenPair, folder: Path | None = None, progress: Callable[[int, int], None] | None = None
) -> FetchedPair:
    """Fetch a pair, or find it where it was fetched before, and make its mask usable as a reference.

    Parameters
    ----------
    pair
        What to fetch.
    folder
        Cache; by default ``open_data`` under ``SLIDELENS_HOME``.
    progress
        Called with bytes done and bytes in all, over both files. May raise to stop.

    Returns
    -------
    FetchedPair

    Raises
    ------
    FetchError
        When a file cannot be had, or is not the published one.
    StorageError
        When the cache cannot be written.
    """
    cache = folder or open_data_folder()
    done = 0

    def report(part: int, _: int) -> None:
        if progress is not None:
            progress(done + part, pair.size_bytes)

    image = fetch_file(pair.image, cache, report)
    done = pair.image.size_bytes
    mask = fetch_file(pair.mask, cache, report)
    reference = mask.with_name(f"{mask.stem}.truth.png")
    if not reference.is_file():
        write_reference(mask, reference)
    return FetchedPair(pair, image, reference)


class Fetchable(Protocol):
    """What of the catalogue can be fetched: a data set, and which of its files."""

    @property
    def data_set(self) -> str:
        """Name of the data set."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """Names of its files."""


Known = TypeVar("Known", bound=Fetchable)


def fetch_known(
    known: Mapping[str, Known], identity: str, what: str, cache: Path, progress: Progress | None = None
) -> tuple[Known, dict[str, Path]]:
    """Fetch the files of an entry of the catalogue, or find them where they were fetched before.

    Parameters
    ----------
    known
        Entries by their name.
    what
        What an entry is called, such as ``"table"``.
    cache, progress
        As of `fetch_files`.

    Raises
    ------
    InputError
        When there is none of that name.
    FetchError, StorageError
        As of `fetch_file`.
    """
    if identity not in known:
        raise InputError(f"The open-data catalogue has no {what} named {identity!r}.",
                         remedy=f"Available: {', '.join(known)}.")  # fmt: skip
    entry = known[identity]
    return entry, fetch_files([one for one in files_of(entry.data_set) if one.name in entry.wanted], cache, progress)
