"""A training by command line is a run: seen while it works, stopped from elsewhere, and kept with its scores."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from core.cli.main import main
from core.explain.layer_tests import layer_tests_in
from core.learning.store import find_model
from core.runs.records import Run
from core.runs.store import Store
from tests.factories import deep_weights, tiny_spec, write_model, write_squares
from tests.learning.test_config import TEXT

PHASE = "[[phase]]\nepochs = {epochs}\nrate = 0.3\nbatch = 4\naverage = 0.5\npatience = 100000\n"


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return write_squares(tmp_path / "data")


@pytest.fixture(autouse=True)
def _models(models: Path, store: Store) -> None:
    """Where models and runs are kept."""


def description(folder: Path, epochs: int) -> Path:
    path = folder / "tiny.toml"
    losses = "tune_share = 0.3\n[loss.dice]\n[loss.cross_entropy]\n"
    phases = PHASE.format(epochs=epochs) + "[[phase]]\nepochs = 2\n"
    path.write_text(TEXT.split("[training]")[0].replace("[loss.dice]", losses) + phases)
    return path


def run(*arguments: object) -> int:
    return main(["mapping", *map(str, arguments)])


def test_a_training_is_a_run_with_its_validation_scores(
    tmp_path: Path, store: Store, squares: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = description(tmp_path, 12)

    assert run("train", path, "--data", squares, "--tag", "squares") == 0

    [made] = store.runs()
    spec = find_model("mapping", "tiny").spec
    assert (made.kind, made.status, made.model, made.seed) == ("training", "done", "tiny", 0)
    assert (made.name, made.tags) == ("Training of tiny", ("squares",))
    assert made.weights_sha256 == spec.weights_sha256
    assert made.metrics == spec.scores["validation"]
    assert made.parameters["config"]["phases"][0]["schedule"]["epochs"] == 12
    assert store.artifact(made.id, "model").path.read_text("utf-8") == spec.to_toml()
    provenance = store.provenance(made.id)
    assert provenance["training"]["images_fit"] == 7
    assert provenance["description"]["name"] == "tiny.toml"
    assert provenance["versions"]["torch"]

    assert run("card", path, "--data", squares, "--keep-scores") == 0
    card = store.runs()[0]
    assert (card.name, card.metrics, card.weights_sha256) == ("Card of tiny", made.metrics, made.weights_sha256)

    capsys.readouterr()
    assert run("measure-training", path, "--data", squares) == 0
    assert '"tile": 32, "fitted": 14, "tuned": 6' in capsys.readouterr().out

    # One convolution has no layer within: it is trained all the same, and its card says so.
    assert "The layers of this model have not been tested." in find_model("mapping", "tiny").card
    assert run("faithfulness", path, "--data", squares) == 2
    assert "no inner layer" in capsys.readouterr().err


def test_the_layers_of_a_model_are_tested_on_its_tuning_images(
    tmp_path: Path, store: Store, models: Path, squares: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(models, tiny_spec("tiny", encoder="deep"), deep_weights())

    assert run("faithfulness", description(tmp_path, 1), "--data", squares) == 0

    told = json.loads(capsys.readouterr().out)
    tests = layer_tests_in(find_model("mapping", "tiny").spec.explanation)
    assert tests is not None
    # Each of the three tuning images holds one square, as red as the network takes landslides to be.
    assert (tests.places, told["places"], tests.best.held) == (3, 3, 3)
    assert told["margin"] == tests.best.margin > 0
    assert tests.command == f"python -m core mapping faithfulness {tmp_path / 'tiny.toml'} --data DATA"
    assert store.runs()[0].name == "Faithfulness of explanations of tiny"


def test_scores_on_the_part_that_chose_the_epoch_do_not_pass_for_validation(
    tmp_path: Path, store: Store, squares: Path
) -> None:
    assert run("train", description(tmp_path, 2), "--data", squares, "--no-card") == 0

    [made] = store.runs()
    assert "f1" not in made.metrics
    assert made.metrics["tuning_f1"] == find_model("mapping", "tiny").spec.scores["tuning"]["f1"]


def test_a_training_without_the_store_leaves_only_the_model(tmp_path: Path, store: Store, squares: Path) -> None:
    assert run("train", description(tmp_path, 1), "--data", squares, "--no-card", "--no-store") == 0
    assert store.runs() == []
    assert find_model("mapping", "tiny").spec.weights_sha256


def test_a_training_is_stopped_between_two_epochs_by_whoever_sees_it(
    tmp_path: Path, store: Store, squares: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Run] = []

    def cancel() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for made in store.active():
                if made.progress.words.startswith("Epoch"):
                    seen.append(made)
                    store.cancel(made.id)
                    return
            time.sleep(0.05)

    thread = threading.Thread(target=cancel)
    thread.start()
    status = run("train", description(tmp_path, 100_000), "--data", squares, "--work", tmp_path / "work")
    thread.join()

    assert status == 2
    assert "The training was cancelled. Its checkpoint was kept." in capsys.readouterr().err
    assert [made.status for made in seen] == ["running"]
    assert seen[0].progress.total == 100_002  # of both phases
    [made] = store.runs()
    assert (made.status, made.artifacts) == ("cancelled", ())
    assert (tmp_path / "work" / "tiny-1.pt").is_file()
