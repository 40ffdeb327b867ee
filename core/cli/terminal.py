"""Texts on their way to a terminal: signs that would steer it are written out, whatever file or name they come from."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO


def printable(text: str) -> str:
    """Text with unprintable characters as Python escapes; line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else sign.encode("unicode_escape", "surrogatepass").decode("ascii")
        for sign in text
    )


class PrintableRecord(logging.LogRecord):
    """A record of a log whose message, and the exception below it, hold no signs that steer a terminal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  as of `logging.LogRecord`
        super().__init__(*args, **kwargs)
        if self.exc_info:
            self.exc_text = printable(logging.Formatter().formatException(self.exc_info))

    def getMessage(self) -> str:
        """The message with its arguments."""
        return printable(super().getMessage())


def printable_logs() -> None:
    """Make every log of this process printable."""
    logging.setLogRecordFactory(PrintableRecord)


class _Terminal:
    """A stream to a terminal that writes printable text; all else it leaves to the stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, printable, and say how much of it was taken."""
        # A progress line begins by going back to the start of its own line.
        begin = "\r" if text.startswith("\r") else ""
        self._stream.write(begin + printable(text.removeprefix(begin)))
        return len(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._stream, name)


def guard_terminal() -> None:
    """Make what this process prints on a terminal printable; what goes to a file or a pipe stays as it is."""
    printable_logs()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and stream.isatty() and not isinstance(stream, _Terminal):
            setattr(sys, name, _Terminal(stream))
