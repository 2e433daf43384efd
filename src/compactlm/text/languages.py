"""Language identification by py3langid, a naive Bayes model over byte sequences (Lui and Baldwin 2012) that its package contains."""

from __future__ import annotations

import collections
import functools
from collections.abc import Iterable

from py3langid.langid import MODEL_FILE, LanguageIdentifier

CHUNK = 500  # this many characters are judged together, because a short row alone has too little information
JUDGED = 500  # at most about this many chunks are judged, at equal distances; at a share of 5 %, the standard error is 1 point
LEAST = 0.05  # the smallest share of the chunks that counts


@functools.cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def known_languages() -> frozenset[str]:
    """Return the ISO 639 codes of the languages that the model knows."""
    return frozenset(_identifier().labels)


def language_probability(text: str, languages: frozenset[str]) -> float:
    """Return the probability that a text is in one of the languages, by ISO 639 codes."""
    return float(sum(probability for language, probability in _identifier().rank(text) if language in languages))


def main_languages(texts: Iterable[str]) -> list[str]:
    """Return the ISO 639 codes of the languages of at least the share LEAST of the text (ordered by source), most frequent first.

    Long text is judged by a sample.
    """
    chunks, held = [], ""
    for text in texts:
        held = f"{held} {text}"
        if len(held) >= CHUNK:
            chunks.append(held)
            held = ""
    if held and not chunks:
        chunks.append(held)
    judged = chunks[:: -(-len(chunks) // JUDGED) or 1]
    counts = collections.Counter(str(_identifier().classify(chunk)[0]) for chunk in judged)
    return [code for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count >= LEAST * len(judged)]
