"""Files of a run, handed out so that nothing in them can act on the app's origin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from starlette.responses import FileResponse

SAFE_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def _plain(name: str) -> str:
    """Name without what could end or split a header; other letters stay, and travel percent-encoded."""
    return "".join(letter for letter in name if letter.isprintable() and letter not in '"\\/;') or "download"


def download(path: Path, name: str, media_type: str) -> FileResponse:
    """Send a file to be saved, never to be shown.

    Parameters
    ----------
    path
        File of the store.
    name
        Name under which the browser saves it; may come from a user's file.
    media_type
        Fixed by the store from the kind of artifact, never told by the file.
    """
    shown = _plain(name)
    ascii_name = shown.encode("ascii", "replace").decode("ascii").replace("?", "_")
    disposition = f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(shown)}"
    return FileResponse(
        path,
        media_type=media_type,
        headers={
            **SAFE_HEADERS,
            "Content-Disposition": disposition,
            "Cache-Control": "private, max-age=31536000, immutable",
        },
    )
