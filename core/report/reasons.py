"""The explanations of a run asked for so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.explain.attribution import box_region
from core.explain.methods import REACTED
from core.figures.attribution import draw_attribution, draw_window
from core.figures.image import image_below
from core.plots.pictures import close_up
from core.raster.files import one_line
from core.report.attribution import attribution_of
from core.report.content import GridReport
from core.report.parts import Column, Content, Heading, Notice, Paragraph, Part, Picture, Pictures, Table
from core.report.pictures import picture
from core.report.reviewed import judgements
from core.report.words import UNKNOWN
from core.review.state import CHANGED
from core.wording import count, within

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.explain.attribution import Attribution
    from core.raster.grid import Grid
    from core.runs.result import GridResult

MOST = 8
"""Explanations shown; more would make the file too large to send."""

LARGEST_PICTURE = 150_000

ALIKE = 0.9
"""Intersection over union above which a box is the one that was asked about."""

INTRODUCTION = (
    "An explanation shows what in the image the model reacted to. It shows neither the cause of a slope failure nor "
    "whether the model is correct. Scores here are logits: the model's output before it becomes a probability. In each "
    "pair of figures, the outline marks the explained place; a small one is shown again as a close-up. The "
    "explained part is all that the figures without close-up show, not only the outlined place. The weaker the effect "
    "on the score, the more of the grey image shows through the colours."
)

OF_THE_MODEL = "The outlines here are the model's, without the corrections of the review."

WITHOUT_OUTLINE = "Image; the explained place is not recorded."

RAISED = "{method} for the same area: bright where the model's score was raised."
SIGNED = "{method} for the same area: red where the model's score was raised, blue where it was lowered."
"""Alternative texts of the two kinds of pictures."""


def reasons(content: GridReport, polygons: GeoDataFrame | None = None) -> Part:
    """Each explanation: where, the picture, the sentence and how faithful it proved.

    Parameters
    ----------
    content
        The run that was explained, with its explanations.
    polygons
        The landslides of the report, so that an explanation can be given the number of its own.
    """
    shown: list[Content] = []
    if not content.explanations:
        shown.append(Paragraph("No explanation was requested."))
    else:
        changed = not CHANGED.isdisjoint(judgements(content).values())
        shown.append(Paragraph(f"{INTRODUCTION} {OF_THE_MODEL}" if changed else INTRODUCTION))
    for number, explanation in enumerate(content.explanations[:MOST], start=1):
        shown += one_reason(explanation, content, number, polygons)
    left = len(content.explanations) - MOST
    if left > 0:
        shown.append(Paragraph(f"{count(left, 'further explanation')} can be seen in SlideLens."))
    return Part("why", "What the model reacted to", tuple(shown))


def one_reason(
    explanation: GridResult, content: GridReport, number: int, polygons: GeoDataFrame | None
) -> list[Content]:
    """Heading, pictures, sentence and faithfulness of one explanation."""
    target, shown_map = explanation.provenance.get("target"), attribution_of(explanation)
    grid = shown_map.grid
    region = target_region(target, grid, content.result)
    image = None if content.scene is None else image_below(content.scene, grid, grid.shape)
    where = _where(target, polygons, content.result.grid)
    method = one_line(str(explanation.provenance.get("method") or UNKNOWN))
    view = _View(image, shown_map, grid, region, method, _layer(explanation.provenance))
    near = None if region is None else close_up(region)
    shown: list[Content] = [Heading(f"Explanation {number}{where}"), Pictures(view.pictures())]
    if near is not None:
        shown.append(Pictures(view.part(*near).pictures("Close-up. ")))
    # The introduction says once what the sentence of each explanation ends with.
    notes = (one_line(note).partition(REACTED)[0].strip() for note in explanation.notes)
    shown += [Paragraph(note) for note in notes if note]
    return shown + _faithfulness(explanation.provenance)


@dataclass(frozen=True)
class _View:
    """An explanation on the pixels of its window, or of a part of that."""

    image: NDArray[np.uint8] | None
    shown: Attribution
    grid: Grid
    region: NDArray[np.bool_] | None
    method: str
    layer: str

    def part(self, rows: slice, columns: slice) -> _View:
        """The same of some rows and columns."""
        window = Window(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
        grid = self.grid.window(window)
        return replace(
            self, grid=grid, image=None if self.image is None else self.image[rows, columns],
            shown=replace(self.shown, values=self.shown.values[rows, columns], grid=grid),
            region=None if self.region is None else self.region[rows, columns],
        )  # fmt: skip

    def pictures(self, begin: str = "") -> tuple[Picture, ...]:
        """The image where it is there, and the attribution over it; their captions begin with some words."""
        made = []
        if self.image is not None:
            outlined = "Image around the explained place, which is outlined."
            made.append(
                picture(
                    draw_window(self.image, self.grid, self.region),
                    begin + (WITHOUT_OUTLINE if self.region is None else outlined),
                    begin + (WITHOUT_OUTLINE if self.region is None else "Image, with the explained place outlined."),
                    LARGEST_PICTURE,
                )
            )
        signed = self.shown.signed
        made.append(
            picture(
                draw_attribution(self.image, self.shown.values, self.grid, self.region, signed=signed),
                begin + (SIGNED if signed else RAISED).format(method=self.method),
                f"{begin}{self.method}{self.layer}.",
                LARGEST_PICTURE,
            )
        )
        return tuple(made)


def _layer(provenance: Mapping[str, Any]) -> str:
    """The layer by its name for people; nothing where none was asked or only its module's name is recorded."""
    title = one_line(str(provenance.get("layer_title") or ""))
    return f"; layer: {within(title)}" if title else ""


def _where(
    target: Any,  # noqa: ANN401  JSON is of any type
    polygons: GeoDataFrame | None,
    grid: Grid,
) -> str:
    if not isinstance(target, Mapping):
        return ""
    if "row" in target:
        return f": point at row {target['row']}, column {target['column']}"
    if "box" in target:
        left, top, *_ = target["box"]
        number = _box_number(target["box"], polygons, grid)
        if number is not None:
            return f": detection {number}, confidence {target['score']:.2f}"
        return f": detection with top left corner at row {top:.0f}, column {left:.0f}, confidence {target['score']:.2f}"
    if polygons is not None and len(polygons) and target.get("outline"):
        from shapely.geometry import shape

        # By place: at another threshold it may be a part of a larger landslide, and old runs recorded numbers.
        inside = polygons[polygons.geometry.contains(shape(target["outline"]).representative_point())]
        if len(inside):
            return f": landslide {inside['id'].iloc[0]}"
    known = target.get("landslide")
    name = f" {known}" if isinstance(known, str) and known else ""
    return f": landslide{name} as outlined at other settings" if target.get("outline") else ""


def _box_number(box: Sequence[float], boxes: GeoDataFrame | None, grid: Grid) -> str | None:
    """Id in the report of the box that was asked about; None when it is not among those at this choice."""
    if boxes is None or not len(boxes):
        return None
    from shapely import box as rectangle
    from shapely.affinity import affine_transform

    place, (left, top, right, bottom) = grid.transform, box
    asked = rectangle(left, top, right, bottom)
    if grid.is_georeferenced:
        asked = affine_transform(asked, (place.a, place.b, place.d, place.e, place.c, place.f))
    # By place, since old runs recorded numbers, and another merging makes other boxes.
    shared = boxes.geometry.intersection(asked).area
    alike = (shared / (boxes.geometry.area + asked.area - shared)).to_numpy()
    return str(boxes["id"].iloc[int(alike.argmax())]) if alike.max() > ALIKE else None


def target_region(
    target: Any,  # noqa: ANN401  JSON is of any type
    grid: Grid,
    result: GridResult,
) -> NDArray[np.bool_] | None:
    """What was asked about, on the explanation's grid; None when it is not recorded or lies outside.

    Parameters
    ----------
    target
        ``{"row": …, "column": …}`` of the explained run's grid, or ``{"outline": …}`` with a GeoJSON geometry in that
        run's coordinates (columns and rows without a coordinate system), or ``{"box": …}`` in pixels of its grid.
    grid
        Grid of the explanation's window.
    """
    region = None
    if not isinstance(target, Mapping):
        return None
    if "row" in target:
        region = _around(grid, *grid.rowcol(*result.grid.xy(int(target["row"]), int(target["column"]))))
    elif "box" in target:
        region = box_region(target["box"], grid, result.grid)
    elif target.get("outline"):
        region = _inside(target["outline"], grid, result.grid)
    return region if region is not None and region.any() else None


def _around(grid: Grid, row: int, column: int) -> NDArray[np.bool_] | None:
    from core.explain.target import region_around

    if not (0 <= row < grid.height and 0 <= column < grid.width):
        return None
    return region_around(row, column, grid.shape)


def _inside(target: dict[str, Any], grid: Grid, whole: Grid) -> NDArray[np.bool_]:
    from geopandas import GeoDataFrame
    from shapely.affinity import translate
    from shapely.geometry import shape

    from core.raster.vectorize import rasterise

    outline = shape(target)
    if not grid.is_georeferenced:
        row, column = grid.rowcol(*whole.xy(0, 0))
        outline = translate(outline, column, row)
    return rasterise(GeoDataFrame(geometry=[outline], crs=whole.crs), grid)


def _faithfulness(provenance: Mapping[str, Any]) -> list[Content]:
    deletion = provenance.get("deletion")
    if not isinstance(deletion, Mapping):
        return [Paragraph("The faithfulness of this explanation was not tested.")]
    share, drop, random = (float(deletion[key]) for key in ("share", "drop", "drop_random"))
    table = Table(
        "Deletion test",
        (Column("Masked"), Column("Share masked", True), Column("Decrease in score (logit)", True)),
        (
            ("Highest areas", f"{share:.0%}".replace("%", " %"), _signed(drop)),
            ("Random areas of equal size", f"{share:.0%}".replace("%", " %"), _signed(random)),
        ),
    )
    if drop > max(random, 0.0):
        return [table]
    text = (
        "Masking the highlighted areas lowered the score no more than masking random areas. This explanation does "
        "not show what the model used."
    )
    return [Notice("Do not rely on this explanation", text), table]


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
