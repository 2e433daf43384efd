"""Synonyms and insertions by a masked language model, as an nlpaug augmenter.

The method is contextual augmentation (Kobayashi 2018, https://arxiv.org/abs/1805.06201). nlpaug's own ContextualWordEmbsAug does not run on
transformers 5, and makes one forward pass per word. This module works in three steps. It draws positions in each row by the row's seed, has
words proposed for all masks of all rows in large batches, and draws from each row's proposals. The model is passed as a `Proposer`, so this
module imports no torch.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Sequence
from typing import Literal, Protocol

from nlpaug.augmenter.word import WordAugmenter

from compactlm.corpus.augment.reserved import NOTHING, Reserved
from compactlm.corpus.augment.words import join_words, split_words, words_to_change

MASK = "[MASK]"
CORE = re.compile(r"(\W*)(\w(?:.*\w)?)(\W*)", re.DOTALL)
SENTENCE_END = re.compile(r"[.!?\u2026][\"'\u201d\u2019)\]]*$")

Candidates = list[tuple[str, float]]


class Thesaurus(Protocol):
    """A source of synonyms and antonyms of words in lower case."""

    def synonyms(self, word: str) -> Sequence[str]:
        """Return words that can replace `word`."""
        ...

    def opposes(self, word: str, other: str) -> bool:
        """Return whether `other` is an antonym of `word`."""
        ...


class Proposer(Protocol):
    """A model that proposes words for each `[MASK]` in a text."""

    def propose(self, texts: Sequence[str]) -> list[list[Candidates]]:
        """Return words with their probabilities, the likeliest first, for each `[MASK]` of each text, in order.

        The list of a mask may be empty, for instance if the text is too long for the model.
        """
        ...


@dataclasses.dataclass(frozen=True)
class _Plan:
    """A row with its drawn positions: words to replace (substitute), or words to insert before (insert)."""

    words: list[str]
    positions: list[int]
    generator: random.Random


class MaskedWordAug(WordAugmenter):
    """Replaces words (`substitute`) or inserts words (`insert`) that a masked language model finds likely.

    New words consist of letters only. A replacement differs from the word that it replaces, and an insertion from both of its neighbours. A
    replacement has the capitalisation of the original, and punctuation around it stays. Words with digits, inner punctuation or mixed case
    do not change. With a `thesaurus` that knows the word, half of the replacements come from the thesaurus and half from the model.
    Antonyms of the original are excluded, because a model finds them as likely as synonyms. `share` is the share of a text's words to
    replace or insert; at least one word changes. Reserved words are neither replaced nor inserted, and nothing is inserted between two of
    them.
    """

    def __init__(
        self,
        action: Literal["substitute", "insert"],
        proposer: Proposer,
        share: float,
        thesaurus: Thesaurus | None = None,
        reserved: Reserved = NOTHING,
    ) -> None:
        super().__init__(action=action, name="MaskedWord_Aug", aug_p=share, tokenizer=split_words, reverse_tokenizer=join_words)
        self.proposer, self.share, self.thesaurus, self.reserved = proposer, share, thesaurus, reserved

    def augment(self, data: str | list[str], n: int = 1, num_thread: int = 1) -> list[str]:  # noqa: ARG002
        """Rewrite a text `n` times, or each text of a list once, with seeds from the global generator. This is nlpaug's interface."""
        texts = ([data] * n if data.strip() else []) if isinstance(data, str) else list(data)
        return self.rewrite(texts, [random.getrandbits(64) for _ in texts])

    def substitute(self, data: str) -> str:
        """Rewrite one text; nlpaug's hook."""
        return self.rewrite([data], [random.getrandbits(64)])[0]

    insert = substitute

    def rewrite(self, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        """Return a new text for each text and its seed; the proposer is called once for all texts."""
        choose = self._choose_words if self.action == "substitute" else self._choose_gaps
        plans = []
        for text, seed in zip(texts, seeds, strict=True):
            generator, words = random.Random(seed), self.tokenizer(text)
            plans.append(_Plan(words, choose(words, generator), generator))
        masked = [position for position, plan in enumerate(plans) if plan.positions]
        proposals_of_each = self.proposer.propose([self._mask(plans[position]) for position in masked]) if masked else []
        rewritten = list(texts)
        for position, proposals in zip(masked, proposals_of_each, strict=True):
            rewritten[position] = self.reverse_tokenizer(self._fill(plans[position], proposals))
        return rewritten

    def _choose_words(self, words: list[str], generator: random.Random) -> list[int]:
        kept = self.reserved.places(words)
        changeable = [index for index, word in enumerate(words) if index not in kept and word_case(core_of(word)) is not None]
        return self._draw(changeable, len(words), generator)

    def _choose_gaps(self, words: list[str], generator: random.Random) -> list[int]:
        kept = self.reserved.places(words)
        # A word at the start of a sentence would change the capitals. A word between two reserved words could split a name or a term
        # (New York, old man).
        gaps = [index for index in range(1, len(words)) if not SENTENCE_END.search(words[index - 1]) and not {index - 1, index} <= kept]
        return self._draw(gaps, len(words), generator)

    def _draw(self, positions: list[int], words: int, generator: random.Random) -> list[int]:
        return sorted(generator.sample(positions, min(len(positions), words_to_change(self.share, words))))

    def _mask(self, plan: _Plan) -> str:
        # A "[MASK]" in the text itself must not count as a mask.
        words = [word.replace(MASK, "mask") for word in plan.words]
        for index in reversed(plan.positions):
            if self.action == "substitute":
                words[index] = put_core(words[index], MASK)
            else:
                words.insert(index, MASK)
        return self.reverse_tokenizer(words)

    def _fill(self, plan: _Plan, proposals: list[Candidates]) -> list[str]:
        words = list(plan.words)
        for index, candidates in reversed(list(zip(plan.positions, proposals, strict=True))):
            if self.action == "substitute":
                original = core_of(words[index])
                new = self._draw_word(candidates, {original.lower()}, plan.generator, original.lower())
                if new:
                    words[index] = put_core(words[index], recase(new, original))
            else:
                neighbours = {core_of(words[index - 1]).lower(), core_of(words[index]).lower()}
                new = self._draw_word(candidates, neighbours, plan.generator)
                if new:
                    words.insert(index, new.lower())
        return words

    def _draw_word(self, candidates: Candidates, forbidden: set[str], generator: random.Random, original: str = "") -> str | None:
        thesaurus = self.thesaurus if original else None

        def allowed(word: str) -> bool:
            if word.lower() in forbidden or self.reserved.is_listed(word):
                return False
            return thesaurus is None or not thesaurus.opposes(original, word.lower())

        # In alphabetical order, so that the draw does not change if two words of nearly equal probability swap ranks.
        proposed = [(word, weight) for word, weight in sorted(candidates) if is_word(word) and weight > 0 and allowed(word)]
        known = [word for word in (thesaurus.synonyms(original) if thesaurus else ()) if allowed(word)]
        total = sum(weight for _, weight in proposed)
        pool = [(word, weight / total) for word, weight in proposed] + [(word, 1 / len(known)) for word in known]
        if not pool:
            return None
        return generator.choices([word for word, _ in pool], [weight for _, weight in pool])[0]


def is_word(word: str) -> bool:
    """Return whether a proposal is a word of letters."""
    return word.isalpha() and (len(word) > 1 or word.lower() in {"a", "i"})


def core_of(word: str) -> str:
    """Return a word without the punctuation around it; empty for punctuation only."""
    match = CORE.fullmatch(word)
    return match.group(2) if match else ""


def put_core(word: str, core: str) -> str:
    """Replace a word but keep the punctuation around it."""
    match = CORE.fullmatch(word)
    return f"{match.group(1)}{core}{match.group(3)}" if match else word


def word_case(core: str) -> str | None:
    """Return the capitalisation of a word that may be replaced, or None for other words."""
    if not core.isalpha() or len(core) < 2:
        return None
    for name in ("lower", "upper", "capitalize"):
        if getattr(core, name)() == core:
            return name
    return None


def recase(word: str, like: str) -> str:
    """Give a word the capitalisation of another."""
    recased: str = getattr(word.lower(), word_case(like) or "lower")()
    return recased
