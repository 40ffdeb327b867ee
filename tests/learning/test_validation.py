"""What models scored on which data: the words, and the order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.learning.store import StoredModel
from core.learning.validation import by_validation, data_set_of, validation_of
from tests.factories import tiny_spec


def model(name: str, score: float | None, data_set: str = "", images: int = 0) -> StoredModel:
    scores: dict[str, Any] = {} if score is None else {"validation": {"f1": score}}
    training = {"data_set": data_set, "images_validation": images}
    return StoredModel(tiny_spec(name, scores=scores, training=training), Path(name))


def test_a_score_has_its_name_and_says_on_what_it_was_reached() -> None:
    known = validation_of(tiny_spec(
        scores={"validation": {"ap50": 0.4177, "f1": 0.48}},
        training={"data_set": "Landslide4Sense", "images_validation": 1396},
    ))  # fmt: skip

    assert known is not None
    assert known.text == "AP50 0.42"
    assert known.scored_on == "1,396 validation images of Landslide4Sense"


def test_without_a_score_there_is_none_and_an_unrecorded_data_set_is_said() -> None:
    assert validation_of(tiny_spec()) is None
    known = validation_of(tiny_spec(scores={"validation": {"f1": 0.5}}))
    assert known is not None
    assert known.scored_on == "validation images of an unrecorded data set"


@pytest.mark.parametrize(
    ("training", "name"),
    [({"data_set": "Short", "data": "Long, and more"}, "Short"), ({"data": "Long (train part), 10 m"}, "Long"),
     ({"data": "Landslide4Sense, RGB patches"}, "Landslide4Sense"), ({}, "")],
)  # fmt: skip
def test_a_data_set_without_a_short_name_is_called_by_the_beginning_of_its_title(
    training: dict[str, str], name: str
) -> None:
    assert data_set_of(tiny_spec(training=training)) == name


def test_scores_order_only_models_of_one_data_set() -> None:
    """The data set of most images comes first, whatever was scored on others; then what was not scored on it."""
    models = [
        model("aerial", 0.79, "aerial", 6), model("fresh", None, "satellite"), model("best", 0.7, "satellite", 396),
        model("second", 0.6, "satellite", 390), model("stranger", 0.9), model("another", 0.1),
    ]  # fmt: skip

    names = [one.spec.name for one in by_validation(models)]

    assert names == ["best", "second", "fresh", "aerial", "another", "stranger"]
