"""Work that many tiles wait for: done once, in the background, and waited for no longer than a tile may take.

What reads a whole raster cannot be stopped halfway. So it is not done by the thread that answers a request: the request
ends in time, and finds what has been done when it comes again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedTooLong
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

SECONDS = 5.0
"""Most seconds for which a tile is computed."""

AT_ONCE = threading.Semaphore(2)
"""How much is worked on at once; the rest waits."""

T = TypeVar("T")


class Unfinished(Exception):
    """What was asked is not ready in time; asked again, it may be."""


@dataclass
class Deadline:
    """When an answer has to be there.

    Attributes
    ----------
    seconds
        From now on.
    """

    seconds: float = SECONDS
    _began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self._began + self.seconds - time.monotonic())

    def check(self) -> None:
        """Stop where no time is left.

        Raises
        ------
        Unfinished
        """
        if not self.left:
            raise Unfinished


class Shared:
    """Keeps what was computed in the background, by key; the longest unused goes first.

    Parameters
    ----------
    most
        How many results are kept.
    """

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._kept: dict[Hashable, Future[Any]] = {}

    def get(self, key: Hashable, work: Callable[[], T], deadline: Deadline) -> T:
        """The result of a work, done unless it is kept or under way.

        Raises
        ------
        Unfinished
            When it is not there in time; it is worked on.
        """
        with self._lock:
            known = self._kept.pop(key, None)
            future = known or Future()
            self._kept[key] = future  # the last used is the last
            while len(self._kept) > self._most:
                self._kept.pop(next(iter(self._kept)))
        if known is None:
            threading.Thread(target=self._work, args=(key, work, future), name="tiles", daemon=True).start()
        try:
            return cast("T", future.result(deadline.left))
        except WaitedTooLong:
            if future.done():
                raise  # the work itself waited too long for something
            raise Unfinished from None

    def _work(self, key: Hashable, work: Callable[[], T], future: Future[T]) -> None:
        try:
            with AT_ONCE:
                with self._lock:
                    wanted = self._kept.get(key) is future
                if not wanted:
                    raise Unfinished  # so many others came since that it would not be kept
                future.set_result(work())
        except BaseException as error:  # told to whoever waits, and tried anew by whoever comes later
            with self._lock:
                if self._kept.get(key) is future:
                    del self._kept[key]
            future.set_exception(error)
