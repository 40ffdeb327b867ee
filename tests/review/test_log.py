"""Reviews: a log that only grows, from which the reviewed inventory is made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely.geometry import MultiPolygon, box, mapping

from core.errors import InputError, StorageError
from core.review import actions, log
from core.review.edits import Edit
from core.review.found import Opened, open_review
from core.review.geometry import split
from core.review.log import ReviewConflictError, append
from core.review.merged import merged_values
from core.review.replay import fates, judged
from core.review.state import STATUSES
from core.review.totals import corrected_words
from core.runs.store import Store
from core.runs.tables import ReviewRow
from core.tasks.mapping.view import Choice
from tests.factories import keep, made_run

ANNA, BEN = "Anna", "Ben"


@pytest.fixture
def run(store: Store, tmp_path: Path) -> str:
    """Three landslides of 6 × 10, 4 × 5 and 3 × 3 pixels in an image without a coordinate system."""
    probability = np.zeros((40, 50))
    probability[4:10, 5:15] = 0.9
    probability[20:24, 30:35] = 0.8
    probability[26:29, 31:34] = 0.7
    return str(keep(store, made_run(tmp_path / "made", probability, "without CRS")).id)


def opened(store: Store, run: str, view: Choice | None = None) -> Opened:
    return open_review(store, store.run(run), view or Choice(0.5))


def edited(store: Store, run: str, edit: Edit, reviewer: str = ANNA, seen: int | None = None) -> Opened:
    now = opened(store, run)
    number = now.review.number if seen is None else seen
    append(store, run, now.features, edit, reviewer=reviewer, seen=number, view=now.view_values)
    return opened(store, run)


def ids(store: Store, run: str) -> tuple[str, str, str]:
    first, second, third = opened(store, run).features
    return first, second, third


def statuses(now: Opened) -> dict[str, str]:
    return {name: one.status for name, one in now.review.features.items()}


def test_a_review_begins_with_what_was_found(store: Store, run: str) -> None:
    now = opened(store, run)
    assert set(statuses(now).values()) == {"unreviewed"}
    assert [one.outline.area for one in now.review.features.values()] == [60, 20, 9]
    assert now.review.number == 0


def test_judgements_are_kept_with_who_made_them_and_why(store: Store, run: str) -> None:
    first, second, _ = ids(store, run)
    edited(store, run, Edit("judge", (first,)))
    now = edited(store, run, Edit("judge", (second,), judgement="rejected", reason="field", note="Ploughed."), BEN)
    told = now.review.features[second]
    assert (told.status, told.reason, told.note, told.reviewer) == ("rejected", "field", "Ploughed.", BEN)
    assert now.review.features[first].status == "confirmed"
    assert now.review.counts == {"unreviewed": 1, "confirmed": 1, "rejected": 1, "edited": 0, "added": 0}
    # The first edit is preceded by the view that it is about.
    assert [entry.edit.op for entry in now.review.log] == ["begin", "judge", "judge"]


def test_a_review_stays_with_the_view_that_it_began_with(store: Store, run: str) -> None:
    first, *_ = ids(store, run)
    edited(store, run, Edit("judge", (first,)))
    later = opened(store, run, Choice(0.85))
    assert later.view == Choice(0.5)
    assert len(later.review.features) == 3


def test_outlines_are_drawn_united_cut_split_and_merged(store: Store, run: str) -> None:
    first, second, third = ids(store, run)
    grid = opened(store, run).found.grid

    now = edited(store, run, actions.draw(opened(store, run).review, box(40, 2, 44, 6), grid, "Seen on the ground."))
    (drawn,) = [one for one in now.review.features.values() if one.status == "added"]
    assert (drawn.outline.area, drawn.note, drawn.id[0]) == (16, "Seen on the ground.", "R")

    now = edited(store, run, actions.add_to(now.review, first, box(15, 4, 17, 10)))
    assert (now.review.features[first].outline.area, now.review.features[first].status) == (72, "edited")

    now = edited(store, run, actions.cut_from(now.review, second, box(30, 20, 32, 24)))
    assert now.review.features[second].outline.area == 20 - 8

    now = edited(store, run, actions.split_off(now.review, first, box(5, 4, 9, 10)))
    outside, inside = now.review.features[f"{first}a"], now.review.features[f"{first}b"]
    assert (outside.outline.area, inside.outline.area, inside.parents) == (48, 24, (first,))
    assert first not in now.review.features

    now = edited(store, run, actions.merge(now.review, [second, third]))
    merged = now.review.features[second]
    assert (merged.outline.area, merged.parents, third in now.review.features) == (12 + 9, (second, third), False)
    assert now.review.features[second].origin == "edited"


def test_it_is_told_what_became_of_what_is_gone(store: Store, run: str) -> None:
    first, second, third = ids(store, run)

    def told() -> dict[str, tuple[str, tuple[str, ...]]]:
        return fates(opened(store, run).review.log)

    now = edited(store, run, actions.merge(opened(store, run).review, [second, third]))
    assert told() == {third: ("merge", (second,))}
    now = edited(store, run, actions.split_off(now.review, first, box(5, 4, 9, 10)))
    assert told()[first] == ("split", (f"{first}a", f"{first}b"))
    edited(store, run, Edit("delete", (second,)))
    assert told()[second] == ("delete", ())
    edited(store, run, Edit("restore", (second,)))
    assert second not in told()
    log.undo(store, run, opened(store, run).features, ANNA)
    log.undo(store, run, opened(store, run).features, ANNA)
    assert second not in told(), "neither restored nor deleted"
    log.undo(store, run, opened(store, run).features, ANNA)
    assert told() == {third: ("merge", (second,))}


def test_merged_outlines_have_the_area_and_the_mean_probability_of_their_parts(store: Store, run: str) -> None:
    first, second, third = ids(store, run)
    before = opened(store, run).features
    areas = [before[name].values["area_px"] for name in (second, third)]
    means = [before[name].values["mean_probability"] for name in (second, third)]
    now = edited(store, run, actions.merge(opened(store, run).review, [second, third]))
    values = now.review.features[second].values
    assert areas == [20, 9]
    assert values == {"area_px": 29, "mean_probability": pytest.approx((20 * means[0] + 9 * means[1]) / 29)}
    assert means[1] < values["mean_probability"] < means[0]
    # A judgement does not change them; any other outline is none of which the model said something.
    now = edited(store, run, Edit("judge", (second,)))
    assert now.review.features[second].values == values
    now = edited(store, run, actions.cut_from(now.review, second, box(30, 20, 32, 24)))
    assert not now.review.features[second].values
    now = edited(store, run, actions.reshape(now.review, first, box(20, 18, 30, 24)))
    now = edited(store, run, actions.merge(now.review, [first, second]))
    assert not now.review.features[first].values


def test_what_was_deleted_is_restored_as_it_was(store: Store, run: str) -> None:
    first, second, third = ids(store, run)
    edited(store, run, Edit("judge", (first,), judgement="rejected", reason="road or building"))
    edited(store, run, Edit("delete", (first, second), note="twice"))
    # Somebody else can restore it, long after, without undoing anything.
    edited(store, run, Edit("judge", (third,)))
    now = edited(store, run, Edit("restore", (first, second)), BEN)
    assert statuses(now) == {third: "confirmed", first: "rejected", second: "unreviewed"}
    assert not now.review.deleted
    assert (now.review.features[first].reason, now.review.features[first].note) == ("road or building", "")
    assert (now.review.features[first].reviewer, now.review.features[second].reviewer) == (ANNA, "")
    assert now.review.log[-1].reviewer == BEN
    assert judged(now.review.log) == {first: "false alarm", third: "correct"}
    with pytest.raises(InputError, match="is not deleted"):
        edited(store, run, Edit("restore", (first,)))
    with pytest.raises(InputError, match="Nothing is selected"):
        edited(store, run, Edit("judge", ()))
    now = log_undone(store, run, BEN)
    assert now.review.deleted[first].note == "twice"
    assert set(now.review.deleted) == {first, second}
    assert judged(now.review.log)[first] == "deleted"
    # What it rests on cannot be undone while it is restored.
    edited(store, run, Edit("restore", (first,)), BEN)
    log.undo(store, run, opened(store, run).features, ANNA)  # the judgement of the third
    with pytest.raises(InputError, match="Ben changed this later"):
        log.undo(store, run, opened(store, run).features, ANNA)


def test_a_deletion_may_clear_a_reason_and_nothing_is_restored_over_another(store: Store, run: str) -> None:
    first, *_ = ids(store, run)
    edited(store, run, Edit("judge", (first,), judgement="rejected", reason="road or building"))
    assert edited(store, run, Edit("delete", (first,))).review.deleted[first].reason == "road or building"
    edited(store, run, Edit("restore", (first,)))
    assert edited(store, run, Edit("delete", (first,), reason="")).review.deleted[first].reason == ""
    # A page that was drawn before the deletion can draw another one of this name.
    edited(store, run, Edit("draw", made={first: mapping(box(40, 30, 44, 34))}), BEN)
    with pytest.raises(InputError, match="already in this review"):
        edited(store, run, Edit("restore", (first,)))
    assert opened(store, run).review.features[first].status == "added"


def log_undone(store: Store, run: str, reviewer: str) -> Opened:
    log.undo(store, run, opened(store, run).features, reviewer)
    return opened(store, run)


def test_parts_that_overlap_are_not_summed(store: Store, run: str) -> None:
    first, second, _ = opened(store, run).features.values()
    other = replace(second, outline=box(10, 4, 20, 10))
    assert merged_values([first, other], first.outline.union(other.outline)) == {}
    apart = replace(second, outline=box(15, 4, 20, 8))
    assert merged_values([first, apart], first.outline.union(apart.outline))["area_px"] == 80


def test_what_was_said_of_each_feature_is_known_from_the_log_alone(store: Store, run: str) -> None:
    first, second, third = ids(store, run)
    edited(store, run, Edit("judge", (first,)))
    edited(store, run, Edit("judge", (second, third), judgement="rejected"))
    now = edited(store, run, Edit("judge", (third,), judgement="unreviewed"))
    assert judged(now.review.log) == {first: "correct", second: "false alarm"}
    now = edited(store, run, actions.add_to(now.review, first, box(15, 4, 17, 10)))
    now = edited(store, run, Edit("judge", (first,)))
    assert judged(now.review.log)[first] == STATUSES[now.review.features[first].status] == "outline corrected"
    now = edited(store, run, actions.merge(now.review, [second, third]))
    assert judged(now.review.log) == {
        first: "outline corrected", second: "merged with another", third: "merged into another",
    }  # fmt: skip
    now = edited(store, run, Edit("delete", (first,)))
    assert judged(now.review.log)[first] == "deleted"
    undone = next(entry for entry in reversed(now.review.log) if entry.edit.op == "delete").number
    now = edited(store, run, Edit("undo", of=undone))
    assert judged(now.review.log)[first] == "outline corrected"
    now = edited(store, run, actions.split_off(now.review, first, box(5, 4, 9, 10)))
    now = edited(store, run, Edit("judge", (f"{first}a",), judgement="rejected"))
    assert judged(now.review.log) == {
        first: "split into others", second: "merged with another", third: "merged into another",
    }  # fmt: skip


def test_a_changed_outline_is_never_unreviewed(store: Store, run: str) -> None:
    first, second, third = ids(store, run)
    now = edited(store, run, actions.add_to(opened(store, run).review, first, box(15, 4, 17, 10)))
    for judgement, words in (("rejected", "false alarm"), ("unreviewed", "outline corrected")):
        now = edited(store, run, Edit("judge", (first, second), judgement=judgement))  # type: ignore[arg-type]
        assert judged(now.review.log)[first] == STATUSES[now.review.features[first].status] == words
    assert now.review.features[first].reviewer == ANNA
    assert (now.review.features[second].status, now.review.features[second].reviewer) == ("unreviewed", "")
    assert corrected_words(now) == "", "the status says enough"
    now = edited(store, run, actions.merge(now.review, [second, third]))
    assert corrected_words(now) == "In the inventory, the status “outline corrected” stands for: changed 1, merged 1."


def test_a_strip_across_an_outline_leaves_a_piece_on_each_side() -> None:
    pieces = split(box(0, 0, 30, 10), box(12, -5, 16, 15))
    assert [piece.bounds for piece in pieces] == [(16, 0, 30, 10), (0, 0, 12, 10), (12, 0, 16, 10)]
    # What lay apart before stays with the largest piece on its side, as does what is hardly there.
    apart = box(0, 20, 5, 25)
    first, second = split(MultiPolygon([box(0, 0, 30, 10), apart]), box(20, -5, 31, 15))
    assert first.equals(MultiPolygon([box(0, 0, 20, 10), apart]))
    assert second.equals(box(20, 0, 30, 10))
    first, second = split(box(0, 0, 30, 10), box(20, -5, 29.99, 15))
    assert [piece.area for piece in (first, second)] == pytest.approx([200.1, 99.9])


def test_a_strip_is_an_entry_of_its_own_between_two_others(store: Store, run: str) -> None:
    first, *_ = ids(store, run)
    left, bottom, right, top = opened(store, run).review.features[first].outline.bounds
    third = (right - left) / 3
    strip = box(left + third, bottom - 1, left + 1.5 * third, top + 1)
    now = edited(store, run, actions.split_off(opened(store, run).review, first, strip))
    assert {f"{first}{letter}" for letter in "abc"} <= set(now.review.features)


def test_outlines_that_are_far_apart_are_not_one_landslide(store: Store, run: str) -> None:
    first, second, third = ids(store, run)
    review = opened(store, run).review
    for far in (
        lambda: actions.merge(review, [first, second]),
        lambda: actions.merge(review, [second, third, first]),
        lambda: actions.add_to(review, third, box(2, 2, 4, 4)),
    ):
        with pytest.raises(InputError, match="too far apart to be one landslide"):
            far()
    assert actions.merge(review, [second, third]).ids == (second, third)
    # Whom a page offers to merge with is near enough.
    assert [actions.nearest(review, one) for one in (first, second, third)] == ["", third, second]


def test_what_changes_nothing_or_leaves_nothing_is_refused(store: Store, run: str) -> None:
    first, *_ = ids(store, run)
    review = opened(store, run).review
    for wrong, words in (
        (lambda: actions.cut_from(review, first, box(40, 30, 45, 35)), "does not overlap"),
        (lambda: actions.cut_from(review, first, box(0, 0, 50, 40)), "Nothing would remain"),
        (lambda: actions.split_off(review, first, box(0, 0, 50, 40)), "does not divide"),
        (lambda: actions.merge(review, [first, first]), "two or more features"),
        (lambda: actions.reshape(review, "L000", box(0, 0, 5, 5)), "There is no L000"),
    ):
        with pytest.raises(InputError, match=words):
            wrong()


def test_undo_and_redo_are_each_reviewers_own(store: Store, run: str) -> None:
    first, second, third = ids(store, run)
    edited(store, run, Edit("judge", (first,)))
    edited(store, run, Edit("delete", (second,)))
    edited(store, run, Edit("judge", (third,), judgement="rejected"), BEN)
    features = opened(store, run).features

    assert second in log.undo(store, run, features, ANNA).features
    assert log.undo(store, run, features, ANNA).features[first].status == "unreviewed"
    with pytest.raises(InputError, match="nothing to undo"):
        log.undo(store, run, features, ANNA)
    assert opened(store, run).review.features[third].status == "rejected"

    assert log.redo(store, run, features, ANNA).features[first].status == "confirmed"
    assert second not in log.redo(store, run, features, ANNA).features
    with pytest.raises(InputError, match="nothing to redo"):
        log.redo(store, run, features, ANNA)
    # Nothing was taken out of the log for it.
    assert [entry.number for entry in opened(store, run).review.log] == list(range(1, 9))


def test_an_outline_is_not_changed_under_what_somebody_else_said_of_it(store: Store, run: str) -> None:
    first, *_ = ids(store, run)
    edited(store, run, actions.add_to(opened(store, run).review, first, box(15, 4, 17, 10)))
    edited(store, run, Edit("judge", (first,)), BEN)
    with pytest.raises(InputError, match="Ben changed this later"):
        log.undo(store, run, opened(store, run).features, ANNA)
    assert opened(store, run).review.features[first].outline.area == 72


def test_a_reason_and_a_note_stay_until_they_are_given_anew(store: Store, run: str) -> None:
    first, *_ = ids(store, run)
    edited(store, run, Edit("judge", (first,), judgement="rejected", reason="road", note="A track."))
    told = edited(store, run, Edit("judge", (first,), judgement="rejected")).review.features[first]
    assert (told.reason, told.note) == ("road", "A track.")
    told = edited(store, run, Edit("judge", (first,), judgement="rejected", reason="", note="")).review.features[first]
    assert (told.reason, told.note) == ("", "")
    edited(store, run, Edit("judge", (first,), judgement="rejected", reason="road"))
    # Of what is correct there is no reason why it is wrong.
    assert edited(store, run, Edit("judge", (first,))).review.features[first].reason == ""


def test_another_edit_leaves_nothing_to_redo(store: Store, run: str) -> None:
    first, second, _ = ids(store, run)
    edited(store, run, Edit("judge", (first,)))
    log.undo(store, run, opened(store, run).features, ANNA)
    now = edited(store, run, Edit("judge", (second,)))
    assert now.review.to_redo(ANNA) is None


def test_what_later_edits_depend_on_cannot_be_undone(store: Store, run: str) -> None:
    first, *_ = ids(store, run)
    edited(store, run, actions.split_off(opened(store, run).review, first, box(5, 4, 9, 10)))
    edited(store, run, Edit("judge", (f"{first}a",)), BEN)
    with pytest.raises(InputError, match="Later edits depend on it"):
        log.undo(store, run, opened(store, run).features, ANNA)
    assert f"{first}a" in opened(store, run).review.features


def test_two_tabs_do_not_overwrite_each_other(store: Store, run: str) -> None:
    first, second, _ = ids(store, run)
    edited(store, run, Edit("judge", (first,)), BEN, seen=0)
    # Another feature, with what was seen before Ben's edit: taken.
    edited(store, run, Edit("judge", (second,)), ANNA, seen=0)
    with pytest.raises(ReviewConflictError, match="Ben changed this in the meantime"):
        edited(store, run, Edit("judge", (first,), judgement="rejected"), ANNA, seen=0)
    assert opened(store, run).review.features[first].status == "confirmed"
    number = opened(store, run).review.number
    now = edited(store, run, Edit("judge", (first,), judgement="rejected"), ANNA, seen=number)
    assert now.review.features[first].status == "rejected"


def test_two_reviews_that_begin_at_once_with_other_views_are_one(store: Store, run: str) -> None:
    now = opened(store, run, Choice(0.85))
    first, *_ = now.features
    edited(store, run, Edit("judge", (first,)), BEN)
    with pytest.raises(ReviewConflictError, match="with other settings"):
        append(store, run, now.features, Edit("judge", (first,)), reviewer=ANNA, seen=0, view=now.view_values)


def test_an_edit_needs_a_name_a_run_and_its_features(store: Store, run: str) -> None:
    first, *_ = ids(store, run)
    with pytest.raises(InputError, match="name of its reviewer"):
        edited(store, run, Edit("judge", (first,)), " \n ")
    with pytest.raises(InputError, match="no L999"):
        edited(store, run, Edit("judge", ("L999",)))
    with pytest.raises(InputError, match="No such run"):
        append(store, "f" * 32, {}, Edit("judge", (first,)), reviewer=ANNA, seen=0)
    assert opened(store, run).review.number == 0


def test_a_review_goes_with_its_run(store: Store, run: str) -> None:
    first, *_ = ids(store, run)
    edited(store, run, Edit("judge", (first,)))
    assert log.reviewed_runs(store) == {run: 2}
    store.delete(run)
    assert log.reviewed_runs(store) == {}


def test_an_edit_of_a_newer_version_is_said_to_be_one(store: Store, run: str) -> None:
    with store.database.write() as session:
        session.add(ReviewRow(run_id=run, number=1, created=0.0, reviewer=ANNA, edit={"op": "rotate"}))
    with pytest.raises(StorageError, match="cannot be read"):
        opened(store, run)


def test_an_edit_comes_back_from_the_log_as_it_was() -> None:
    outline = shapely.geometry.mapping(box(0, 0, 2, 1))
    for edit in (
        Edit("begin", view={"threshold": 0.5}),
        Edit("judge", ("L1",), judgement="rejected", reason="road", note="A track."),
        Edit("split", ("L1",), {"L1a": dict(outline), "L1b": dict(outline)}),
        Edit("examined", examined=False),
        Edit("undo", of=3),
    ):
        again = Edit.from_json(edit.to_json())
        assert again.to_json() == edit.to_json()
        assert (again.op, again.ids, again.judgement, again.examined, again.of) == (
            edit.op, edit.ids, edit.judgement, edit.examined, edit.of,
        )  # fmt: skip
