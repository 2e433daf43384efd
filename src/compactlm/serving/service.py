"""The objects that all routes share: the models, the queue, the state of the server and the metrics."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from fastapi.responses import Response

from compactlm.errors import CompactLMError
from compactlm.inference.runtime.model import Model
from compactlm.inference.runtime.tokenizer import Tokenizer
from compactlm.inference.runtime.word_cache import WordCache
from compactlm.serving.batching import Batcher, OverloadError, Run
from compactlm.serving.cores import usable_cores
from compactlm.serving.http.problems import Problem, json_response
from compactlm.serving.metrics import Metrics
from compactlm.serving.served import ServedModel
from compactlm.serving.settings import Settings
from compactlm.serving.watching.capture import Capture
from compactlm.serving.watching.shadow import Shadow
from compactlm.text.unicode import encodable

SHORT = 4_000  # characters that are tokenized in the thread of the event loop; more would keep other requests waiting
CACHED_WORDS = 20_000  # a few megabytes for each model
READY_SECONDS = 10.0  # a model that answers later is not ready
MOST_POSITIONS = 100  # the header with the truncated inputs lists at most this many
log = logging.getLogger("compactlm.serving")


@dataclasses.dataclass(frozen=True)
class Lane:
    """A kind of item in the queue.

    Attributes:
        run: a function that returns one answer for each payload of a batch.
        probe: a small payload; its answer shows that the model works.
    """

    run: Run
    probe: Any


@dataclasses.dataclass(frozen=True)
class Texts:
    """Tokenized texts.

    Attributes:
        texts: the texts, truncated to the largest number of characters; lone surrogates are replaced by U+FFFD.
        ids: the token ids of each text, with [CLS] and [SEP], not truncated.
        cut: the positions of the texts that were truncated.
    """

    texts: list[str]
    ids: list[Sequence[int]]
    cut: list[int]

    @property
    def tokens(self) -> list[int]:
        """The number of tokens of each text."""
        return [len(ids) for ids in self.ids]


def refuse_cut(cut: Sequence[int], truncate: bool | None, texts_an_input: int = 1) -> None:
    """Raise a Problem if a request forbids truncation but texts would be truncated."""
    if cut and truncate is False:
        position = cut[0] // texts_an_input
        raise Problem(413, f"input {position} is longer than the model accepts; send a shorter text, or truncate: true")


class Service:
    """A served model.

    Attributes:
        state: "starting" until a first inference has worked, "draining" after SIGTERM.
        failure: the reason why the model could not be loaded, or None.
        probed: the answer of each lane to its probe; empty before the first probe.
        capture: the log of answers; None if it is off.
        shadow: the model whose answers are compared but not sent; None without one.
    """

    def __init__(self, settings: Settings, model: ServedModel, lanes: Mapping[str, Lane]) -> None:
        """Take a model that is not loaded yet, and the lanes of its routes."""
        self.settings, self.model, self.lanes = settings, model, dict(lanes)
        self.metrics = Metrics()
        self.capture = Capture.of(settings)
        self.shadow = Shadow.of(settings, model.tasks, self.metrics)
        self.state: Literal["starting", "ready", "draining"] = "starting"
        self.failure: CompactLMError | None = None
        self.probed: dict[str, Any] = {}
        self.threads = settings.threads or usable_cores()
        self._tokenizers = ThreadPoolExecutor(1, "tokenizer")
        self._caches: dict[Tokenizer, WordCache] = {}
        self._loading: asyncio.Task[None] | None = None
        self.batcher = Batcher(
            {name: lane.run for name, lane in lanes.items()},
            workers=self.threads,
            batch_tokens=settings.batch_tokens,
            wait=settings.wait_ms / 1000,
            queue_tokens=settings.queue_tokens,
            observer=self.metrics,
        )
        self.metrics.queued_tokens.set_function(lambda: self.batcher.queued)

    def start(self) -> None:
        """Load the model in the background. The state becomes "ready" after a first inference."""
        self._loading = asyncio.get_running_loop().create_task(self._load())

    async def _load(self) -> None:
        try:
            await asyncio.to_thread(self.model.load)
            if self.shadow is not None:
                await asyncio.to_thread(self.shadow.load)
            await self.probe()
        except CompactLMError as error:
            self.failure = error
            log.error("the model cannot be loaded: %s", error)
            return
        if self.state == "starting":
            self.state = "ready"
        log.info("ready")

    def close(self) -> None:
        """Stop all threads."""
        self.batcher.close()
        self._tokenizers.shutdown(wait=False, cancel_futures=True)
        if self.capture is not None:
            self.capture.close()
        if self.shadow is not None:
            self.shadow.close()

    async def probe(self) -> None:
        """Run a small batch in every lane.

        Raises:
            CompactLMError: a model fails.
        """
        names = list(self.lanes)
        runs = (self.batcher.submit(name, [self.lanes[name].probe], [3], "/ready", always=True) for name in names)
        self.probed = dict(zip(names, [answer for [answer] in await asyncio.gather(*runs)], strict=True))

    async def is_ready(self) -> bool:
        """Return whether the server is in service and every model answers within some seconds."""
        if self.state != "ready":
            return False
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self.probe()
        except Exception as error:  # noqa: BLE001 - any failure means that the model is not ready
            log.error("the model is not ready (%s)", type(error).__name__)
            return False
        return True

    def _cache(self, model: Model) -> WordCache:
        """Return the cache of words of a model's tokenizer. Only the thread of the event loop uses it."""
        if model.tokenizer not in self._caches:
            self._caches[model.tokenizer] = WordCache(model.tokenizer, CACHED_WORDS)
        return self._caches[model.tokenizer]

    async def tokenize(
        self, model: Model, texts: Sequence[str], limit: int | None = None, truncate: bool | None = None, texts_an_input: int = 1
    ) -> Texts:
        """Truncate and tokenize the texts of a request.

        Args:
            model: the model whose tokenizer is used.
            texts: the texts.
            limit: the number of tokens to which the model truncates a text; None if it does not truncate.
            truncate: if False, texts that would be truncated are refused.
            texts_an_input: the number of texts of each input, 2 for pairs; `cut` has positions of texts.

        Raises:
            Problem: there are no texts or too many, or one has no tokens.
        """
        most = self.settings.max_characters
        if not texts:
            raise Problem(422, "inputs is empty; send at least one text")
        if len(texts) > self.settings.max_inputs * texts_an_input:
            raise Problem(413, f"the request has {len(texts) // texts_an_input:,} inputs; send at most {self.settings.max_inputs:,}")
        short = [encodable(text[:most]) for text in texts]
        ids: Sequence[Sequence[int]]
        if sum(map(len, short)) > SHORT:
            ids = await asyncio.get_running_loop().run_in_executor(self._tokenizers, model.tokenizer.encode, short)
        else:
            ids = self._cache(model).encode(short)
        cut = []
        for position, (text, found) in enumerate(zip(texts, ids, strict=True)):
            if len(found) <= 2:
                raise Problem(422, f"input {position // texts_an_input} has no words; send a text with words")
            if len(text) > most or (limit is not None and len(found) > limit):
                cut.append(position)
        refuse_cut(cut, truncate, texts_an_input)
        return Texts(short, list(ids), cut)

    async def run(self, lane: str, payloads: Sequence[Any], tokens: Sequence[int], route: str) -> list[Any]:
        """Return the answers of the model; see batching.Batcher.submit.

        Raises:
            Problem: the queue is full, or the model fails.
        """
        try:
            return await self.batcher.submit(lane, payloads, tokens, route)
        except OverloadError as error:
            self.metrics.rejections.labels(route, "queue").inc()
            raise Problem(429, "the queue is full; send the request again later", {"Retry-After": str(error.retry_after)}) from None
        except CompactLMError as error:
            log.error("%s failed: %s", route, error)
            raise Problem(424, "the model failed on this request; the log of the server says why") from None

    def answer(self, content: Any, texts: Texts) -> Response:
        """Return the answer to a request. Its headers have the number of tokens and the truncated inputs."""
        headers = {"x-compute-tokens": str(sum(texts.tokens))}
        if texts.cut:
            headers["x-truncated-count"] = str(len(texts.cut))
            headers["x-truncated-inputs"] = ",".join(map(str, texts.cut[:MOST_POSITIONS]))
        return json_response(content, headers=headers)
