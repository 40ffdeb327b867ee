"""The report of a comparison of two mappings: no more than the comparison itself knows."""

from __future__ import annotations

import numpy as np

from core.figures.image import reduced, reduced_shape
from core.report.parts import Content, Items, Notice, Paragraph, Part, Pictures
from core.report.pictures import picture
from core.report.subject import SHOWN_SIDE
from core.tasks.mapping.change import STEPS
from core.tasks.mapping.figure import draw_change
from core.tasks.mapping.report.content import ChangeInput
from core.tasks.mapping.result import CHANGE


def change(content: ChangeInput) -> Part:
    """What is compared, and the map of the difference."""
    result = content.result
    one, other = (f"run {parent[:8] or 'unknown'}" for parent in (*result.parents, "", "")[:2])
    shape = reduced_shape(result.grid, SHOWN_SIDE)
    codes, valid = reduced(result.artifact(CHANGE), shape)
    difference = np.where(valid, codes.astype(np.float32) / STEPS, np.nan).astype(np.float32)
    compared = (
        f"The mapping of {content.subject} ({other}) was compared, pixel by pixel, with another mapping of the "
        f"place ({one})."
    )
    shown: list[Content] = [Paragraph(compared, lead=True)]
    if content.scene is not None and content.scene.synthetic:
        text = f"The image of {other} was computed by a script. Nothing in this report is evidence about any place."
        shown.append(Notice("Synthetic image", text))
    does_not = (
        "It compares what models said. It is no measurement of movement.",
        "Another model or setting, or other light, season, cloud, snow or sensor in another image, changes what is "
        "said where nothing has moved.",
        "It does not depend on a threshold; how many landslides are new depends on one, and is not said here.",
    )
    caption = (
        f"Where {other} gives a higher (red) or a lower (blue) probability than {one}. White: no difference. Grey: no "
        "data in one of them."
    )
    alt = f"Map of the difference in the probability of landslide in {content.subject}."
    shown += [
        Pictures((picture(draw_change(result.grid, difference), alt, caption),)),
        Items(does_not, "What this does not mean"),
    ]
    return Part("change", "What has changed", tuple(shown))
