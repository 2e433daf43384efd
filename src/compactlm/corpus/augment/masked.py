"""Synonyms and insertions by a masked language model, as an nlpaug augmenter.

nlpaug's own ContextualWordEmbsAug (contextual augmentation, Kobayashi 2018, https://arxiv.org/abs/1805.06201) does not
run on transformers 5 and makes one forward pass a word. Here the work has three phases: positions are chosen for every
row from the row's seed, one call proposes words for all masks of all rows in large batches, and each row draws from its
proposals. The model comes in as a `Proposer`, so that this module needs neither torch nor a model.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Sequence
from typing import Literal, Protocol

from nlpaug.augmenter.word import WordAugmenter

from compactlm.corpus.augment.reserved import NOTHING, Reserved
from compactlm.corpus.augment.words import count_words, join_words, split_words

MASK = "[MASK]"
CORE = re.compile(r"(\W*)(\w(?:.*\w)?)(\W*)", re.DOTALL)
SENTENCE_END = re.compile(r"[.!?\u2026][\"'\u201d\u2019)\]]*$")

Candidates = list[tuple[str, float]]


class Thesaurus(Protocol):
    """Something that knows synonyms and antonyms; words come in lower case."""

    def synonyms(self, word: str) -> Sequence[str]:
        """Return words that can stand for `word`, none where there are none."""
        ...

    def opposes(self, word: str, other: str) -> bool:
        """Tell whether `other` says the opposite of `word`."""
        ...


class Proposer(Protocol):
    """Something that knows which words fit where `[MASK]` stands."""

    def propose(self, texts: Sequence[str]) -> list[list[Candidates]]:
        """Return for each text and each `[MASK]` in it, in order, words with their probability, best first.

        The list of a mask may be empty, for instance where the text is too long for the model to see it.
        """
        ...


@dataclasses.dataclass(frozen=True)
class _Plan:
    """A row with its chosen positions: words to replace (substitute), or words to insert before (insert)."""

    words: list[str]
    positions: list[int]
    generator: random.Random


class MaskedWordAug(WordAugmenter):
    """Replaces words (`substitute`) or adds words (`insert`) that a masked language model finds likely in their place.

    Only whole words of letters are put in: never the word that stood there, nor for `insert` a neighbour's double.
    A replacement has its original's capitalisation, punctuation around a word stays, and words with digits, inner
    punctuation or mixed capitals are left alone. With a `thesaurus` a replacement is drawn in equal parts from the
    model's proposals and from the thesaurus, where it knows the word, and is never an antonym of the original, which a model
    finds as likely as a synonym.

    Args:
        action: "substitute" or "insert".
        proposer: the masked language model.
        share: the share of a text's words to replace or add; at least one.
        thesaurus: knows synonyms and antonyms, or None.
        reserved: the words that are neither replaced nor put in, nor parted where two stand together.
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
        """Rewrite a text `n` times, or each of a list of texts once; seeds come from the global generator, as in nlpaug."""
        texts = ([data] * n if data.strip() else []) if isinstance(data, str) else list(data)
        return self.rewrite(texts, [random.getrandbits(64) for _ in texts])

    def substitute(self, data: str) -> str:
        """Replace words of one text; nlpaug's hook."""
        return self.rewrite([data], [random.getrandbits(64)])[0]

    insert = substitute

    def rewrite(self, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        """Return one text for each of `texts`, drawn from its own seed, with one call of the proposer for all of them."""
        choose = self._choose_words if self.action == "substitute" else self._choose_gaps
        plans = []
        for text, seed in zip(texts, seeds, strict=True):
            generator, words = random.Random(seed), self.tokenizer(text)
            plans.append(_Plan(words, choose(words, generator), generator))
        asked = [position for position, plan in enumerate(plans) if plan.positions]
        answers = self.proposer.propose([self._mask(plans[position]) for position in asked]) if asked else []
        rewritten = list(texts)
        for position, proposals in zip(asked, answers, strict=True):
            rewritten[position] = self.reverse_tokenizer(self._fill(plans[position], proposals))
        return rewritten

    def _choose_words(self, words: list[str], generator: random.Random) -> list[int]:
        kept = self.reserved.places(words)
        open_to_change = [index for index, word in enumerate(words) if index not in kept and _case(_core(word)) is not None]
        return self._draw(open_to_change, len(words), generator)

    def _choose_gaps(self, words: list[str], generator: random.Random) -> list[int]:
        kept = self.reserved.places(words)
        # A word put at the start of a sentence would need a capital, and take the next word's away; one put between two
        # reserved words could part a name or a term (New York, old man).
        gaps = [index for index in range(1, len(words)) if not SENTENCE_END.search(words[index - 1]) and not {index - 1, index} <= kept]
        return self._draw(gaps, len(words), generator)

    def _draw(self, positions: list[int], words: int, generator: random.Random) -> list[int]:
        return sorted(generator.sample(positions, min(len(positions), count_words(self.share, words))))

    def _mask(self, plan: _Plan) -> str:
        # A text that speaks of "[MASK]" itself must not add a mask of its own.
        words = [word.replace(MASK, "mask") for word in plan.words]
        for index in reversed(plan.positions):
            if self.action == "substitute":
                words[index] = _put(words[index], MASK)
            else:
                words.insert(index, MASK)
        return self.reverse_tokenizer(words)

    def _fill(self, plan: _Plan, proposals: list[Candidates]) -> list[str]:
        words = list(plan.words)
        for index, candidates in reversed(list(zip(plan.positions, proposals, strict=True))):
            if self.action == "substitute":
                original = _core(words[index])
                new = self._draw_word(candidates, {original.lower()}, plan.generator, original.lower())
                if new:
                    words[index] = _put(words[index], _with_case(new, original))
            else:
                neighbours = {_core(words[index - 1]).lower(), _core(words[index]).lower()}
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

        # In alphabetical order, so that two words of nearly the same probability may change ranks without changing the draw.
        proposed = [(word, weight) for word, weight in sorted(candidates) if _is_word(word) and weight > 0 and allowed(word)]
        known = [word for word in (thesaurus.synonyms(original) if thesaurus else ()) if allowed(word)]
        total = sum(weight for _, weight in proposed)
        pool = [(word, weight / total) for word, weight in proposed] + [(word, 1 / len(known)) for word in known]
        if not pool:
            return None
        return generator.choices([word for word, _ in pool], [weight for _, weight in pool])[0]


def _is_word(word: str) -> bool:
    return word.isalpha() and (len(word) > 1 or word.lower() in {"a", "i"})


def _core(word: str) -> str:
    """Return a word without the punctuation around it; empty where it is nothing else."""
    match = CORE.fullmatch(word)
    return match.group(2) if match else ""


def _put(word: str, core: str) -> str:
    """Put another core into the punctuation around a word."""
    match = CORE.fullmatch(word)
    return f"{match.group(1)}{core}{match.group(3)}" if match else word


def _case(core: str) -> str | None:
    """Return the capitalisation of a replaceable word, or None for what is to be left alone."""
    if not core.isalpha() or len(core) < 2:
        return None
    for name in ("lower", "upper", "capitalize"):
        if getattr(core, name)() == core:
            return name
    return None


def _with_case(word: str, like: str) -> str:
    recased: str = getattr(word.lower(), _case(like) or "lower")()
    return recased
