"""Where a result comes from: data and licences, and how it was computed. For every task alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import core
from core.figures.cartography import coordinate_system
from core.raster.files import one_line
from core.raster.scene import Scene
from core.report.content import GridReport, ReportInput
from core.report.parts import Facts, Paragraph, Part
from core.report.subject import UsedModel, joint_of, models_of
from core.report.words import UNKNOWN, moment, moment_of
from core.runs.kinds import tasks

NOT_STATED = "not stated"

SOFTWARE = (
    "SlideLens is free software under the GNU Affero General Public License, version 3 or any later version "
    "(AGPL-3.0-or-later). It comes without any warranty."
)


def data(content: ReportInput, elevation: Path | None = None) -> Part:
    """Image, reference, elevation where it was used, and model, with their digests, licences and citations."""
    result = content.result
    tables = [Facts("Image", tuple(_image(content)))] if isinstance(content, GridReport) else _datasets(content)
    reference = result.provenance.get("truth")
    if result.has_reference or reference:
        tables.append(Facts("Reference inventory", tuple(_reference(reference))))
    if elevation is not None:
        rows = (("Used for", "mean slope of each landslide"), ("Content SHA-256", Scene.open(elevation).digest))
        tables.append(Facts("Elevation", rows))
    declared = tasks().get(content.task)
    if result.model and (declared is None or declared.models == "folder"):
        tables += [Facts("Model", tuple(_model(model))) for model in models_of(content)]
    joint = joint_of(content)
    if joint is not None:
        digest = str((result.provenance.get("model") or {}).get("weights_sha256") or UNKNOWN)
        tables.append(Facts(joint.title, (("SHA-256", digest),)))
    return Part("data", "Data and licences", (*tables, Paragraph(SOFTWARE)))


def _datasets(content: ReportInput) -> list[Facts]:
    """Name and digest of each dataset that the run used."""
    return [
        Facts(
            one.role.replace("_", " ").capitalize(),
            (
                ("Name", one_line(one.name) or UNKNOWN),
                *((("Origin and licence", content.licences[one.dataset_id]),) if one.dataset_id in content.licences
                  else ()),
                ("Content SHA-256", one.digest or UNKNOWN),
            ),
        )
        for one in content.result.inputs
    ]


def _image(content: GridReport) -> Iterable[tuple[str, str]]:
    result, scene = content.result, content.scene
    recorded = result.provenance.get("scene") or {}
    grid = content.looked_at
    distance = grid.ground_distance()
    size = f"{grid.width:,} × {grid.height:,} pixels" + (f" of {distance:.3g} m" if distance else "")
    size += ", entered by hand" if grid.assumption else ""
    yield "Name", content.subject
    yield "Content SHA-256", result.subject.digest or UNKNOWN
    yield "Kind", _kind(recorded, scene)
    yield "Origin", one_line(content.origin) or UNKNOWN
    yield "Citation", one_line(str(recorded.get("citation") or (scene.citation if scene else ""))) or NOT_STATED
    yield "Licence", one_line(str(recorded.get("licence") or (scene.licence if scene else ""))) or NOT_STATED
    yield "Part looked at", size
    yield "Coordinate system", coordinate_system(grid)


def _kind(recorded: Mapping[str, Any], scene: Scene | None) -> str:
    if recorded.get("synthetic") or (scene is not None and scene.synthetic):
        return "synthetic: computed by a script"
    return "not marked as synthetic" if recorded or scene is not None else UNKNOWN


def _reference(reference: Mapping[str, Any] | None) -> Iterable[tuple[str, str]]:
    recorded = reference or {}
    yield "Name", one_line(str(recorded.get("name") or UNKNOWN))
    yield "File SHA-256", str(recorded.get("sha256") or UNKNOWN)
    yield "Licence", NOT_STATED


def _model(model: UsedModel) -> Iterable[tuple[str, str]]:
    name, spec = one_line(model.name), model.spec
    if spec is None:
        yield "Name", f"{name} (no longer on this server)"
    else:
        training = spec.training
        yield "Name", f"{spec.title} ({name})"
        yield "What it is", spec.summary
        yield "Sensor of its training images", spec.sensor
        yield "Ground distance", f"{spec.ground_distance:g} m" if spec.ground_distance else "varies"
        yield "Licence of the weights", spec.licence
        yield "Training data", str(training.get("data") or UNKNOWN)
        yield "Licence of the training data", str(training.get("data_licence") or NOT_STATED)
        yield "Citation of the training data", str(training.get("citation") or NOT_STATED)
    yield "SHA-256 of the weights", model.weights or UNKNOWN


def provenance(content: ReportInput, chosen: Iterable[tuple[str, str]] = ()) -> Part:
    """How the result was computed: run, parameters in words, what was chosen afterwards, versions, machine, times."""
    record = content.result.provenance
    rows = (*_run(content), *parameters(record), *chosen, *_machine(record))
    words = Paragraph(
        "With the same inputs, model and settings another run gives the same result; on another machine or with other "
        "versions the last digits may differ."
    )
    return Part("provenance", "How it was computed", (Facts("Record of the run", tuple(rows)), words))


def _run(content: ReportInput) -> Iterable[tuple[str, str]]:
    result, record = content.result, content.result.provenance
    yield "Run", result.id
    yield "Kind", content.kind
    if result.parents:
        yield "Based on the runs", ", ".join(result.parents)
    if content.address:
        yield "Address", one_line(content.address)
    if record.get("started"):
        yield "Started", moment_of(record["started"])
    yield "Finished", moment_of(record.get("finished"))
    if record.get("seconds") is not None:
        yield "Time taken", f"{float(record['seconds']):,.1f} s"
    if record.get("scored"):
        yield "Compared with the reference", moment_of(record["scored"])
    yield "Report made", moment(content.made)


def parameters(record: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What was asked for and how the image was brought to the model, in words; nothing that is not recorded."""
    asked, how = record.get("parameters") or {}, record.get("bridge") or {}
    options = asked.get("options") or {}
    if how.get("bands"):
        roles = [f" for {role}" for role in how.get("roles") or ()] or [""] * len(how["bands"])
        yield "Bands used", ", ".join(f"{band}{role}" for band, role in zip(how["bands"], roles, strict=False))
    if "stretch" in asked:
        yield "Stretch of values", _stretch(str(asked["stretch"]))
    if how.get("gain"):
        pairs = zip(how["gain"], how.get("offset") or (), strict=False)
        yield "Model value per band", "; ".join(f"{gain:.4g} × value {_plus(offset)}" for gain, offset in pairs)
    if "scale" in how:
        scale = float(how["scale"])
        same = "the image's own pixels" if scale == 1 else f"image resampled, {scale:.3g} model pixels a pixel"
        yield "Resolution", f"{same} ({'automatic' if asked.get('resample') == 'auto' else 'as asked'})"
    if "overlap" in options:
        yield "Overlap of windows", f"{100 * float(options['overlap']):.0f} %"
    if "floor" in options:
        yield "Candidates kept", f"from confidence {float(options['floor']):g} up"
    if "limit" in options:
        yield "Most candidates of a window", f"{int(options['limit']):,}"
    if "turned" in options:
        yield "Turned views averaged", "yes, eight" if options["turned"] else "no"
    if "area" in asked:
        yield "Area", "a part drawn on the map" if asked["area"] else "the whole image"


def _stretch(asked: str) -> str:
    known = {"auto": "automatic: only where the values are not those the model knows", "none": "none"}
    return known.get(asked, f"percentiles {one_line(asked)}")


def _plus(offset: float) -> str:
    return f"{'−' if offset < 0 else '+'} {abs(offset):.4g}"


def _machine(record: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    runtime, machine = record.get("runtime") or {}, record.get("machine") or {}
    versions = record.get("versions") or {}
    if runtime:
        yield "Runtime", f"{runtime.get('name', UNKNOWN)}, {runtime.get('threads', '?')} threads"
    if machine:
        named = (machine.get("system"), machine.get("processor"), f"{machine.get('cores', '?')} cores")
        yield "Machine", ", ".join(str(part) for part in named if part)
    if versions:
        yield "Versions", ", ".join(f"{name} {number}" for name, number in versions.items())
    yield "Report written by", f"SlideLens {core.__version__}"
