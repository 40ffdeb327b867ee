"""Files come as published or not at all, from the network and from a mirror."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.catalog.fetch import DigestError, MirrorError, NoNetworkError, RemoteFile, at_hand, fetch_file
from core.catalog.open_data import OpenPair
from core.errors import InputError, RunCancelled

CONTENT = bytes(range(256)) * 1200
FILE = RemoteFile("", "owner/name/commit/a file.bin", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


def everything_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the test output clean."""


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """Serve a folder over HTTP on this machine, without any mirror."""
    monkeypatch.delenv("SLIDELENS_DATA_MIRROR", raising=False)
    folder = tmp_path / "published"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_is_downloaded_under_its_own_path(publisher: tuple[str, Path], tmp_path: Path) -> None:
    address, folder = publisher
    (folder / "a file.bin").write_bytes(CONTENT)
    seen: list[tuple[int, int]] = []
    path = fetch_file(
        replace(FILE, address=f"{address}/a%20file.bin"), tmp_path / "cache", lambda *n: seen.append(n)
    )
    assert path == tmp_path / "cache/owner/name/commit/a file.bin"
    assert path.read_bytes() == CONTENT
    assert len(seen) > 3
    assert {total for _, total in seen} == {len(CONTENT)}
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_fetched_file_is_not_fetched_again(publisher: tuple[str, Path], tmp_path: Path) -> None:
    address, folder = publisher
    file = replace(FILE, address=f"{address}/file.bin")
    (folder / "file.bin").write_bytes(CONTENT)
    fetch_file(file, tmp_path / "cache")
    (folder / "file.bin").unlink()
    assert fetch_file(file, tmp_path / "cache").read_bytes() == CONTENT


def test_a_damaged_cached_file_is_fetched_again(publisher: tuple[str, Path], tmp_path: Path) -> None:
    address, folder = publisher
    file = replace(FILE, address=f"{address}/file.bin")
    (folder / "file.bin").write_bytes(CONTENT)
    fetch_file(file, tmp_path / "cache").write_bytes(b"damaged")
    assert fetch_file(file, tmp_path / "cache").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "other", [b"something else", CONTENT[:-1] + b"x", CONTENT * 3], ids=["short", "same", "long"]
)
def test_an_altered_download_is_removed(publisher: tuple[str, Path], tmp_path: Path, other: bytes) -> None:
    address, folder = publisher
    (folder / "file.bin").write_bytes(other)
    with pytest.raises(DigestError, match="SHA-256 differs"):
        fetch_file(replace(FILE, address=f"{address}/file.bin"), tmp_path / "cache")
    assert everything_in(tmp_path / "cache") == []


def test_a_missing_page_is_a_network_error(publisher: tuple[str, Path], tmp_path: Path) -> None:
    address, _ = publisher
    with pytest.raises(NoNetworkError, match="SLIDELENS_DATA_MIRROR"):
        fetch_file(replace(FILE, address=f"{address}/gone.bin"), tmp_path / "cache")
    assert everything_in(tmp_path / "cache") == []


def test_no_network_is_said_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SLIDELENS_DATA_MIRROR", raising=False)
    with pytest.raises(NoNetworkError, match="could not be downloaded"):
        fetch_file(replace(FILE, address="http://127.0.0.1:9/file.bin"), tmp_path / "cache")


def test_what_progress_raises_stops_a_download_and_leaves_nothing(
    publisher: tuple[str, Path], tmp_path: Path
) -> None:
    address, folder = publisher
    (folder / "file.bin").write_bytes(CONTENT)

    def stop(done: int, total: int) -> None:
        raise RunCancelled("Stopped.")

    with pytest.raises(RunCancelled):
        fetch_file(replace(FILE, address=f"{address}/file.bin"), tmp_path / "cache", stop)
    assert everything_in(tmp_path / "cache") == []


def test_a_mirror_is_copied_without_the_network(
    satellite_pair: OpenPair, mirror: Path, tmp_path: Path
) -> None:
    path = fetch_file(satellite_pair.image, tmp_path / "cache")
    assert path.read_bytes() == (mirror / satellite_pair.image.mirror_path).read_bytes()
    assert path.is_relative_to(tmp_path / "cache")


def test_a_mirror_without_the_file_says_which(satellite_pair: OpenPair, mirror: Path, tmp_path: Path) -> None:
    (mirror / satellite_pair.image.mirror_path).unlink()
    with pytest.raises(MirrorError, match="image_1.png"):
        fetch_file(satellite_pair.image, tmp_path / "cache")


def test_an_altered_mirror_file_leaves_nothing(
    satellite_pair: OpenPair, mirror: Path, tmp_path: Path
) -> None:
    (mirror / satellite_pair.image.mirror_path).write_bytes(b"altered")
    with pytest.raises(DigestError):
        fetch_file(satellite_pair.image, tmp_path / "cache")
    assert everything_in(tmp_path / "cache") == []


def test_a_link_out_of_the_mirror_is_refused(satellite_pair: OpenPair, mirror: Path, tmp_path: Path) -> None:
    inside = mirror / satellite_pair.image.mirror_path
    outside = tmp_path / "outside.png"
    inside.rename(outside)
    inside.symlink_to(outside)
    with pytest.raises(MirrorError):
        fetch_file(satellite_pair.image, tmp_path / "cache")


@pytest.mark.parametrize(
    "path", ["../up.png", "/etc/passwd", "a/../../b.png", "a//b.png", "a\\..\\b.png", ""]
)
def test_a_path_out_of_the_cache_is_refused(path: str, tmp_path: Path, mirror: Path) -> None:
    with pytest.raises(InputError):
        fetch_file(replace(FILE, mirror_path=path), tmp_path / "cache")


def test_it_is_known_without_the_network_whether_files_are_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, mirror = tmp_path / "cache", tmp_path / "mirror"
    monkeypatch.delenv("SLIDELENS_DATA_MIRROR", raising=False)
    assert at_hand([FILE], cache) is None  # nobody was asked
    monkeypatch.setenv("SLIDELENS_DATA_MIRROR", str(mirror))
    assert at_hand([FILE], cache) is False
    (mirror / FILE.mirror_path).parent.mkdir(parents=True)
    (mirror / FILE.mirror_path).write_bytes(CONTENT)
    assert at_hand([FILE], cache) is True
    fetch_file(FILE, cache)
    monkeypatch.delenv("SLIDELENS_DATA_MIRROR")
    assert at_hand([FILE], cache) is True
