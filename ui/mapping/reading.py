"""How a mapping is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.map_layers import Outlines, Tiles, found_outlines, run_tiles
from ui.mapping.outlines import DRAWN, tell_left_out
from ui.mapping.results import facts
from ui.messages import tr_noop
from ui.runs.reading import ReadingView

if TYPE_CHECKING:
    from core.tasks.mapping.report.content import MappingInput


def _layers(content: MappingInput) -> tuple[list[Tiles], list[Outlines]]:
    run, subject = content.result, content.prepared
    tiles = [run_tiles(run.id, "probability", opacity=0.7, visible=False)]
    tiles.append(run_tiles(run.id, "mask", threshold=subject.choice.threshold, opacity=0.55))
    if run.has_reference:
        tiles.append(run_tiles(run.id, "truth", opacity=0.6, visible=False))
    # Of a raster too large to outline at once there are no polygons, unless somebody has had it outlined.
    polygons = None if subject.findings is None else subject.findings.polygons.head(DRAWN)
    if polygons is None or not len(polygons):
        return tiles, []
    return tiles, [found_outlines(polygons, facts(polygons))]


def _below(content: MappingInput) -> None:
    if content.outlined is not None:
        tell_left_out(content.outlined)


def _chosen(content: MappingInput) -> str:
    return f"threshold {content.prepared.choice.threshold:.2f}"


READING = ReadingView(
    verb=tr_noop("Mapped"), listed=tr_noop("Largest landslides"), layers=_layers, below=_below, chosen=_chosen
)
