"""Susceptibility, as its page names it."""

from __future__ import annotations

from pathlib import Path

from core.runs.kinds import Ref
from ui.messages import tr_noop
from ui.task.task import Card, Picture, Taken, TaskPage

PAGE = TaskPage(
    name="susceptibility",
    title=tr_noop("Landslide susceptibility"),
    question=tr_noop("Where are landslides likely, and how reliable is the result?"),
    noun=tr_noop("map"),
    button=tr_noop("Map susceptibility"),
    asks="maps",
    again=tr_noop("Map the same area again"),
    card=Card(
        tr_noop(
            "**Where** are landslides likely? From an elevation model and a landslide inventory to a classified map, "
            "with models tested on areas not used for training."
        ),
        tr_noop("Open the sample in Susceptibility"),
        {"sample": "valley"},
        other=tr_noop("Use your own area or table"),
        picture=Picture(
            Path(__file__).with_name("picture.webp"),
            tr_noop(
                "Part of the synthetic sample valley in five classes of susceptibility, with its landslides outlined"
            ),
            tr_noop("Synthetic sample valley"),
        ),
    ),
    samples=(),
    reading=Ref("ui.susceptibility.reading:READING"),
    lessons=Ref("ui.susceptibility.lessons:LESSONS"),
    takes=(
        Taken(
            "dem",
            ("dem",),
            tr_noop("Use this elevation model for susceptibility"),
            "dem",
            ("inventory", "factors", "areas"),
            placed=True,
        ),
        Taken(
            "inventory",
            ("inventory", "reference"),
            tr_noop("Use this inventory for susceptibility"),
            "inventory",
            ("dem", "factors", "areas"),
            placed=True,
        ),
        Taken(
            "factor",
            ("scene", "factor"),
            tr_noop("Use this raster as a susceptibility factor"),
            "factors",
            ("dem", "inventory", "areas"),
            many=True,
            placed=True,
        ),
    ),
)
