"""The guide: steps that know whether they are done, answers that are checked, terms that are explained once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.samples import sample
from core.glossary import of_figure, short, terms
from core.review import log
from core.review.edits import Edit
from core.review.found import open_review
from core.runs.kinds import all_metrics
from core.runs.store import Store
from core.tasks.mapping.view import Choice
from tests.factories import keep, made_run, ramp, write_raster
from tests.pages.test_kept import goto
from tests.pages.test_mapping import press, texts
from ui.mapping.lessons import SAMPLE, find_most, halve_false_alarms, tour


@pytest.fixture
def run(store: Store, tmp_path: Path) -> str:
    """100 pixels of the reference at 0.9 and 0.6; false alarms: 40 at 0.6, 30 at 0.7, 30 at 0.8."""
    probability, reference = np.zeros((30, 40)), np.zeros((30, 40), np.uint8)
    probability[0:5, 0:10], probability[0:5, 10:20] = 0.9, 0.6
    reference[0:5, 0:20] = 1
    probability[10:14, 0:10], probability[20:23, 0:10], probability[26:29, 0:10] = 0.6, 0.7, 0.8
    made = made_run(tmp_path / "made", probability, reference=reference, scene=sample(SAMPLE).title)
    record = {"model": {"name": "made", "threshold": 0.5}}
    return str(keep(store, replace(made, provenance={**made.provenance, **record})).id)


def page(repository: Path) -> AppTest:
    test = AppTest.from_file(str(repository / "ui" / "main.py"), default_timeout=120)
    test.switch_page("../pages/guide.py")
    test.run()
    assert not test.exception
    assert not [error.value for error in test.error]
    return test


def test_the_lowest_threshold_that_halves_false_alarms_is_right(store: Store, run: str) -> None:
    made = store.run(run)
    # Of 100 false alarms 60 are left above 0.6, and 30 above 0.7.
    assert halve_false_alarms(made, 0.71).right
    assert "recall changes from 1.00 to 0.50" in halve_false_alarms(made, 0.71).words
    wrong = halve_false_alarms(made, 0.65)
    assert (wrong.right, "Still more than half" in wrong.words) == (False, True)
    assert "A lower threshold is enough" in halve_false_alarms(made, 0.9).words


def test_the_highest_threshold_that_misses_little_is_right(store: Store, run: str) -> None:
    made = store.run(run)
    assert find_most(made, 0.59).right
    assert not find_most(made, 0.6).right
    assert "Recall is still below 0.95" in find_most(made, 0.8).words
    assert "A higher threshold" in find_most(made, 0.3).words


def test_a_run_without_a_reference_is_told_so(store: Store, tmp_path: Path) -> None:
    made = keep(store, made_run(tmp_path / "made", np.full((9, 9), 0.5), scene=sample(SAMPLE).title))
    assert "not scored against a reference" in halve_false_alarms(store.run(made.id), 0.5).words


def test_steps_know_what_was_done(store: Store, run: str) -> None:
    assert [step.done for step in tour(None)] == [False, None, None, None, None]
    assert [step.done for step in tour(store.run(run))] == [True, False, False, False, False]
    opened = open_review(store, store.run(run), Choice(0.65, 0.0))
    ids = tuple(opened.features)
    log.append(store, run, opened.features, Edit("judge", ids), reviewer="Anna", seen=0, view=opened.view_values)
    assert (len(ids), tour(store.run(run))[2].done) == (3, False)


def test_the_page_teaches_with_and_without_a_run(repository: Path, store: Store, run: str) -> None:
    guide = page(repository)
    assert "**1. Map the sample** :material/check: done" in texts(guide)
    first = next(one for one in guide.number_input if one.label == "Threshold")
    first.set_value(0.71).run()
    press(guide, "Check")
    assert "Yes." in guide.success[0].value
    store.delete(run)
    assert "no finished run of the sample" in texts(page(repository))


def test_the_step_of_the_slider_is_done_once_the_run_was_seen_at_another_threshold(
    repository: Path, store: Store, models: Path, tmp_path: Path
) -> None:
    image = store.add_scene(write_raster(tmp_path / "scene.tif", ramp(48, 64)), sample(SAMPLE).title)
    probability = np.zeros((48, 64))
    probability[10:30, 10:40] = 0.8
    made = keep(store, made_run(tmp_path / "made", probability, scene=sample(SAMPLE).title), image.id)
    guide = page(repository)
    step = "**2. Move the threshold**"
    goto(guide, "mapping", run=made.id)
    goto(guide, "guide")
    assert f"{step}  \n" in texts(guide)
    goto(guide, "mapping", run=made.id)
    next(one for one in guide.slider if one.label == "Threshold").set_value(0.3).run()
    goto(guide, "guide")
    assert f"{step} :material/check: done" in texts(guide)
    assert "This step is not checked." not in texts(guide)


def test_answers_and_what_was_said_of_them_stay_until_they_are_changed(
    repository: Path, store: Store, run: str
) -> None:
    def fields() -> list[float | None]:
        return [one.value for one in guide.number_input if one.label == "Threshold"]

    def answer(exercise: str, value: float) -> None:
        next(one for one in guide.number_input if one.key == f"answer-{exercise}-{run}").set_value(value).run()

    def check(exercise: str) -> None:
        next(one for one in guide.button if one.key == f"check-{exercise}-{run}").click().run()

    guide = page(repository)
    answer("halve-false-alarms", 0.71)
    check("halve-false-alarms")
    answer("find-most", 0.8)
    check("find-most")
    assert (len(guide.success), len(guide.warning)) == (1, 1)
    goto(guide, "")
    goto(guide, "guide")
    assert fields() == [0.71, 0.8]
    assert "recall changes from 1.00 to 0.50" in guide.success[0].value
    assert "Recall is still below 0.95" in guide.warning[0].value
    answer("find-most", 0.6)
    assert (len(guide.success), len(guide.warning)) == (1, 0)


def test_a_term_is_found_by_its_letters(repository: Path, store: Store) -> None:
    guide = page(repository)
    next(one for one in guide.text_input if one.label == "Find a term").set_value("suppression").run()
    assert "**NMS, non-maximum suppression**" in texts(guide)
    assert "**Precision**" not in texts(guide)


def test_every_term_is_explained_in_a_sentence() -> None:
    assert len(terms()) > 25
    assert {"logit", "colour_index", "tail_exponent"} <= set(terms())
    for term in terms().values():
        assert term.short.endswith(".")
        assert len(term.short) < 240, term.name
    assert short("f1") == terms()["f1"].short


def test_every_score_of_every_task_is_explained_beside_its_figure() -> None:
    known = [metric for metric in all_metrics() if metric.form != "count"]
    assert {"f1", "auroc_spatial", "rmse", "ap50"} < {metric.name for metric in known}
    assert [metric.name for metric in known if not of_figure(metric.name)] == []
    assert of_figure("auroc_blocks") == terms()["auroc"].short
    names = [name for term in terms().values() for name in (term.name, *term.figures)]
    assert len(names) == len(set(names)), "a figure is explained once"
    assert of_figure("cells") == "", "a count is explained by its title"
