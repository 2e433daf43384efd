"""Abbreviations by Punkt (Kiss and Strunk 2006), from NLTK's data or learnt from texts, for compactlm.text.sentences."""

from __future__ import annotations

from collections.abc import Iterable

import nltk
from nltk.tokenize.punkt import PunktTrainer, load_punkt_params


def find_abbreviations(language: str) -> list[str] | None:
    """Return the abbreviations of a language in NLTK's data, sorted, or None if its model is not completely on this machine.

    Nothing is downloaded. Abbreviations are in lower case and without the last full stop.
    """
    try:
        return sorted(load_punkt_params(nltk.data.find(f"tokenizers/punkt_tab/{language}/")).abbrev_types)
    except (LookupError, OSError, ValueError):
        return None


def learn_abbreviations(texts: Iterable[str]) -> list[str]:
    """Return the abbreviations that Punkt finds in texts, sorted."""
    trainer = PunktTrainer()
    for text in texts:
        trainer.train(text, finalize=False)
    trainer.finalize_training()
    return sorted(trainer.get_params().abbrev_types)
