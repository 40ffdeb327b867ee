"""The first page in a real browser: there, quiet, and with no other host asked."""

from __future__ import annotations

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
    assert "Traceback" not in server.log.read_text(errors="replace")
    deep = visit(f"{server.address}/mapping")
    deep.page.get_by_role("heading", name="Mapping").first.wait_for()
    assert deep.hosts == seen.hosts
