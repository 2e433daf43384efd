"""Synonyms word by word, from a lookup such as a thesaurus, without a model that reads the text around the word."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from compactlm.corpus.augment.contextual import Candidates, core_of, is_word, put_core, recase, word_case
from compactlm.corpus.augment.reserved import NOTHING, Reserved
from compactlm.corpus.augment.words import join_words, split_words, words_to_change

Lookup = Callable[[str], Candidates]  # from a word in lower case to words that can replace it, with weights; it may know none


class SynonymAug:
    """Replaces words by draws from a lookup.

    A replacement has the capitalisation of the original, and punctuation around it stays. Words with digits, inner punctuation or mixed
    case, reserved words, and words that the lookup does not know do not change. `share` is the share of a text's words to replace; at least
    one is replaced.
    """

    def __init__(self, lookup: Lookup, share: float, reserved: Reserved = NOTHING) -> None:
        self.lookup, self.share, self.reserved = lookup, share, reserved

    def rewrite(self, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        """Return a new text for each text and its seed, or the same text if nothing can change."""
        return [self._rewrite_one(text, random.Random(seed)) for text, seed in zip(texts, seeds, strict=True)]

    def _rewrite_one(self, text: str, generator: random.Random) -> str:
        words = split_words(text)
        kept = self.reserved.places(words)
        known: dict[int, Candidates] = {}
        for place, word in enumerate(words):
            core = core_of(word)
            if place not in kept and word_case(core) is not None:
                found = [pair for pair in self.lookup(core.lower()) if is_word(pair[0]) and not self.reserved.is_listed(pair[0])]
                if found:
                    known[place] = sorted(found)
        places = list(known)
        for place in generator.sample(places, min(len(places), words_to_change(self.share, len(words)))):
            candidates = known[place]
            [new] = generator.choices([word for word, _ in candidates], [weight for _, weight in candidates])
            words[place] = put_core(words[place], recase(new, core_of(words[place])))
        return join_words(words) if places else text
