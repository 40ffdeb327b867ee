"""Reading ahead: what comes next is made in a thread while the network is busy with what came before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

AHEAD = 2
"""Items that may be waiting."""


def prefetch(make: Callable[[], Iterator[Item]]) -> Iterator[Item]:
    """Take items from an iterator that runs in a thread of its own, a few ahead.

    Parameters
    ----------
    make
        Makes the iterator; called in the thread, so that what it opens is opened, used and closed there.

    Yields
    ------
    The items in order. What goes wrong in the thread is raised here; when the caller leaves early, the thread ends
    before this does.
    """
    ready: queue.Queue[tuple[Item] | BaseException | None] = queue.Queue(maxsize=AHEAD)
    stop = threading.Event()

    def put(item: tuple[Item] | BaseException | None) -> bool:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def produce() -> None:
        try:
            for item in make():
                if not put((item,)):
                    return
            put(None)
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=produce, name="scene-reader", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]
    finally:
        stop.set()
        thread.join()
