"""Files of a run, handed out so that nothing in them can act on the app's origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from starlette.responses import FileResponse, StreamingResponse

SAFE_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def _plain(name: str) -> str:
    """Name without what could end or split a header; other letters stay, and travel percent-encoded."""
    return "".join(letter for letter in name if letter.isprintable() and letter not in '"\\/;') or "download"


def download(path: Path, name: str, media_type: str, *, lasting: bool = True) -> FileResponse:
    """Send a file to be saved, never to be shown.

    Parameters
    ----------
    path
        File of the store.
    name
        Name under which the browser saves it; may come from a user's file.
    media_type
        Fixed by the store from the kind of artifact, never told by the file.
    lasting
        Whether the address leads to this very file for ever.
    """
    keep = "private, max-age=31536000, immutable" if lasting else "private, no-cache"
    headers = {**saved_as(name), "Cache-Control": keep}
    return FileResponse(path, media_type=media_type, headers=headers)


def download_zip(pieces: Iterator[bytes], name: str) -> StreamingResponse:
    """Send a zip to be saved while it is made; what is in it may be another one the next time."""
    headers = {**saved_as(name), "Cache-Control": "no-store"}
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)


def saved_as(name: str) -> dict[str, str]:
    """Headers of what is to be saved under a name, never to be shown."""
    shown = _plain(name)
    ascii_name = shown.encode("ascii", "replace").decode("ascii").replace("?", "_")
    disposition = f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(shown)}"
    return {**SAFE_HEADERS, "Content-Disposition": disposition}
