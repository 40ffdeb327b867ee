"""What a reviewed inventory holds, all in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.review.geometry import feature_areas
from core.review.overlap import LEAST, doubled_area
from core.review.state import SETTLED, STATUSES
from core.wording import agree, count, single_area

if TYPE_CHECKING:
    from core.review.found import Opened


@dataclass(frozen=True)
class Total:
    """How many features there are, and their areas together.

    Attributes
    ----------
    number
        How many.
    size
        Sum of their areas in m², or in px without a size of pixels; None where the features are boxes, whose areas are
        not those of landslides.
    overlap
        How much of that sum is counted more than once because outlines overlap, in the same unit; 0 for boxes.
    """

    number: int
    size: float | None
    overlap: float = 0.0


@dataclass(frozen=True)
class Totals:
    """What a reviewed inventory holds; deleted features are not in it.

    Attributes
    ----------
    whole
        All features.
    landslides
        Those that the review accepts as landslides: correct, corrected or added.
    false_alarms
        Those that are none.
    unreviewed
        Those that nobody reviewed.
    model
        What the model found, before any edit.
    """

    whole: Total
    landslides: Total
    false_alarms: Total
    unreviewed: Total
    model: Total

    def to_json(self, *, in_metres: bool) -> dict[str, Any]:
        """Numbers and areas by name, with what overlapping outlines count more than once; without areas of boxes."""
        unit = "m2" if in_metres else "px"
        parts = {"inventory": self.whole, "landslides": self.landslides, "false_alarms": self.false_alarms,
                 "not_reviewed": self.unreviewed, "model": self.model}  # fmt: skip
        sizes = {f"{name}_area_{unit}": one.size for name, one in parts.items() if one.size is not None}
        sizes |= {f"{name}_overlap_{unit}": parts[name].overlap for name in ("inventory", "landslides")
                  if parts[name].size is not None}  # fmt: skip
        return {**{name: one.number for name, one in parts.items()}, **sizes}


def totals(opened: Opened) -> Totals:
    """What the reviewed inventory of a run holds."""
    features, found = list(opened.review.features.values()), list(opened.features.values())
    sizes = feature_areas(features, opened.found.grid)

    def total(*statuses: str) -> Total:
        chosen = [(one, size) for one, size in zip(features, sizes, strict=True) if one.status in statuses]
        if not opened.found.measured:
            return Total(len(chosen), None)
        overlap = doubled_area([one for one, _ in chosen], opened.found.grid)
        return Total(len(chosen), sum(size for _, size in chosen), overlap)

    own = sum(feature_areas(found, opened.found.grid)) if opened.found.measured else None
    return Totals(
        total(*SETTLED, "rejected", "unreviewed"), total(*SETTLED), total("rejected"), total("unreviewed"),
        Total(len(found), own),
    )  # fmt: skip


def corrected_outlines(opened: Opened) -> dict[str, int]:
    """How many outlines with the status *outline corrected* there are by what was done to them, without zeros."""
    parents = [len(one.parents) for one in opened.review.features.values() if one.status == "edited"]
    numbers = {
        "changed": parents.count(0), "merged": sum(number > 1 for number in parents),
        "parts of split ones": parents.count(1),
    }  # fmt: skip
    return {words: number for words, number in numbers.items() if number}


def corrected_words(opened: Opened) -> str:
    """The same as a sentence; empty where none was split or merged, so that the status says enough."""
    numbers = corrected_outlines(opened)
    if set(numbers) <= {"changed"}:
        return ""
    told = ", ".join(f"{words} {number:,}" for words, number in numbers.items())
    return f"In the inventory, the status “{STATUSES['edited']}” stands for: {told}."


def totals_words(opened: Opened) -> str:
    """The same as a sentence."""
    found, these, known = opened.found, totals(opened), opened.found.grid.in_metres

    def sized(one: Total) -> str:
        # In m², so that the parts add up and can be compared with tables and files.
        return "" if one.size is None or not one.number else f" ({single_area(one.size, georeferenced=known)})"

    whole = these.whole.number
    outlines = count(whole, "outline") if found.measured else count(whole, found.noun, found.several)
    accepted = these.landslides.number
    parts = [f"{accepted:,} accepted as {agree(accepted, 'a landslide', 'landslides')}{sized(these.landslides)}"]
    if these.false_alarms.number:
        parts.append(f"{count(these.false_alarms.number, 'false alarm')}{sized(these.false_alarms)}")
    if these.unreviewed.number:
        parts.append(f"{these.unreviewed.number:,} not reviewed{sized(these.unreviewed)}")
    told = f"The reviewed inventory holds {outlines}{sized(these.whole)}: {', '.join(parts)}."
    model = f" The model found {count(these.model.number, found.noun, found.several)}{sized(these.model)}."
    return f"{told}{_overlap_words(these, in_metres=known)}{model if found.measured else ''}"


def _overlap_words(these: Totals, *, in_metres: bool) -> str:
    """What overlapping outlines count more than once, as a sentence; empty where none overlap."""
    everything, landslides = these.whole.overlap, these.landslides.overlap
    if not everything:
        return ""
    area = single_area(everything, georeferenced=in_metres)
    told = f" Outlines overlap, so {area} of the total area is counted more than once"
    if not landslides:
        return f"{told}; those accepted as landslides do not overlap one another."
    if landslides < (1 - LEAST) * everything:
        return f"{told}; {single_area(landslides, georeferenced=in_metres)} of it between accepted landslides."
    return f"{told}, all of it between accepted landslides."
