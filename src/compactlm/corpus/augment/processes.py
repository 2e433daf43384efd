"""nlpaug's augmenters in several processes: a text's copy depends on the text and its seed, and so not on where it is made."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

from compactlm.corpus.augment.reserved import Reserved
from compactlm.corpus.augment.words import Rewriter, make_delete, make_keyboard, make_spelling, make_swap, make_tfidf
from compactlm.params import ReservedKind
from compactlm.shards.worker_pool import WorkerPool

WORD_AUGMENTERS = ("swap", "delete", "spelling", "keyboard", "tfidf")
CHUNK = 5_000  # texts: fewer are done before a process has started
REMEDY = "lower data.processes and run the command again"


@dataclasses.dataclass(frozen=True)
class WordSettings:
    """What the augmenters are made from, in this process or another.

    Attributes:
        share: of a text's words that are changed; at least one.
        reserved: the kinds of words that are left alone.
        terms: the words of the kind `protected`.
        texts: what TF-IDF counts words in.
    """

    share: float
    reserved: tuple[ReservedKind, ...]
    terms: tuple[str, ...]
    texts: tuple[str, ...]

    def make(self, name: str) -> Rewriter:
        """Return one of WORD_AUGMENTERS."""
        reserved = Reserved(self.reserved, self.terms)
        makers: dict[str, Callable[[], Rewriter]] = {
            "swap": lambda: make_swap(self.share, reserved),
            "delete": lambda: make_delete(self.share, reserved),
            "spelling": lambda: make_spelling(self.share, reserved),
            "keyboard": lambda: make_keyboard(self.share, reserved),
            "tfidf": lambda: make_tfidf(self.share, self.texts, reserved),
        }
        return makers[name]()


class WordWorkers:
    """The processes in which the augmenters of some settings work; they start when there is enough to do.

    Args:
        settings: what the augmenters are made from.
        processes: how many, 1 for this process alone.
    """

    def __init__(self, settings: WordSettings, processes: int) -> None:
        self.processes = processes
        self.make = functools.cache(settings.make)
        self._pool = WorkerPool(processes, "copies", REMEDY, _start, (settings,))

    def rewrite(self, name: str, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        """Return one text for each of `texts` by the augmenter of that name."""
        if self.processes == 1 or len(texts) <= CHUNK:
            return self.make(name).rewrite(texts, seeds)
        starts = range(0, len(texts), CHUNK)
        chunks = [(name, texts[start : start + CHUNK], seeds[start : start + CHUNK]) for start in starts]
        return [text for rewritten in self._pool.run(_rewrite_chunk, chunks) for text in rewritten]


@dataclasses.dataclass(frozen=True)
class Spread:
    """A rewriter by the augmenter of that name, in the processes of `workers`."""

    name: str
    workers: WordWorkers

    def rewrite(self, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        """Return one text for each of `texts`, the same one where nothing could be changed."""
        return self.workers.rewrite(self.name, texts, seeds)


_worker: list[WordWorkers] = []  # of this process, where it is one of those that were started


def _start(settings: WordSettings) -> None:
    _worker.append(WordWorkers(settings, processes=1))


def _rewrite_chunk(name: str, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
    return _worker[0].rewrite(name, texts, seeds)
