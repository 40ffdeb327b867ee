"""The first page in a real browser: there, quiet, and with no other host asked."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("base", ["", "slidelens"], ids=["root", "base-path"])
def test_the_first_page_is_there_and_asks_no_other_host(
    start_server: Callable[..., Any], visit: Callable[..., Any], base: str
) -> None:
    server = start_server(base=base, env={"SLIDELENS_SOURCE_URL": "https://example.org/source"})
    seen = visit(server.address)
    seen.page.get_by_role("heading", name="SlideLens").wait_for()
    link = seen.page.get_by_role("link", name="Source and licence")
    assert link.get_attribute("href") == "https://example.org/source"
    seen.page.wait_for_load_state("networkidle")
    assert seen.complaints == []
    assert seen.hosts == {server.address.split("/")[2]}
    assert seen.page.request.get(f"{server.address}/health").json()["status"] == "ok"
    _guarded(server.address)
    assert "Traceback" not in server.log.read_text(errors="replace")
    deep = visit(f"{server.address}/mapping")
    deep.page.get_by_role("heading", name="Mapping").first.wait_for()
    assert deep.hosts == seen.hosts


def test_a_tablet_shows_forms_and_cards_as_wide_as_their_words(
    start_server: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    server, tablet = start_server(), {"width": 768, "height": 1024}
    page = visit(server.address, viewport=tablet).page
    cards = page.locator(".st-key-task-cards [data-testid=stColumn]")
    cards.nth(3).wait_for()
    tops = [round(card["y"]) for card in _settled(cards)]
    assert tops[0] == tops[1] < tops[2] == tops[3]
    for task in ("mapping", "detection", "susceptibility", "displacement"):
        page.goto(f"{server.address}/{task}")
        columns = page.locator(".st-key-form-and-result > * > [data-testid=stHorizontalBlock] > *")
        page.get_by_role("button", name="Start with the sample").wait_for()
        form, result = _settled(columns)[:2]
        assert form["width"] == result["width"] > 450, task
        assert result["y"] >= form["y"] + form["height"], task
    wide = visit(f"{server.address}/mapping").page
    wide.get_by_role("button", name="Start with the sample").wait_for()
    columns = wide.locator(".st-key-form-and-result > * > [data-testid=stHorizontalBlock] > *")
    form, result = _settled(columns)[:2]
    assert form["y"] == result["y"]


def _settled(parts: Any) -> list[dict[str, float]]:
    """Where parts of a page are once it has its sheet and they no longer move: the same half a second later."""
    sheets = "[...document.querySelectorAll('style')].some(sheet => sheet.textContent.includes('st-key-task-cards'))"
    parts.page.wait_for_function(sheets)
    measure = "them => them.map(one => one.getBoundingClientRect().toJSON())"
    boxes: list[dict[str, float]] = []
    while (now := parts.evaluate_all(measure)) != boxes:  # a page that never comes to rest: the time limit of a test
        boxes = now
        parts.page.wait_for_timeout(500)
    return boxes


def _guarded(address: str) -> None:
    """The server answers under its own names alone, says of every answer how it may be used, and hides all else."""
    host = address.split("/")[2]
    base = address.removeprefix(f"http://{host}")

    def answer(path: str, name: str = host) -> tuple[int, dict[str, str]]:
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.request("GET", base + path, headers={"Host": name})
        found = connection.getresponse()
        found.read()
        connection.close()
        return found.status, {key.lower(): value for key, value in found.getheaders()}

    for path in ("/", "/mapping", "/health", "/assets/nothing.js"):
        headers = answer(path)[1]
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "SAMEORIGIN", path
        assert "referrer-policy" in headers, path
    assert answer("/")[0] == 200
    assert {answer(path)[0] for path in ("/.git/config", "/tiles/x.jpg", "/_stcore/metrics")} == {404}
    assert answer("/", "evil.example")[0] in (400, 403, 421)
