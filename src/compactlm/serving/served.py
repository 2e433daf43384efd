"""The models of a directory, opened on ONNX Runtime for the server."""

from __future__ import annotations

from compactlm.errors import CompactLMError
from compactlm.inference.api import CompactLM
from compactlm.inference.embedding import SentenceEmbedding
from compactlm.inference.runtime import directories
from compactlm.inference.runtime.model import Model
from compactlm.inference.search.knowledge import Knowledge
from compactlm.serving.settings import Settings


class ServedModel:
    """The models of a directory, which may hold one model or several. Models that it lacks are None or missing.

    Each batch runs on one thread, so several batches share the cores without waiting for each other.

    Attributes:
        tasks: the model of each task.
        mlm: the masked language model.
        embedding: the sentence embedding.
        knowledge: the file of answers; None before `load`, or without a file.
    """

    def __init__(self, settings: Settings) -> None:
        """Find the models and load their tokenizers.

        Raises:
            CompactLMError: there is no usable model, or the knowledge file needs a sentence embedding that is missing.
        """
        self.settings = settings
        self.root = root = settings.model if settings.model is not None else directories.default_root("onnx")
        lm = CompactLM(root, backend=settings.backend, threads=1)
        self.tasks: dict[str, Model] = {}
        self.mlm: Model | None = None
        self.embedding: SentenceEmbedding | None = None
        self.knowledge: Knowledge | None = None
        if (root / "config.json").exists():
            self._open_single(lm)
        else:
            self.tasks = {name: lm.task(name) for name in lm.tasks}
            self.mlm = lm.mlm if (root / directories.MLM).is_dir() else None
            self.embedding = lm.embedding if (root / directories.EMBEDDING).is_dir() else None
        if not (self.tasks or self.mlm or self.embedding):
            raise CompactLMError(f"there is no model in {root}; {directories.HOW}")
        if settings.knowledge is not None and self.embedding is None:
            raise CompactLMError(f"{root} has no sentence embedding, which --knowledge needs; pass another --model, or no --knowledge")

    def _open_single(self, lm: CompactLM) -> None:
        """Open a directory of one model as the first kind of model that fits its outputs."""
        failure: CompactLMError | None = None
        for kind in ("task", "mlm", "embedding"):
            try:
                if kind == "task":
                    task = lm.task(self.root.resolve().name)
                    self.tasks = {self.root.resolve().name: task} if task.runner else {}
                elif kind == "mlm":
                    self.mlm = lm.mlm if lm.mlm.runner else None
                else:
                    self.embedding = lm.embedding if lm.embedding.model.runner else None
            except CompactLMError as error:
                failure = failure or error
            else:
                return
        assert failure is not None  # noqa: S101 - each kind has failed
        raise failure

    def load(self) -> None:
        """Load all weights, and open or build the index of the knowledge file.

        Raises:
            CompactLMError: a file is damaged or cannot be read.
        """
        models = [*self.tasks.values(), self.mlm, self.embedding.model if self.embedding else None]
        for model in filter(None, models):
            _ = model.runner
        if self.settings.knowledge is not None and self.embedding is not None:
            self.knowledge = Knowledge(self.settings.knowledge, self.embedding)

    @property
    def models(self) -> dict[str, Model]:
        """The models by name."""
        others = {directories.MLM: self.mlm, directories.EMBEDDING: self.embedding.model if self.embedding else None}
        return {**self.tasks, **{name: model for name, model in others.items() if model is not None}}
