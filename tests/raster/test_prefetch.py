"""Reading ahead in a thread: order, what goes wrong there, and the thread's end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.raster.prefetch import AHEAD, prefetch


def test_items_come_in_order_also_when_they_are_none_or_errors_themselves() -> None:
    items = [None, 1, ValueError("an item, not a failure"), "last"]

    assert list(prefetch(lambda: iter(items))) == items


def test_what_goes_wrong_in_the_thread_is_raised_after_what_was_read_before() -> None:
    def two_and_a_failure() -> Iterator[int]:
        yield from (1, 2)
        raise OSError("gone")

    reading = prefetch(two_and_a_failure)

    assert [next(reading), next(reading)] == [1, 2]
    with pytest.raises(OSError, match="gone"):
        next(reading)


def test_no_more_is_read_than_may_wait_and_leaving_early_ends_the_thread() -> None:
    threads, made = threading.active_count(), []

    def endless() -> Iterator[int]:
        number = 0
        while True:
            made.append(number)
            yield number
            number += 1

    reading = prefetch(endless)
    assert [next(reading), next(reading)] == [0, 1]
    reading.close()  # type: ignore[attr-defined]

    # Two were taken, so many may wait, and one is held by the thread.
    assert len(made) <= 2 + AHEAD + 1
    assert threading.active_count() == threads
