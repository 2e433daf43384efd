"""Fixed words in place of the proposals of a masked language model."""

from collections.abc import Sequence

from compactlm.corpus.augment.contextual import MASK, Candidates


class FixedProposer:
    """Propose the given words for every mask, the likeliest first, and record the texts of each call."""

    def __init__(self, *words: str) -> None:
        self.words, self.calls = words, list[list[str]]()

    def propose(self, texts: Sequence[str]) -> list[list[Candidates]]:
        self.calls.append(list(texts))
        return [[[(word, 1 / (rank + 1)) for rank, word in enumerate(self.words)] for _ in range(text.count(MASK))] for text in texts]
