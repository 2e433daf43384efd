"""Which languages text is in, by py3langid (Lui and Baldwin 2012), whose model comes inside its package."""

from __future__ import annotations

import collections
from collections.abc import Iterable

from py3langid.langid import MODEL_FILE, LanguageIdentifier

CHUNK = 500  # characters that are judged together: short rows by themselves tell too little
LEAST = 0.05  # of the chunks


def languages(texts: Iterable[str]) -> list[str]:
    """Return the ISO 639 codes of the languages of at least LEAST of the text, the most frequent first.

    Args:
        texts: rows of one source after the other.
    """
    chunks, held = [], ""
    for text in texts:
        held = f"{held} {text}"
        if len(held) >= CHUNK:
            chunks.append(held)
            held = ""
    if held and not chunks:
        chunks.append(held)
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    counts = collections.Counter(str(identifier.classify(chunk)[0]) for chunk in chunks)
    return [code for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count >= LEAST * len(chunks)]
