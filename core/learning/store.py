"""The models that ship and those trained later: a folder each, read only when its weights are what the spec says."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ModelError
from core.learning.spec import NAME, ModelSpec
from core.learning.validation import by_validation

if TYPE_CHECKING:
    from torch import Tensor, nn

log = logging.getLogger(__name__)

MODELS = Path(__file__).resolve().parents[2] / "models"
WEIGHTS = "weights.safetensors"
SEEN = "seen.txt"
SEEN_LENGTH = 16
"""Hexadecimal digits kept of each digest in ``seen.txt``: 64 bits, enough to tell thousands of scenes apart."""


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


@dataclass(frozen=True)
class StoredModel:
    """A model folder whose spec was read; weights are checked and read by `load_weights`."""

    spec: ModelSpec
    folder: Path

    @property
    def identity(self) -> str:
        """Digest of the weights and of all that decides what network they fill."""
        spec = self.spec
        made = (spec.weights_sha256, spec.architecture, spec.encoder, sorted(spec.options.items()), spec.upscale)
        return hashlib.sha256(repr((*made, spec.bands)).encode()).hexdigest()

    @property
    def card(self) -> str:
        """The model card as Markdown, empty when there is none."""
        path = self.folder / "README.md"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def has_seen(self, digest: str) -> bool:
        """Whether a scene of this digest was used to fit or to choose the model."""
        return digest[:SEEN_LENGTH] in _seen(self.folder)

    def load_weights(self) -> dict[str, Tensor]:
        """Read the weights as float32.

        Raises
        ------
        ModelError
            When the file is missing, its digest is not the spec's, or it holds no weights.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load

        path = self.folder / WEIGHTS
        if not path.is_file():
            raise ModelError(
                f"Model {self.spec.name} has a description but no weights.",
                f"{WEIGHTS} is missing from its folder.",
                "Restore it from the repository, or train the model again.",
            )
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.spec.weights_sha256:
            raise ModelError(
                f"The weights of model {self.spec.name} are not the ones it was scored with.",
                "Their SHA-256 differs from the one in model.toml.",
                "Restore the file, or train the model again.",
            )
        try:
            weights = load(content)
        except SafetensorError as error:
            raise ModelError(f"The weights of model {self.spec.name} cannot be read.", str(error)) from error
        return {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}

    def load_network(self, build: Callable[[ModelSpec], nn.Module]) -> nn.Module:
        """The network with its weights, on the CPU, in evaluation mode.

        Parameters
        ----------
        build
            The task's function from a spec to an untrained network.

        Raises
        ------
        ModelError
            When weights are missing or altered, or their names and shapes are not the network's.
        """
        network = build(self.spec)
        try:
            network.load_state_dict(self.load_weights(), strict=True)
        except RuntimeError as error:
            raise ModelError(
                f"The weights of model {self.spec.name} do not fit its architecture.", str(error)[:500]
            ) from error
        return network.eval()


def keep_weights(
    folder: Path, weights: Mapping[str, Tensor], seen: Iterable[str], *, half: bool, whole: str = ""
) -> str:
    """Write a trained model's weights into its folder, with the digests of the images that it has seen.

    Parameters
    ----------
    weights, half
        By the names that the spec's network has; floating-point ones in half precision where asked.
    whole
        Beginning of names that keep their precision nevertheless; none where empty.
    seen
        Content digests of all images that fitted or chose it.

    Returns
    -------
    SHA-256 of the weights' file, for the spec.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)

    def halved(name: str, value: Tensor) -> bool:
        return half and value.is_floating_point() and not (whole and name.startswith(whole))

    kept = {name: (v.half() if halved(name, v) else v).contiguous() for name, v in weights.items()}
    save_file(kept, folder / WEIGHTS)
    lines = sorted({digest[:SEEN_LENGTH] for digest in seen})
    (folder / SEEN).write_text("\n".join(lines) + "\n", encoding="ascii")
    return sha256(folder / WEIGHTS)


@lru_cache(maxsize=32)
def _seen(folder: Path) -> frozenset[str]:
    path = folder / SEEN
    return frozenset(path.read_text(encoding="ascii").split()) if path.exists() else frozenset()


def models_folder() -> Path:
    """Where models are kept: ``SLIDELENS_MODELS``, else the folder ``models`` that ships."""
    return Path(os.environ.get("SLIDELENS_MODELS") or MODELS)


def list_models(task: str, root: Path | None = None) -> tuple[StoredModel, ...]:
    """Models of a task by the data set of their validation, the best on it first; see `by_validation`."""
    folder = (root or models_folder()) / task
    models = []
    for path in sorted(folder.glob("*/model.toml")) if folder.is_dir() else []:
        try:
            models.append(StoredModel(_spec(path), path.parent))
        except ModelError:
            # One damaged folder must not hide the others; asking for it by name says what is wrong with it.
            log.warning("model folder %s is not listed", path.parent, exc_info=True)

    return tuple(by_validation(models))


def find_model(task: str, name: str, root: Path | None = None) -> StoredModel:
    """One model by name.

    Raises
    ------
    ModelError
        When the name is malformed or no such model exists; the message lists those that do.
    """
    folder = (root or models_folder()) / task / name if NAME.fullmatch(name) else None
    if folder is None or not (folder / "model.toml").is_file():
        names = ", ".join(model.spec.name for model in list_models(task, root)) or "none"
        raise ModelError(f"There is no {task} model {name!r}.", remedy=f"Available models: {names}.")
    return StoredModel(_spec(folder / "model.toml"), folder)


def _spec(path: Path) -> ModelSpec:
    """A model's description, read again only when its file is another."""
    stat = path.stat()
    return _read_spec(path, stat.st_mtime_ns, stat.st_size, stat.st_ino)


@lru_cache(maxsize=128)
def _read_spec(path: Path, *which: int) -> ModelSpec:
    del which  # what makes a changed file another one
    return ModelSpec.from_toml(path)
