"""Sentences by Punkt (Kiss and Strunk 2006), with a model from NLTK's data or trained on texts. A model is a JSON object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import nltk
from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer, PunktTrainer, load_punkt_params


def find_model(language: str) -> dict[str, Any] | None:
    """Return the model of a language from NLTK's data, or None if it is not completely on this machine; nothing is downloaded."""
    try:
        return _to_json(load_punkt_params(nltk.data.find(f"tokenizers/punkt_tab/{language}/")))
    except (LookupError, OSError, ValueError):
        return None


def train_model(texts: Iterable[str]) -> dict[str, Any]:
    """Return a model trained on texts: abbreviations, collocations, and words that often start sentences."""
    trainer = PunktTrainer()
    for text in texts:
        trainer.train(text, finalize=False)
    trainer.finalize_training()
    return _to_json(trainer.get_params())


def make_tokenizer(model: dict[str, Any]) -> PunktSentenceTokenizer:
    """Return a tokenizer with a model as `find_model` or `train_model` returns it."""
    known = PunktParameters()
    known.abbrev_types = set(model["abbreviations"])
    known.collocations = {(first, second) for first, second in model["collocations"]}
    known.sent_starters = set(model["sentence_starters"])
    known.ortho_context.update(model["orthographic_contexts"])
    return PunktSentenceTokenizer(known)


def _to_json(known: PunktParameters) -> dict[str, Any]:
    return {
        "abbreviations": sorted(known.abbrev_types),
        "collocations": sorted([first, second] for first, second in known.collocations),
        "sentence_starters": sorted(known.sent_starters),
        "orthographic_contexts": dict(sorted(known.ortho_context.items())),
    }
