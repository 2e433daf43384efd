"""nlpaug augmenters in worker processes. A copy depends only on its text and seed, not on the number of processes."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

from compactlm.corpus.augment.reserved import Reserved
from compactlm.corpus.augment.words import WORD_AUGMENTERS, SeededAug
from compactlm.params import ReservedKind
from compactlm.shards.worker_pool import WorkerPool

CHUNK = 5_000  # fewer texts are done before a process has started
REMEDY = "lower data.processes and run the command again"


@dataclasses.dataclass(frozen=True)
class WordSettings:
    """The settings of the augmenters, which are sent to each process.

    `reserved` lists the kinds of words that must not change, and `terms` the words of the kind `protected`. TF-IDF counts the words of
    `texts`.
    """

    share: float
    reserved: tuple[ReservedKind, ...]
    terms: tuple[str, ...]
    texts: tuple[str, ...]

    def make(self, name: str) -> SeededAug:
        """Return one of WORD_AUGMENTERS."""
        return WORD_AUGMENTERS[name](self.share, Reserved(self.reserved, self.terms), self.texts)


class ParallelWords:
    """Rewrites texts in worker processes, which start once there are enough texts. With 1 process, no worker is started."""

    def __init__(self, settings: WordSettings, processes: int) -> None:
        self._make = functools.cache(settings.make)
        self._pool = WorkerPool(processes, "copies", REMEDY, _start, (settings,))

    def rewrite(self, name: str, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        """Return a new text for each text by the augmenter with this name."""
        if self._pool.processes == 1 or len(texts) <= CHUNK:
            return self._make(name).rewrite(texts, seeds)
        starts = range(0, len(texts), CHUNK)
        chunks = [(name, texts[start : start + CHUNK], seeds[start : start + CHUNK]) for start in starts]
        return [text for rewritten in self._pool.run(_rewrite_chunk, chunks) for text in rewritten]


_makers: list[Callable[[str], SeededAug]] = []  # one entry in each worker process


def _start(settings: WordSettings) -> None:
    _makers.append(functools.cache(settings.make))


def _rewrite_chunk(name: str, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
    return _makers[0](name).rewrite(texts, seeds)
