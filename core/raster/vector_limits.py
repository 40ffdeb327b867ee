"""What a file of vectors may hold at most, and how it is said that it holds more or cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InputError, UnsafeFileError


@dataclass(frozen=True)
class Limits:
    """What a file of vectors may hold at most.

    Attributes
    ----------
    file_bytes
        Bytes of a GeoPackage, and of a Shapefile once it is unpacked.
    geojson_bytes
        Bytes of a GeoJSON file.
    json_memory
        Bytes that a GeoJSON document may take in memory.
    features, vertices
        Features, and corners of all of them together.
    members
        Members of a zip archive.
    """

    file_bytes: int = 1_000_000_000
    geojson_bytes: int = 200_000_000
    json_memory: int = 2_500_000_000
    features: int = 500_000
    vertices: int = 20_000_000
    members: int = 256


LIMITS = Limits()


def bounded(name: str, size: int, most: int) -> None:
    """Refuse a file of too many bytes."""
    if size > most:
        raise UnsafeFileError(
            f"{name} holds {size / 1e6:,.0f} MB; the limit is {most / 1e6:,.0f} MB.",
            "Decoding it could exhaust the server's memory.",
            "Clip it to the area of interest.",
        )


def too_many(name: str, what: str, most: int) -> UnsafeFileError:
    """Error for more features, vertices or values than are read."""
    return UnsafeFileError(
        f"{name} holds more than {most:,} {what}, which exceeds the limit.",
        "Reading it would take too much time and memory.",
        "Clip it to the area of interest, or simplify its outlines.",
    )


def unreadable(name: str) -> InputError:
    """Error for a file that is not as its kind should be."""
    return InputError(
        f"{name} is damaged or truncated.",
        "Some of its features cannot be read.",
        "Copy or export it again.",
    )
