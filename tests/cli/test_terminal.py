"""Names and texts from files cannot steer the terminal that shows them."""

from __future__ import annotations

import io
import logging
import os
import pty
import subprocess
import sys

import pytest

from core.cli.terminal import PrintableRecord, printable

HOSTILE = "a\x1b[2Jb\x9bc\u202ed\r"


def test_signs_that_steer_are_written_out() -> None:
    assert printable(HOSTILE) == r"a\x1b[2Jb\x9bc\u202ed\r"
    assert printable("Rutschung Nötsch\n\t滑坡") == "Rutschung Nötsch\n\t滑坡"
    assert printable("\udcff") == r"\udcff"


def test_logs_are_printable_with_their_exceptions() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        record = PrintableRecord("a", logging.ERROR, __file__, 1, "read %s", (HOSTILE,), sys.exc_info())

    handler.emit(record)

    assert "\x1b" not in stream.getvalue()
    assert r"read a\x1b[2Jb" in stream.getvalue()
    assert r"ValueError: a\x1b[2Jb" in stream.getvalue()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
def test_what_a_command_prints_is_written_out_on_a_terminal_and_not_in_a_pipe() -> None:
    script = f"from core.cli.terminal import guard_terminal; guard_terminal(); print({HOSTILE!r})"
    ours, theirs = pty.openpty()

    piped = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
    subprocess.run([sys.executable, "-c", script], stdout=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 10_000)
    os.close(ours)

    assert shown.strip() == rb"a\x1b[2Jb\x9bc\u202ed\r"
    assert piped.stdout.decode() == f"{HOSTILE}\n"
