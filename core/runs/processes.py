"""Whether a process is still there, by the name that `core.runs.provenance.this_process` gave it."""

from __future__ import annotations

import platform

import psutil

SAME_BIRTH = 2.0
"""Seconds by which the start time of a process may differ between readings when the clock is set meanwhile."""


def find(name: str) -> psutil.Process | None:
    """The process of an identity; None when it has ended, never was, or is another's by now.

    Its host is not looked at: see `is_alive`.
    """
    try:
        pid, born = name.rsplit(":", 2)[1:]
        process = psutil.Process(int(pid))
        return process if abs(process.create_time() - float(born)) < SAME_BIRTH else None
    except (ValueError, psutil.Error):  # one that we may not look at is not ours
        return None


def runs(process: psutil.Process) -> bool:
    """Whether a process still runs; one that only waits to be buried does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def is_alive(name: str) -> bool | None:
    """Whether the process of an identity runs; None when it belongs to another host and cannot be checked here."""
    if name.rsplit(":", 2)[0] != platform.node():
        return None
    process = find(name)
    return process is not None and runs(process)


def kill_tree(pid: int) -> None:
    """Kill a process and all that it started; those that have ended are left in peace. Waits for none of them."""
    try:
        first = psutil.Process(pid)
        family = [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
