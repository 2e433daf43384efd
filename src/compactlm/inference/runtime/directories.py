"""Find the directories of finished models and read their config.json."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from pathlib import Path
from typing import Any, Literal, get_args

from compactlm.errors import CompactLMError
from compactlm.tasks import task_of_config
from compactlm.tasks.base import TaskOfModel

MLM, EMBEDDING = "mlm", "embedding"  # directories next to the directories of the tasks
Backend = Literal["auto", "torch", "onnx", "int8"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)
FLOAT_FILE, INT8_FILE = "onnx/model.onnx", "onnx/model_quantized.onnx"  # the paths that transformers.js expects
FILES = {"torch": "model.safetensors", "onnx": FLOAT_FILE, "int8": INT8_FILE}
PLACES = (Path("models/export"), Path("models/student"))  # the directories that the pipeline writes
VARIABLE = "COMPACTLM_MODEL"
HOW = "run `make train`, or pass the directory of a finished model with --model"


def default_root(backend: Backend) -> Path:
    """Return the directory in COMPACTLM_MODEL, or the pipeline's directory for a backend.

    Raises:
        CompactLMError: there is none.
    """
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    places = PLACES[::-1] if backend == "torch" else PLACES
    for place in places:
        if place.is_dir():
            return place
    raise CompactLMError(f"there is no model in {' or '.join(map(str, places))}; {HOW}")


def tasks(root: Path) -> list[str]:
    """Return the names of the tasks that have a model in `root`."""
    found = (path.parent.name for path in root.glob("*/config.json"))
    return sorted(name for name in found if name not in (MLM, EMBEDDING))


@dataclasses.dataclass(frozen=True)
class ModelDirectory:
    """The directory of one model, and the parts of its config.json that inference needs.

    Attributes:
        path: the directory.
        backend: which backend runs the model.
        vocabulary_size: number of tokens.
        width: size of a hidden state.
        limit: the maximum number of tokens that the model accepts.
        labels: the labels of a task, in the order of the outputs; LABEL_0, LABEL_1 and so on if config.json has none.
        config: the content of config.json.
    """

    path: Path
    backend: Literal["torch", "onnx", "int8"]
    vocabulary_size: int
    width: int
    limit: int
    labels: tuple[str, ...]
    config: dict[str, Any] = dataclasses.field(repr=False, compare=False)

    @property
    def weights(self) -> Path:
        """The file with the weights."""
        return self.path / FILES[self.backend]

    @functools.cached_property
    def task(self) -> TaskOfModel:
        """The task of the model.

        Raises:
            CompactLMError: the model does not belong to a kind of task.
        """
        return _task(self.config, self.path)


def read_task(path: Path) -> TaskOfModel:
    """Return the task of the model in a directory.

    Raises:
        CompactLMError: config.json cannot be read, or the model does not belong to a kind of task.
    """
    return _task(_config(path / "config.json"), path)


def _task(config: dict[str, Any], path: Path) -> TaskOfModel:
    _labels(config, path)  # names the damage
    try:
        return task_of_config(config)
    except CompactLMError as error:
        raise CompactLMError(f"{path} has no model of a task: {error}") from None
    except (TypeError, ValueError, AttributeError):
        raise CompactLMError(f"{path}/config.json is damaged; copy the model again") from None


def open_directory(path: Path, backend: Backend) -> ModelDirectory:
    """Read a model's config.json and choose the backend; "auto" takes ONNX if there is an ONNX file.

    Raises:
        CompactLMError: the directory has no model, or a damaged one.
    """
    if not path.is_dir():
        raise CompactLMError(f"there is no model in {path}; {HOW}")
    config = _config(path / "config.json")
    if config.get("model_type") != "bert":
        raise CompactLMError(f"{path}/config.json has model_type {config.get('model_type')!r}; pass the directory of a BERT")
    order: tuple[Literal["torch", "onnx", "int8"], ...] = ("onnx", "torch", "int8")
    candidates = [name for name in order if backend in ("auto", name)]
    found = [name for name in candidates if (path / FILES[name]).is_file()]
    if not found:
        how = "pass a directory that has it, such as models/student, with --model"
        if backend != "torch":
            how = "run `dvc repro export`, or choose another --backend or --model"
        raise CompactLMError(f"{path} has no {' or '.join(FILES[name] for name in candidates)}; {how}")
    return ModelDirectory(
        path=path,
        backend=found[0],
        vocabulary_size=_count(config, "vocab_size", path),
        width=_count(config, "hidden_size", path),
        limit=_count(config, "max_position_embeddings", path),
        labels=_labels(config, path),
        config=config,
    )


def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CompactLMError(f"{path} is missing, so {path.parent} has no model; {HOW}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise CompactLMError(f"{path} cannot be read ({error}); restore it with `dvc checkout`, or copy the model again") from None
    return config if isinstance(config, dict) else {}


def _count(config: dict[str, Any], key: str, path: Path) -> int:
    value = config.get(key)
    if not isinstance(value, int) or value < 3:
        raise CompactLMError(f"{path}/config.json has no usable {key} ({value!r}); copy the model again")
    return value


def _labels(config: dict[str, Any], path: Path) -> tuple[str, ...]:
    labels = config.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
    if not isinstance(labels, dict) or set(labels) != {str(number) for number in range(len(labels))}:
        raise CompactLMError(f"{path}/config.json has no id2label with the keys 0, 1 and so on; copy the model again")
    return tuple(str(labels[str(number)]) for number in range(len(labels)))


def find_base(root: Path) -> ModelDirectory:
    """Return the model that fine-tuning starts from: the sentence encoder if it has weights, else the masked language model.

    Raises:
        CompactLMError: there is neither.
    """
    encoder = (root / EMBEDDING / FILES["torch"]).is_file()
    return find(root, EMBEDDING if encoder else MLM, "torch")


def find(root: Path, name: str, backend: Backend) -> ModelDirectory:
    """Return the model `name` (mlm, embedding or a task) in a directory of models. A root with a config.json is the model itself.

    Raises:
        CompactLMError: there is no such model.
    """
    if (root / "config.json").exists():
        return open_directory(root, backend)
    if not root.is_dir():
        raise CompactLMError(f"there is no model in {root}; {HOW}")
    if name not in {path.name for path in root.iterdir() if path.is_dir()}:  # a path such as .. or an absolute one is no name
        if name in (MLM, EMBEDDING):
            raise CompactLMError(f"{root} has no model {name!r}; {HOW}")
        raise CompactLMError(f"there is no task {name!r} in {root}; choose one of: {', '.join(tasks(root)) or 'none'}")
    return open_directory(root / name, backend)
