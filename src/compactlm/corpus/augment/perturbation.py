"""Perturbations of a text as in everyday writing: typing errors, misspellings, missing words, other letter case and punctuation.

The first three are augmenters of nlpaug (compactlm.corpus.augment.words). nlpaug has none for letter case and punctuation.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence

from compactlm.corpus.augment.words import DeleteAug, MisspellingAug, MistypingAug, Rewrite, join_words, split_words, words_to_change
from compactlm.draws import draw_bits

PERTURBATIONS = ("keyboard", "spelling", "delete", "case", "punctuation")
MARKS = ",.;:!?-"


def _change_words(
    change: Callable[[str, random.Random], str | None], share: float, texts: Sequence[str], seeds: Sequence[int]
) -> list[str]:
    """Change a share of the words, among those for which `change` does not return None."""
    rewritten = []
    for text, seed in zip(texts, seeds, strict=True):
        generator, words = random.Random(seed), split_words(text)
        changeable = [at for at, word in enumerate(words) if change(word, random.Random(0)) is not None]
        for at in sorted(generator.sample(changeable, min(len(changeable), words_to_change(share, len(words))))):
            words[at] = change(words[at], generator) or ""
        rewritten.append(join_words([word for word in words if word]))
    return rewritten


def _other_case(word: str, generator: random.Random) -> str | None:
    others = sorted({word.upper(), word.lower(), word.capitalize()} - {word})
    return generator.choice(others) if others else None


def _other_punctuation(word: str, generator: random.Random) -> str | None:
    """Return the word without the marks at its end, or with a mark if it has none; None for a word of marks only."""
    bare = word.rstrip(MARKS)
    if not bare:
        return None
    return bare if bare != word else word + generator.choice(MARKS)


def make_perturbations(share: float) -> dict[str, Rewrite]:
    """Return a function for each of PERTURBATIONS. It changes a share of the words of each text, at least one word."""
    return {
        "keyboard": MistypingAug(share).rewrite,
        "spelling": MisspellingAug(share).rewrite,
        "delete": DeleteAug(share).rewrite,
        "case": functools.partial(_change_words, _other_case, share),
        "punctuation": functools.partial(_change_words, _other_punctuation, share),
    }


def perturb(texts: Sequence[str], ids: Sequence[str], kind: str, rewrite: Rewrite, strength: str, seed: int) -> list[str]:
    """Return the texts perturbed by a function from `make_perturbations`.

    A perturbed text depends on the seed, the kind, the name of the strength and the id of its row, but not on other rows.
    """
    return rewrite(texts, [draw_bits("perturbation", seed, kind, strength, name) for name in ids])
