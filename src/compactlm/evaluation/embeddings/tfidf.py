"""TF-IDF: an embedding that uses only the words of a text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer

from compactlm.evaluation.embeddings.vectors import Embed

WORD = r"(?u)\b\w+\b"  # words of one letter too


def fit_tfidf(texts: Iterable[str]) -> Embed:
    """Fit TF-IDF with sublinear term frequencies on texts; the result returns sparse rows of length 1."""
    vectorizer: Any = TfidfVectorizer(sublinear_tf=True, token_pattern=WORD)
    vectorizer.fit(texts)
    return vectorizer.transform
