"""What the report of a mapping is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.report.content import GridReport
from core.report.origin import sources_of
from core.runs.kinds import is_primary
from core.tasks.imagery.inputs import known_scene
from core.tasks.imagery.report import shared_content
from core.tasks.imagery.result import ImageResult
from core.tasks.imagery.roles import SCENE
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run_change import since_before
from core.tasks.mapping.run_outlines import outlined_before
from core.tasks.mapping.view import Choice

if TYPE_CHECKING:
    from core.raster.scene import Scene
    from core.runs.records import DatasetRecord, Run
    from core.runs.store import Store
    from core.tasks.mapping.outlines import Outlined
    from core.tasks.mapping.report.subject import MappingSubject


@dataclass(frozen=True)
class Earlier:
    """The mapping of the image before the event.

    Attributes
    ----------
    result
        Of that mapping.
    scene
        Its image; None where that is no longer there.
    source
        Where the image comes from and its terms, in words; empty where it was removed.
    """

    result: MappingResult
    scene: Scene | None
    source: str


@dataclass(frozen=True)
class MappingInput(GridReport):
    """A mapping as it is reported.

    Attributes
    ----------
    dem, dem_record
        Elevation in metres, for slopes, and the dataset that it is the file of.
    choice
        Threshold and areas; the model's own when None.
    outlined
        Landslides at `choice` of a raster too large to outline at once; None when nobody has had them outlined.
    earlier
        The mapping of the image before the event that this one was compared with; None where there is no comparison.
    """

    result: MappingResult
    dem: Path | None = None
    dem_record: DatasetRecord | None = None
    choice: Choice | None = None
    outlined: Outlined | None = None
    earlier: Earlier | None = None

    def key(self) -> tuple[str, ...]:
        """See `ReportInput`."""
        outlined = "" if self.outlined is None else str(self.outlined.path)
        before = "" if self.earlier is None else self.earlier.result.id
        return *super().key(), repr(self.choice), str(self.dem), outlined, before

    @cached_property
    def prepared(self) -> MappingSubject:
        """Everything computed once that several parts tell of."""
        from core.tasks.mapping.report.subject import MappingSubject

        return MappingSubject.of(self)


@dataclass(frozen=True)
class ChangeInput(GridReport):
    """The difference of two mappings as it is reported."""

    result: ImageResult


def gather_mapping(store: Store, run: Run, view: Choice | None) -> MappingInput:
    """Content of the report of a mapping."""
    result = store.result(run.id, MappingResult)
    record, shared = shared_content(store, run)
    dem = None if record is None else record.dem
    chosen = view or Choice.default(result)
    outlined = outlined_before(store, result, chosen, terrain=dem is not None) if is_primary(run) else None
    choice = view if outlined is None else chosen
    return MappingInput(
        **shared, result=result, dem=dem, dem_record=None if record is None else record.companions.get("dem"),
        choice=choice, outlined=outlined, earlier=_earlier(store, run),
    )  # fmt: skip


def compared_with(store: Store, run: Run) -> tuple[str, ...]:
    """Ids of the mapping of the image before the event that a mapping was compared with; empty without one."""
    difference = since_before(store, run)
    return () if difference is None else difference.parents[:1]


def _earlier(store: Store, run: Run) -> Earlier | None:
    difference = since_before(store, run)
    if difference is None:
        return None
    earlier = store.run(difference.parents[0])
    scene = known_scene(store, earlier)
    return Earlier(
        store.result(earlier.id, MappingResult), None if scene is None else scene.scene,
        dict(sources_of(store, earlier.inputs)).get(earlier.input(SCENE).dataset_id, ""),
    )  # fmt: skip


def gather_change(store: Store, run: Run, view: object) -> ChangeInput:
    """Content of the report of a difference."""
    del view
    _, shared = shared_content(store, run)
    return ChangeInput(**shared, result=store.result(run.id, ImageResult))
