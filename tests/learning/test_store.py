"""Models are used only when their weights are the ones that were scored."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.errors import ModelError
from core.learning.segmentation import network_of
from core.learning.store import StoredModel, find_model, list_models, models_folder, sha256
from tests.factories import red_weights, tiny_spec, write_model


def test_a_model_gives_its_network_in_evaluation_mode_with_its_weights(models: Path) -> None:
    write_model(models, tiny_spec("red"))

    network = find_model("mapping", "red").load_network(network_of)

    assert not network.training
    red = torch.tensor([0.25, 0.9, 0.9]).view(1, 3, 1, 1)
    assert torch.sigmoid(network(red)).item() == pytest.approx(0.25)


def test_weights_in_half_precision_are_read_as_single(models: Path) -> None:
    halves = {key: value.half() for key, value in red_weights().items()}

    weights = write_model(models, tiny_spec(), halves).load_weights()

    assert {value.dtype for value in weights.values()} == {torch.float32}


def test_a_description_without_weights_says_what_is_missing(models: Path) -> None:
    model = write_model(models, tiny_spec())
    (model.folder / "weights.safetensors").unlink()

    with pytest.raises(ModelError, match=r"weights\.safetensors is missing"):
        model.load_weights()


def test_weights_with_another_digest_are_never_used(models: Path) -> None:
    model = write_model(models, tiny_spec())
    path = model.folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")

    with pytest.raises(ModelError, match="SHA-256"):
        model.load_weights()


def test_weights_that_do_not_fit_the_architecture_are_refused(models: Path) -> None:
    other_shape = write_model(models, tiny_spec("shape"), red_weights(bands=4))
    other_names = write_model(models, tiny_spec("names"), {"other": torch.zeros(1)})
    too_many = write_model(models, tiny_spec("many"), {**red_weights(), "extra": torch.zeros(1)})

    for model in (other_shape, other_names, too_many):
        with pytest.raises(ModelError, match="do not fit"):
            model.load_network(network_of)


def test_a_file_that_holds_no_weights_is_refused_even_with_its_right_digest(models: Path) -> None:
    model = write_model(models, tiny_spec())
    path = model.folder / "weights.safetensors"
    path.write_bytes(b"not tensors at all")
    described = replace(model.spec, weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest())

    with pytest.raises(ModelError, match="cannot be read"):
        StoredModel(described, model.folder).load_weights()


@pytest.mark.parametrize("name", ["../red", "red/../red", "/etc/passwd", "", "RED", "re d", "red\x00", "no-such", ".."])
def test_a_name_that_is_none_of_the_models_is_answered_with_those_that_are(models: Path, name: str) -> None:
    write_model(models, tiny_spec("red"))

    with pytest.raises(ModelError, match="Available models: red"):
        find_model("mapping", name)


def test_a_folder_outside_the_models_cannot_be_named(models: Path) -> None:
    write_model(models, tiny_spec("red"))
    write_model(models / "mapping" / "nested", tiny_spec("inner"))

    with pytest.raises(ModelError, match="no mapping model"):
        find_model("mapping", "nested/mapping/inner")


def test_models_are_listed_the_best_first_and_untested_ones_last(models: Path) -> None:
    for name, scores in (("poor", {"validation": {"f1": 0.4}}), ("new", {}), ("good", {"validation": {"f1": 0.7}})):
        write_model(models, tiny_spec(name, scores=scores, training={"data": "One data set"}))

    assert [model.spec.name for model in list_models("mapping")] == ["good", "poor", "new"]


def test_without_any_model_the_list_is_empty_and_the_message_says_so(models: Path) -> None:
    assert models_folder() == models
    assert list_models("mapping") == ()
    with pytest.raises(ModelError, match="Available models: none"):
        find_model("mapping", "red")


def test_a_model_knows_the_scenes_it_was_trained_on(models: Path) -> None:
    model = write_model(models, tiny_spec(), seen=["a" * 64])

    assert model.has_seen("a" * 64)
    assert model.has_seen("a" * 16 + "b" * 48)
    assert not model.has_seen("b" * 64)
    assert not write_model(models, tiny_spec("other")).has_seen("a" * 64)


def test_the_card_is_the_folders_readme_or_nothing(models: Path) -> None:
    model = write_model(models, tiny_spec())
    assert model.card == ""
    (model.folder / "README.md").write_text("# Red\n", encoding="utf-8")
    assert model.card == "# Red\n"


def test_a_digest_is_that_of_the_files_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")

    # FIPS 180-2, appendix B.1.
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
