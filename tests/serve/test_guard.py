"""Names that the server answers to, and what stands with every answer."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.serve.guard import HEADERS, Guard

NAMES = ("localhost", "127.0.0.1", "::1", "*.office.example")


async def frame(_: object) -> HTMLResponse:
    return HTMLResponse("<html></html>")


async def report(_: object) -> HTMLResponse:
    return HTMLResponse("<html>report</html>", headers={"Content-Disposition": 'attachment; filename="report.html"'})


async def own(_: object) -> PlainTextResponse:
    return PlainTextResponse("text", headers={"Content-Security-Policy": "sandbox"})


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


@pytest.fixture(params=["", "some/base"])
def client(request: pytest.FixtureRequest) -> TestClient:
    base = f"/{request.param}" if request.param else ""
    guard = Middleware(Guard, names=NAMES, pages=lambda: {"", "mapping"}, base=request.param)
    routes = [
        Route(f"{base}/own", own),
        Route(f"{base}/artifacts/a/report", report),
        WebSocketRoute(f"{base}/_stcore/stream", talk),
        Route(f"{base}/{{rest:path}}", frame),
    ]  # fmt: skip
    return TestClient(Starlette(routes=routes, middleware=[guard]), base_url=f"http://localhost:8501{base}/")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8501", "127.0.0.1:80", "[::1]:8501", "maps.office.example", "localhost."]
)
def test_known_names_are_answered_with_the_headers(client: TestClient, host: str) -> None:
    answer = client.get("mapping", headers={"host": host})

    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "office.example", "evil@localhost", "localhost:x", "", "localhost/x"],
)
def test_other_names_are_refused(client: TestClient, host: str) -> None:
    answer = client.get("mapping", headers={"host": host})

    assert answer.status_code == 421
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.example", "http://evil.example"), ("evil.example", None),
        ("localhost:8501", "http://evil.example"), ("localhost:8501", "http://localhost:9999"),
        ("localhost:8501", "null"),
    ],
)  # fmt: skip
def test_a_websocket_of_another_place_is_refused(client: TestClient, host: str, origin: str | None) -> None:
    headers = {"host": host} | ({"origin": origin} if origin else {})

    with (
        pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
        client.websocket_connect(f"{client.base_url.path}_stcore/stream", headers=headers),
    ):
        pass


@pytest.mark.parametrize("origin", ["http://localhost:8501", "https://localhost:8501", None])
def test_a_websocket_of_the_page_is_answered(client: TestClient, origin: str | None) -> None:
    headers = {"host": "localhost:8501"} | ({"origin": origin} if origin else {})

    address = f"{client.base_url.path}_stcore/stream"
    with client.websocket_connect(address, headers=headers) as socket:
        assert socket.receive_text() == "hello"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("", 200), ("mapping", 200), ("mapping/", 200), (".git/config", 404), ("tiles/x.jpg", 404), ("nothing", 404),
        ("_stcore/metrics", 404), ("component/streamlit_folium/index.html", 200), ("artifacts/a/report", 200),
    ],
)  # fmt: skip
def test_addresses_that_are_none_are_not_found(client: TestClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_what_an_answer_says_itself_stays(client: TestClient) -> None:
    assert client.get("own").headers["Content-Security-Policy"] == "sandbox"


def test_the_server_is_of_this_machine_alone_unless_somebody_says_otherwise(repository: Path) -> None:
    said = tomllib.loads((repository / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["server"]

    assert said["address"] == "127.0.0.1"
    assert said["allowedHosts"] == ["localhost", "127.0.0.1", "::1"]
