"""``RESULTS.md``: one section a benchmark, replaced whenever that benchmark is run."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from core.runs.provenance import now

RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = """# Results of the benchmarks

Written by the scripts in this folder, each its own section; run one again to replace its section. Start them from
the root of the repository as the sections say. Times depend on the machine and on what else it does, so only
figures of one run are to be compared.
"""


def record(title: str, explanation: str, figures: Mapping[str, str], packages: Sequence[str]) -> None:
    """Print figures, and put them into ``RESULTS.md`` in place of what an earlier run said under the same title.

    Parameters
    ----------
    title
        Heading of the section.
    explanation
        What was measured, and what is aimed at.
    figures
        What came out, in words, by name.
    packages
        Distributions whose versions matter.
    """
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)])
    facts = {"Command": f"`{_command()}`", "Date": now(), "Machine": _machine(), "Versions": versions}
    lines = [f"## {title}", "", explanation, ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    lines += ["", "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in figures.items())]
    section = "\n".join(lines) + "\n"
    print(section)
    RESULTS.write_text(_replaced(RESULTS.read_text("utf-8") if RESULTS.exists() else "", title, section), "utf-8")


def _replaced(text: str, title: str, section: str) -> str:
    parts = re.split(r"(?m)^(?=## )", text)[1:]
    sections = {part.splitlines()[0].removeprefix("## "): part.rstrip() + "\n" for part in parts}
    sections[title] = section
    return "\n".join([HEAD, *(sections[name] for name in sorted(sections))])


def _command() -> str:
    script = Path(sys.argv[0]).stem
    return shlex.join(["python", "-m", f"benchmarks.{script}", *sys.argv[1:]])


def _machine() -> str:
    """Processor, cores, memory and, where the system tells, how many processes wanted a core."""
    described = f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"
    if not hasattr(os, "sysconf") or not hasattr(os, "getloadavg"):
        return described
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{described}, {memory:.0f} GiB; load {os.getloadavg()[1]:.1f} over the last five minutes"


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*:\s*(.+)", listed.read_text("utf-8")) if listed.exists() else []
    return names[0].strip() if names else platform.processor() or platform.machine()
