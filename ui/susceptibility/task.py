"""Susceptibility, as its page names it."""

from __future__ import annotations

from pathlib import Path

from core.runs.kinds import Ref
from ui.task.task import Card, Picture, Taken, TaskPage

PAGE = TaskPage(
    name="susceptibility",
    title="Landslide susceptibility",
    question="Where are landslides likely, and how reliable is the result?",
    noun="map",
    button="Map susceptibility",
    asks="maps",
    again="Map the same area again",
    card=Card(
        "**Where** are landslides likely? From an elevation model and a landslide inventory to a classified map, "
        "with models tested on areas not used for training.",
        "Map susceptibility of the valley",
        {"sample": "valley"},
        other="Use your own area or table",
        picture=Picture(
            Path(__file__).with_name("picture.webp"),
            "Part of the synthetic sample valley in five classes of susceptibility, with its landslides outlined",
            "Synthetic sample valley",
        ),
    ),
    samples=(),
    reading=Ref("ui.susceptibility.reading:READING"),
    takes=(
        Taken(
            "dem", ("dem",), "Use this elevation model for susceptibility",
            "dem", ("inventory", "factors", "areas"), placed=True
        ),
        Taken(
            "inventory", ("inventory", "reference"), "Use this inventory for susceptibility", "inventory",
            ("dem", "factors", "areas"), placed=True,
        ),
        Taken(
            "factor", ("scene", "factor"), "Use this raster as a susceptibility factor", "factors",
            ("dem", "inventory", "areas"), many=True, placed=True,
        ),
    ),
)
