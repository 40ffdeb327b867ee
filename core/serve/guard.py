"""What holds for every answer of the server: the names it answers to, and what other pages may do with its answers.

A page of another site can have a browser ask a server on the same machine under a name of its own, once that name
leads to 127.0.0.1 (DNS rebinding). So only known names are answered, and websockets only to pages of this very origin.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Sent with every answer that does not say otherwise."""

CLOSED = ("/_stcore/metrics",)
"""Addresses of Streamlit that tell of the server's inside."""


@dataclass(frozen=True)
class Names:
    """The names under which a server answers.

    Attributes
    ----------
    allowed
        Host names; ``*.example.org`` for all below one, ``*`` for any.
    """

    allowed: tuple[str, ...]

    def __contains__(self, host: object) -> bool:
        """Whether a ``Host`` is one of them, whatever its port."""
        name = _name(str(host))
        if name is None:
            return False
        for pattern in self.allowed:
            one = pattern.strip().strip("[]").lower().rstrip(".")
            if one == "*" or one == name or (one.startswith("*.") and name.endswith(one[1:])):
                return True
        return False


class Guard:
    """Middleware in front of everything that the server answers.

    Parameters
    ----------
    app
        What it guards.
    names
        Host names that are answered; all where it is empty.
    pages
        Gives the paths that are pages of the app, ``""`` for the first.
    base
        Path of the app on its origin.
    """

    def __init__(
        self, app: ASGIApp, names: Collection[str], pages: Callable[[], Collection[str]], base: str = ""
    ) -> None:
        self.app, self.names, self.pages = app, Names(tuple(names) or ("*",)), pages
        self.base = f"/{base.strip('/')}" if base.strip("/") else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        foreign = host not in self.names
        if scope["type"] == "websocket":
            if foreign or (origin is not None and _place(origin) != _place(f"//{host}")):
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": "Open the app at its own address."})
                return
            await self.app(scope, receive, send)
            return
        path = str(scope["path"]).removeprefix(self.base)
        if foreign:
            words = ("This server does not accept requests for this host name. The administrator can allow it with "
                     "server.allowedHosts.")
            await PlainTextResponse(words, 421, dict(HEADERS))(scope, receive, send)
            return
        if path in CLOSED:
            await PlainTextResponse("Not found", 404, dict(HEADERS))(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    said.setdefault(name, value)
                html = said.get("content-type", "").startswith("text/html")
                file = "content-disposition" in said  # a report is a page of its own, which is downloaded
                if html and not file and message["status"] == 200 and not self._is_page(path):
                    message["status"] = 404  # Streamlit answers any address with its frame
            await send(message)

        await self.app(scope, receive, guarded)

    def _is_page(self, path: str) -> bool:
        inner = path.strip("/")
        return inner in self.pages() or inner.startswith(("component/", "_stcore/", "static/"))


def _name(host: str) -> str | None:
    """The name in a ``Host``, in small letters; None where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    if parts.username or parts.password or parts.path or parts.query or parts.fragment or not parts.hostname:
        return None
    return parts.hostname.lower().rstrip(".")


def _place(address: str) -> str:
    return urlsplit(address).netloc.lower()
