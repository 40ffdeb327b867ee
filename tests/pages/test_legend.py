"""The legend beside a picture: the words and colours of the map's own."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from core.plots.colours import FALSE_POSITIVE, MISSED, TRUE_POSITIVE


def card() -> None:
    """A script that shows a model's card."""
    from core.learning.store import find_model
    from ui.task.form import show_limits

    show_limits(find_model("mapping", "unet-regnety"), "", "failures.png", "Columns.")


def test_the_picture_of_a_models_errors_stands_in_its_card_with_a_key() -> None:
    page = AppTest.from_function(card, default_timeout=60).run()
    assert not page.exception
    (key,) = [one.proto.body for one in page.get("html")]
    for colour, words in ((TRUE_POSITIVE, "Correct"), (FALSE_POSITIVE, "False alarm"), (MISSED, "Missed")):
        assert key.index(colour) < key.index(words)
    (picture,) = [one for group in page.get("image") for one in group.proto.imgs]
    assert picture.caption == "Validation images with the model's largest errors. Columns."
    before, after = (part.value for part in page.markdown)
    assert before.rstrip().endswith("The worst validation images, by missed and by false-alarm pixels:")
    assert after.lstrip().startswith("## Model")
    assert f"{before}\n{after}".count("failures.png") == 0
