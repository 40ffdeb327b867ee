"""Susceptibility, as its page names it."""

from __future__ import annotations

from pathlib import Path

from ui.task.task import Card, Picture, TaskPage

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
        picture=Picture(
            Path(__file__).with_name("picture.webp"),
            "A chart: the AUROC of four models with its interval, by random and, lower, by spatial folds.",
            "Synthetic sample valley",
        ),
    ),
    samples=(),
)
