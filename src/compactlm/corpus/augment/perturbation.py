"""The same text with the flaws of everyday writing: mistyped, misspelled, with words left out, other letter case and punctuation.

The first three are nlpaug's augmenters (compactlm.corpus.augment.words); nlpaug has none for letter case and punctuation.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from compactlm.corpus.augment.words import Rewriter, count_words, join_words, make_delete, make_keyboard, make_spelling, split_words
from compactlm.draws import draw_bits

PERTURBATIONS = ("keyboard", "spelling", "delete", "case", "punctuation")
MARKS = ",.;:!?-"


class _EachWord:
    """`rewrite` by a function that changes one word, for a share of the words that it can change."""

    def __init__(self, change: Callable[[str, random.Random], str | None], share: float) -> None:
        self.change, self.share = change, share

    def rewrite(self, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        return [self._rewrite_one(text, random.Random(seed)) for text, seed in zip(texts, seeds, strict=True)]

    def _rewrite_one(self, text: str, generator: random.Random) -> str:
        words = split_words(text)
        open_to_change = [at for at, word in enumerate(words) if self.change(word, random.Random(0)) is not None]
        for at in sorted(generator.sample(open_to_change, min(len(open_to_change), count_words(self.share, len(words))))):
            words[at] = self.change(words[at], generator) or ""
        return join_words([word for word in words if word])


def _other_case(word: str, generator: random.Random) -> str | None:
    others = sorted({word.upper(), word.lower(), word.capitalize()} - {word})
    return generator.choice(others) if others else None


def _other_punctuation(word: str, generator: random.Random) -> str | None:
    """Return the word without the marks at its end, or with one where it had none; a word of nothing else stays."""
    bare = word.rstrip(MARKS)
    if not bare:
        return None
    return bare if bare != word else word + generator.choice(MARKS)


def make_perturbations(share: float) -> dict[str, Rewriter]:
    """Return a rewriter for each of PERTURBATIONS.

    Args:
        share: of a text's words that each of them changes; at least one word.
    """
    return {
        "keyboard": make_keyboard(share),
        "spelling": make_spelling(share),
        "delete": make_delete(share),
        "case": _EachWord(_other_case, share),
        "punctuation": _EachWord(_other_punctuation, share),
    }


def perturb(texts: Sequence[str], ids: Sequence[str], kind: str, rewriter: Rewriter, strength: str, seed: int) -> list[str]:
    """Return the texts perturbed, each by (seed, kind, strength, row id), so that a row's result does not depend on the others.

    Args:
        texts: of the rows.
        ids: of the rows.
        kind: one of PERTURBATIONS.
        rewriter: as from `make_perturbations`.
        strength: its name.
        seed: the experiment's.
    """
    return rewriter.rewrite(texts, [draw_bits("perturbation", seed, kind, strength, name) for name in ids])
