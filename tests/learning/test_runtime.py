"""The compiled network answers as the network itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.learning import runtime as runtimes
from core.learning.runtime import OnnxRuntime, TorchRuntime, export, open_runtime
from core.learning.segmentation import Upscaled, build_network, network_of
from tests.factories import deep_weights, tiny_spec, write_model


@pytest.fixture
def batch() -> np.ndarray:
    return np.random.default_rng(0).random((3, 3, 64, 96), dtype=np.float32)


def test_both_engines_give_four_times_red_less_two_at_any_size(
    models: Path, tmp_path: Path, batch: np.ndarray
) -> None:
    model = write_model(models, tiny_spec(encoder="deep"), deep_weights())

    for engine, kind in (("onnx", OnnxRuntime), ("torch", TorchRuntime)):
        runtime = open_runtime(model, network_of, tmp_path / "graphs", engine, threads=1)
        assert isinstance(runtime, kind)
        np.testing.assert_allclose(runtime.logits(batch), 4 * batch[:, :1] - 2, atol=1e-5)


def test_a_graph_is_exported_once_and_kept_by_the_digest_of_the_weights(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_model(models, tiny_spec(encoder="deep"), deep_weights())
    open_runtime(model, network_of, tmp_path / "graphs", "onnx", threads=1)

    assert [path.name for path in (tmp_path / "graphs").iterdir()] == [f"{model.identity}.onnx"]
    monkeypatch.setattr(runtimes, "export", lambda *_: pytest.fail("exported again"))
    open_runtime(model, network_of, tmp_path / "graphs", "onnx", threads=2)


def test_a_runtime_is_made_once_for_a_model(models: Path, tmp_path: Path) -> None:
    model = write_model(models, tiny_spec())

    one = open_runtime(model, network_of, tmp_path, "torch", threads=1)

    assert open_runtime(model, network_of, tmp_path, "torch", threads=1) is one


def test_a_network_that_cannot_be_exported_runs_in_torch(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: np.ndarray
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(runtimes, "export", fail)
    model = write_model(models, tiny_spec(encoder="deep"), deep_weights())

    runtime = open_runtime(model, network_of, tmp_path / "graphs", "auto", threads=1)

    assert isinstance(runtime, TorchRuntime)
    np.testing.assert_allclose(runtime.logits(batch), 4 * batch[:, :1] - 2, atol=1e-5)
    with pytest.raises(RuntimeError, match="no such operator"):
        open_runtime(model, network_of, tmp_path / "graphs", "onnx", threads=1)


class _Forgetful(nn.Module):
    """Remembers the size it was traced with, as a careless network does."""

    def forward(self, images: Tensor) -> Tensor:
        width = int(images.shape[-1])
        return images[:, :1] * width


def test_a_graph_that_differs_from_its_network_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="differs"):
        export(_Forgetful(), 3, 32, tmp_path / "graph.onnx")

    assert list(tmp_path.iterdir()) == []


def test_a_network_that_reduces_its_input_is_exported_as_well(tmp_path: Path) -> None:
    inner = build_network("unet", "mobilenet_v2", 3, {"encoder_depth": 3, "decoder_channels": (8, 8, 8)})
    network = Upscaled(inner, 0.25).eval()

    export(network, 3, 64, tmp_path / "graph.onnx")

    images = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = network(images).numpy()
    np.testing.assert_allclose(OnnxRuntime(tmp_path / "graph.onnx", 1).logits(images.numpy()), expected, atol=1e-4)
