"""Two or more runs beside each other, without a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from streamlit.testing.v1 import AppTest

from core.runs.records import Failure, Input, Order
from core.runs.store import Store
from core.serve.coordinates import drawing_on_map
from core.tasks.imagery.result import image_inputs
from core.tasks.mapping import findings
from core.tasks.mapping.result import MappingResult
from core.tasks.mapping.run_change import order_difference
from tests.factories import NORTH_UP, keep, made_run
from ui.runs.compare import Compared
from ui.runs.compare_map import drawn_areas, map_spec
from ui.runs.parameter_diff import _title, differing, told_apart

HOSTILE = "<img src=x onerror=alert(1)> [a](b)"


@pytest.fixture
def page(repository: Path, store: Store) -> AppTest:
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    return test.switch_page("../pages/compare.py")


def reference() -> np.ndarray:
    """Of 20 pixels 5 are landslide."""
    known = np.zeros((4, 5), np.uint8)
    known[0] = 1
    return known


def good() -> np.ndarray:
    """Just what is landslide."""
    return reference() * 0.8


def poor() -> np.ndarray:
    """As much again beside it."""
    probability = reference() * 0.8
    probability[1] = 0.6
    return probability


@pytest.fixture
def pair(tmp_path: Path, store: Store) -> tuple[MappingResult, MappingResult]:
    return (
        keep(store, made_run(tmp_path / "a", good(), reference=reference())),
        keep(store, replace(made_run(tmp_path / "b", poor(), reference=reference()), model="poor")),
    )


def compare(page: AppTest, *runs: str, **address: str) -> AppTest:
    page.query_params["runs"] = ",".join(runs)
    for name, value in address.items():
        page.query_params[name] = value
    return page.run()


def texts(page: AppTest) -> str:
    kinds = (page.markdown, page.caption, page.info, page.error)
    return "\n".join(part.value for kind in kinds for part in kind).replace("\\", "")


def test_numbers_stand_side_by_side_and_the_best_is_said(
    page: AppTest, pair: tuple[MappingResult, MappingResult]
) -> None:
    compare(page, *(run.id for run in pair))
    assert not page.exception
    assert not page.error
    numbers = page.table[0].value
    # The poor one: 5 right of 10 mapped, so precision 1/2, F1 2/3, IoU 1/2; recall is 1 for both, so nobody's best.
    assert numbers.loc["F1"].tolist() == ["1.000 **highest**", "0.667"]
    assert numbers.loc["IoU"].tolist() == ["1.000 **highest**", "0.500"]
    assert numbers.loc["Precision"].tolist() == ["1.000 **highest**", "0.500"]
    assert numbers.loc["Recall"].tolist() == ["1.000", "1.000"]
    assert numbers.loc["Above threshold"].tolist() == ["25.0 %", "50.0 %"]


def test_the_colour_index_stands_beside_and_a_small_lead_is_none(
    page: AppTest, store: Store, tmp_path: Path
) -> None:
    perfect = np.zeros((2, 255), np.int64)
    perfect[0, 0], perfect[1, 254] = 300, 100
    nearly = [np.array(perfect) for _ in range(2)]
    nearly[0][1, 0], nearly[1][1, 0] = 10, 10
    nearly[1][0, 254] = 1
    runs = [
        keep(store, replace(made_run(tmp_path / name, poor(), reference=reference()), counts=counts, baseline=perfect))
        for name, counts in zip("ab", nearly, strict=True)
    ]
    compare(page, *(run.id for run in runs))
    numbers = page.table[0].value
    assert list(numbers.columns) == ["A", "B", "Colour index"]
    # 100 of 110 found: F1 is 200/210 and, with one false, 200/211; the index has them all.
    assert numbers.loc["F1"].tolist() == ["0.952", "0.948", "1.000 **highest**"]
    assert numbers.loc["Precision"].tolist() == ["1.000", "0.990", "1.000"]


def test_scores_of_other_images_are_not_ranked(
    page: AppTest, store: Store, pair: tuple[MappingResult, MappingResult], tmp_path: Path
) -> None:
    other = made_run(tmp_path / "c", poor(), reference=reference(), scene_digest="1" * 64)
    compare(page, pair[0].id, keep(store, other).id)
    assert page.table[0].value.loc["F1"].tolist() == ["1.000", "0.667"]
    assert "The runs differ in: image. No score is marked as highest." in texts(page)


def drawn(run: MappingResult) -> MappingResult:
    """The same of its first two rows and three columns only, as a run of a drawn area is."""
    area = {"type": "Polygon", "coordinates": [[[0, 0], [3, 0], [3, 2], [0, 2], [0, 0]]]}
    parameters = {**(run.provenance.get("parameters") or {}), "area": area}
    return replace(run, provenance={**run.provenance, "parameters": parameters})


def test_a_run_of_a_drawn_area_is_called_so_and_does_not_cut_the_other(
    page: AppTest, store: Store, pair: tuple[MappingResult, MappingResult], tmp_path: Path
) -> None:
    part = keep(store, drawn(made_run(tmp_path / "c", poor()[:2, :3], reference=reference()[:2, :3])))
    compare(page, pair[0].id, part.id)
    assert not page.exception
    shown = texts(page)
    assert "(drawn area)" in shown
    assert "The runs differ in: area" in shown
    whole, other = (Compared(letter, store.run(run.id), run) for letter, run in (("A", pair[0]), ("B", part)))
    for first, second in ((whole, other), (other, whole)):
        assert map_spec(first, second).grid == pair[0].grid
        (area,) = drawn_areas(first, second)
        assert area.name == "Processed area (B)"
        (shape,) = area.features["features"]
        assert shape["geometry"] == drawing_on_map(pair[0].grid, store.run(part.id).parameters["area"])
    (both,) = drawn_areas(other, replace(other, letter="C"))
    assert both.name == "Processed area (B, C)", "the same area is drawn once, named after both"
    assert drawn_areas(whole, replace(whole, letter="C")) == ()
    assert other.name.endswith("(drawn area)")
    assert not whole.name.endswith("(drawn area)")


def test_the_area_of_a_run_without_coordinates_lies_where_it_was_drawn(store: Store, tmp_path: Path) -> None:
    """Such a run keeps the grid of the whole image: columns and rows of the area are those of the map."""
    whole, part = (made_run(tmp_path / name, good(), "without CRS") for name in "ab")
    runs = [keep(store, whole), keep(store, drawn(part))]
    (area,) = drawn_areas(*(Compared(letter, store.run(run.id), run) for letter, run in zip("AB", runs, strict=True)))
    (shape,) = area.features["features"]
    assert shape["geometry"]["coordinates"] == [[[0, 0], [3, 0], [3, -2], [0, -2], [0, 0]]]


def test_runs_without_a_difference_say_so(page: AppTest, store: Store, tmp_path: Path) -> None:
    runs = [keep(store, made_run(tmp_path / name, good())) for name in "ab"]
    compare(page, *(run.id for run in runs), view="Difference")
    assert "Both runs give the same probability to every pixel with data in both" in texts(page)


def test_only_what_differs_is_listed(page: AppTest, pair: tuple[MappingResult, MappingResult]) -> None:
    compare(page, *(run.id for run in pair))
    assert page.table[1].value.to_dict("index") == {"Model": {"A": "made", "B": "poor"}}


def test_runs_of_the_same_say_so(page: AppTest, store: Store, tmp_path: Path) -> None:
    runs = [keep(store, made_run(tmp_path / name, good())) for name in "ab"]
    compare(page, *(run.id for run in runs))
    assert "are the same in all runs" in texts(page)


def test_parameters_are_compared_one_by_one(tmp_path: Path) -> None:
    def run(name: str, **parameters: object) -> MappingResult:
        return replace(made_run(tmp_path / name, good()), provenance={"parameters": parameters})

    one = run("a", stretch="auto", options={"turned": False, "overlap": 0.25}, area=None)
    other = run("b", stretch="auto", options={"turned": True, "overlap": 0.25}, area={"coordinates": [1]})
    third = run("c", stretch="auto", options={"turned": True, "overlap": 0.25}, area={"coordinates": [2]})
    assert differing("mapping", [one, other, third]) == [
        ("Test-time augmentation", ["no", "yes", "yes"]),
        ("Processed area", ["whole image", "drawn area 1", "drawn area 2"]),
    ]


def test_the_difference_is_computed_once(
    page: AppTest, store: Store, pair: tuple[MappingResult, MappingResult]
) -> None:
    compare(page, *(run.id for run in pair), view="Difference")
    assert not page.exception
    assert not page.error
    # 5 of 20 pixels rose from 0 to 0.6 (code 152 of 254), past the threshold 0.5.
    assert f"differ by **{5 * 152 / 254 / 20:.3f}** on average" in texts(page)
    assert "**25.00 %** of the pixels" in texts(page)
    (made,) = store.children(pair[0].id)
    assert (made.kind, made.parents) == ("change", (pair[0].id, pair[1].id))
    page.run()
    assert [run.id for run in store.children(pair[0].id)] == [made.id]


def test_a_large_difference_is_a_job(
    page: AppTest, store: Store, pair: tuple[MappingResult, MappingResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "LARGEST", 10)
    compare(page, *(run.id for run in pair), view="Difference")
    assert store.children(pair[0].id) == []
    next(button for button in page.button if button.label == "Calculate the difference").click().run()
    assert not page.exception
    (made,) = store.children(pair[0].id)
    assert made.status == "done"
    assert "on average" in texts(page)


def test_a_difference_that_failed_says_why_and_can_be_tried_again(
    page: AppTest, store: Store, pair: tuple[MappingResult, MappingResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "LARGEST", 10)
    store.fail(store.order(order_difference(*pair)), Failure("The disk was full."))
    compare(page, *(run.id for run in pair), view="Difference")
    assert "The disk was full." in texts(page)
    next(button for button in page.button if button.label == "Repeat").click().run()
    assert not page.exception
    assert "on average" in texts(page)


def test_a_difference_whose_file_is_gone_can_be_made_again(
    page: AppTest, store: Store, pair: tuple[MappingResult, MappingResult]
) -> None:
    compare(page, *(run.id for run in pair), view="Difference")
    (made,) = store.children(pair[0].id)
    made.artifacts[0].path.unlink()
    page.run()
    assert "no longer on disk" in texts(page)
    next(button for button in page.button if button.label == "Repeat").click().run()
    assert not page.error
    assert "on average" in texts(page)


def test_of_three_runs_two_are_chosen_for_the_map(
    page: AppTest, store: Store, pair: tuple[MappingResult, MappingResult], tmp_path: Path
) -> None:
    third = keep(store, made_run(tmp_path / "c", good()))
    compare(page, pair[0].id, pair[1].id, third.id, view="Difference", right="C")
    assert list(page.table[0].value.columns) == ["A", "B", "C"]
    (made,) = store.children(third.id)
    assert made.parents == (pair[0].id, third.id)


def refused(page: AppTest, *runs: str) -> str:
    compare(page, *runs)
    assert not page.exception
    return "\n".join(error.value for error in page.error).replace("\\", "")


def test_runs_that_cannot_be_compared_are_refused_in_words(
    page: AppTest, store: Store, pair: tuple[MappingResult, MappingResult], tmp_path: Path
) -> None:
    failed = store.order(Order("mapping", "mapping", {}, image_inputs("")))
    other_task = store.order(Order("detection", "detection", {}, image_inputs("")))
    child = keep(store, replace(made_run(tmp_path / "c", good()), kind="explanation"), parents=(pair[0].id,))
    one = pair[0].id

    assert "only one run" in refused(page, one)
    assert "only one run" in refused(page, one, one)
    assert "No such run" in refused(page, one, "../../etc")
    assert "not in the store" in refused(page, one, "0" * 32)
    assert "different tasks" in refused(page, one, other_task)
    assert "Not all of these runs are done" in refused(page, one, failed)
    assert "Only results can be compared, such as maps with maps" in refused(page, one, child.id)
    assert "Choose 6 or fewer" in refused(page, *(f"{number:032x}" for number in range(7)))


def test_runs_of_other_places_keep_their_numbers(
    page: AppTest, store: Store, pair: tuple[MappingResult, MappingResult], tmp_path: Path
) -> None:
    away = keep(store, made_run(tmp_path / "c", good(), transform=NORTH_UP @ Affine.translation(1000, 0)))
    assert "overlap" in refused(page, pair[0].id, away.id)
    assert page.table[0].value.loc["Above threshold"].tolist() == ["25.0 %", "25.0 %"]


def test_without_runs_the_way_to_them_is_shown(page: AppTest) -> None:
    page.run()
    assert not page.error
    assert "No runs selected." in texts(page)


def test_texts_of_users_are_text(page: AppTest, store: Store, pair: tuple[MappingResult, MappingResult]) -> None:
    store.label(pair[0].id, name=HOSTILE)
    compare(page, *(run.id for run in pair))
    assert HOSTILE in texts(page)
    assert not any(HOSTILE in part.value for part in page.markdown)


def test_runs_that_look_alike_are_told_apart_by_their_settings(store: Store) -> None:
    def order(model: str, name: str = "valley", more: tuple[Input, ...] = (), **settings: object) -> str:
        return store.order(Order("mapping", "mapping", settings, (*image_inputs(name), *more), model))

    plain = order("red", options={"overlap": 0.25, "turned": False}, area=None)
    turned = order("red", options={"overlap": 0.25, "turned": True}, area=None)
    part = order("red", options={"overlap": 0.25, "turned": False}, area={"coordinates": [1]})
    part_again = order("red", options={"overlap": 0.25, "turned": False}, area={"coordinates": [2]})
    other, elsewhere = order("blue"), order("red", "hill")
    again, checked = order("blue"), order("grey", more=(Input("reference", "", "slides.gpkg"),), bands=[1, 2, 3])
    bare, old = order("grey", bands=None), order("grey")
    runs = (plain, turned, part, part_again, other, elsewhere, again, checked, bare, old)
    said = told_apart([store.run(one) for one in runs])
    assert said == {
        plain: "test-time augmentation no", turned: "test-time augmentation yes", other: "", again: "",
        part: "drawn area 1", part_again: "drawn area 2",
        checked: "slides.gpkg, requested bands 1, 2, 3",
        bare: "no reference inventory, requested bands automatic",
        old: "no reference inventory, requested bands not recorded",
    }  # fmt: skip


def test_a_setting_that_is_empty_is_called_none(store: Store) -> None:
    given = (Input("series", "", "slope.csv"),)
    orders = [Order("displacement", "forecast", {"plan": {"known_future": known}}, given) for known in ([], ["rain"])]
    runs = [store.run(store.order(one)) for one in orders]
    said = told_apart(runs)
    assert [said[one.id] for one in runs] == ["known in advance none", "known in advance rain"]


def test_runs_of_other_images_with_one_name_are_told_apart_by_their_content(store: Store) -> None:
    runs = [
        store.order(Order("mapping", "mapping", {}, (Input("scene", "", "valley", digest * 64),), "red"))
        for digest in "ab"
    ]
    said = told_apart([store.run(one) for one in runs])
    assert said == {runs[0]: "image SHA-256 aaaaaaaa", runs[1]: "image SHA-256 bbbbbbbb"}


def test_all_files_of_a_role_and_their_contents_tell_runs_apart(store: Store) -> None:
    def order(*files: tuple[str, str]) -> str:
        inputs = (Input("table", "", "cells.csv", "c" * 64), *(Input("factor", "", *file) for file in files))
        return store.order(Order("susceptibility", "validation", {}, inputs, ""))

    def said(*runs: str) -> list[str]:
        return list(told_apart([store.run(one) for one in runs]).values())

    slope, ndvi, rock = ("slope.tif", "1" * 64), ("ndvi.tif", "2" * 64), ("rock.tif", "3" * 64)
    assert said(order(slope, rock), order(ndvi, rock)) == ["factor slope.tif, rock.tif", "factor ndvi.tif, rock.tif"]
    other = ("slope.tif", "4" * 64)
    assert said(order(slope), order(other)) == ["factor SHA-256 11111111", "factor SHA-256 44444444"]
    assert said(order(slope), order(("slope.tif", ""))) == ["", ""], "an older record does not know the content"


def test_long_settings_are_cut_where_runs_are_told_apart(store: Store) -> None:
    runs = [
        store.order(Order("mapping", "mapping", {"bands": bands, "note": note}, image_inputs("valley"), "red"))
        for bands, note in ((list(range(1, 41)), "b" * 60), ([1], ""))
    ]
    said = told_apart([store.run(one) for one in runs])
    assert said[runs[0]] == f"requested bands 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, …, note {'b' * 39}…"


def test_entries_are_named_with_what_they_belong_to() -> None:
    named = {
        "truth.kind": "Reference: kind", "runtime.version": "Runtime: version", "parameters.plan.seed": "Plan: seed",
        "parameters.options.nms_iou": "Options: NMS IoU",
    }  # fmt: skip
    assert {name: _title(name) for name in named} == named


def test_runs_of_many_different_settings_are_told_apart_by_the_first(store: Store) -> None:
    series = (Input("series", "", "slope"),)
    def told(names: str) -> str:
        plans = [{"plan": dict.fromkeys(names, value)} for value in (1, 2)]
        runs = [store.order(Order("displacement", "forecast", plan, series)) for plan in plans]
        return told_apart([store.run(one) for one in runs])[runs[1]]

    assert told("abcde") == "plan: a 2, plan: b 2, plan: c 2, 2 further settings"
    assert told("abcd") == "plan: a 2, plan: b 2, plan: c 2, plan: d 2", "not 1 further settings"


def test_a_zero_that_stands_for_a_choice_of_its_own_is_said_in_words(store: Store) -> None:
    plans = [{"plan": {"refit": refit, "window": window}} for refit, window in ((0, 50), (5, 0))]
    runs = [store.order(Order("displacement", "forecast", plan, (Input("series", "", "slope"),))) for plan in plans]
    said = told_apart([store.run(one) for one in runs])
    assert said[runs[0]] == "refit after … forecasts automatic, training window (steps) 50"
    assert said[runs[1]] == "refit after … forecasts 5, training window (steps) all"
