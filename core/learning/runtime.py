"""Running a trained network on batches of windows: ONNX Runtime on the CPU, PyTorch on a GPU and where export fails.

Exported graphs are kept by the digest of the weights, so that a model is exported once per machine.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.learning.store import StoredModel

if TYPE_CHECKING:
    from torch import nn

    from core.learning.spec import ModelSpec

log = logging.getLogger(__name__)

_OPENING = threading.Lock()

Engine = Literal["auto", "onnx", "torch"]
Build = Callable[["ModelSpec"], "nn.Module"]


class Runtime(Protocol):
    """Something that turns normalised windows into logits."""

    name: str
    threads: int

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits (batch, 1, height, width) of normalised windows (batch, bands, height, width)."""


def default_threads() -> int:
    """Threads for one inference: ``SLIDELENS_THREADS``, else the cores this process may use."""
    given = os.environ.get("SLIDELENS_THREADS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def use_threads(threads: int) -> None:
    """Let PyTorch work with so many threads, in the whole process: what is said of threads must be what was used."""
    import torch

    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


@dataclass
class TorchRuntime:
    """Eager PyTorch, on the accelerator when there is one."""

    network: nn.Module
    threads: int
    name: str = "torch"

    def __post_init__(self) -> None:
        import torch

        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.name = f"torch {torch.__version__} ({self._device.type})"

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        import torch

        use_threads(self.threads)
        with torch.inference_mode():
            inputs = torch.from_numpy(np.ascontiguousarray(batch)).to(self._device, memory_format=torch.channels_last)
            result: NDArray[np.float32] = self.network(inputs).float().cpu().numpy()
        return result


class OnnxRuntime:
    """ONNX Runtime on the CPU.

    Parameters
    ----------
    graph
        Path of an exported graph with dynamic batch, height and width.
    threads
        Threads within one operator.
    """

    def __init__(self, graph: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Planned by shape, memory grew by a third as soon as a batch of another size came, and nothing was faster.
        options.enable_mem_pattern = False
        # Waiting threads that spin keep a shared server's cores from everybody else.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self.threads = threads
        self.name = f"onnxruntime {onnxruntime.__version__}"

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        result: NDArray[np.float32] = self._session.run(None, {self._input: np.ascontiguousarray(batch)})[0]
        return result


def export(network: nn.Module, bands: int, tile: int, path: Path) -> None:
    """Write a network as an ONNX graph with dynamic batch, height and width; whole or not at all.

    The graph is checked against PyTorch on another batch and window size than it was traced with: twice the width,
    which suits every network that the tile suits.

    Raises
    ------
    RuntimeError
        When the two differ by more than 1e-3 in a logit.
    """
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(f".{os.getpid()}.part")
    axes = {0: "batch", 2: "height", 3: "width"}
    generator = torch.Generator().manual_seed(0)
    try:
        with warnings.catch_warnings():
            # PyTorch would rather have its newer exporter used, which needs a package more; what this one makes
            # is checked below, and a network that it cannot export runs in PyTorch.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network, (torch.randn(2, bands, tile, tile, generator=generator),), str(aside),
                input_names=["images"], output_names=["logits"], dynamic_axes={"images": axes, "logits": axes},
                opset_version=17, dynamo=False,
            )  # fmt: skip
        sample = torch.randn(1, bands, tile, 2 * tile, generator=generator)
        with torch.inference_mode():
            expected = network(sample).numpy()
        difference = float(np.abs(OnnxRuntime(aside, 1).logits(sample.numpy()) - expected).max())
        if difference > 1e-3:
            raise RuntimeError(f"the exported graph differs by {difference:.2g} from the network")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def open_runtime(
    model: StoredModel, build: Build, cache: Path, engine: Engine = "auto", threads: int | None = None
) -> Runtime:
    """Runtime for a stored model, kept for later calls.

    Parameters
    ----------
    model
        Model whose weights are checked and read.
    build
        The task's function from a spec to an untrained network.
    cache
        Folder for exported graphs.
    engine
        ``"onnx"``, ``"torch"``, or ``"auto"``: PyTorch on a GPU, else ONNX Runtime, else PyTorch.
    threads
        Threads of one inference; by default the cores this process may use.

    Raises
    ------
    ModelError
        When weights are missing, altered or do not fit.
    """
    return _open(model.folder, model.identity, model, build, cache, engine, threads or default_threads())


class _Unhashed:
    """Carries arguments past the cache key, which is the folder, the digest, the engine and the threads."""

    def __init__(self, model: StoredModel, build: Build) -> None:
        self.model, self.build = model, build

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unhashed)

    def __hash__(self) -> int:
        return 0


def _open(
    folder: Path, digest: str, model: StoredModel, build: Build, cache: Path, engine: Engine, threads: int
) -> Runtime:
    # Sessions are threads of one process: the second to ask waits for the first one's export.
    with _OPENING:
        return _cached(folder, digest, cache, engine, threads, _Unhashed(model, build))


def _exported(network: nn.Module, spec: ModelSpec, graph: Path, threads: int) -> OnnxRuntime:
    """A runtime of the kept graph, exported first where there is none or the one that is there does not load."""
    if graph.exists():
        try:
            return OnnxRuntime(graph, threads)
        except Exception:
            log.exception("the graph %s does not load and is exported again", graph.name)
    export(network, len(spec.bands), spec.tile, graph)
    return OnnxRuntime(graph, threads)


@lru_cache(maxsize=4)
def _cached(folder: Path, digest: str, cache: Path, engine: Engine, threads: int, carried: _Unhashed) -> Runtime:
    import torch

    del folder
    model = carried.model
    network = model.load_network(carried.build)
    if engine == "torch" or (engine == "auto" and torch.cuda.is_available()):
        return TorchRuntime(network, threads)
    graph = cache / f"{digest}.onnx"
    try:
        return _exported(network, model.spec, graph, threads)
    except Exception:
        if engine == "onnx":
            raise
        # Exporters fail in ways of their own for some architectures; the answer is the same, only slower.
        log.exception("model %s cannot be exported and runs in PyTorch", model.spec.name)
        return TorchRuntime(network, threads)
