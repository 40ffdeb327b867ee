"""Susceptibility, as its page names it."""

from __future__ import annotations

from ui.task.task import Card, TaskPage

PAGE = TaskPage(
    name="susceptibility",
    title="Landslide susceptibility",
    question="Where are landslides likely, and how far can that be trusted?",
    noun="validation",
    button="Validate models",
    asks="validates models on",
    again="Validate on the same cells again",
    card=Card(
        "**Where** are landslides likely? Models learn from cells with and without one, and are asked about places "
        "that they have not seen: honest scores come before a map.",
        "Validate on the sample valley",
        {"sample": "valley-cells"},
        other="Use a table of your own",
    ),
    samples=(),
)
