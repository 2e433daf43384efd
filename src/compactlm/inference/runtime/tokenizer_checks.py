"""Checks of tokenizer.json. The tokenizers library accepts some damaged files, and fails later for some texts."""

from __future__ import annotations

import json
from typing import Any

import tokenizers

from compactlm.bert.special_tokens import SPECIAL


def problem(library: tokenizers.Tokenizer, size: int) -> str | None:
    """Return what is wrong with a tokenizer as the end of a sentence about its file, or None.

    Args:
        library: the tokenizer, without truncation and padding.
        size: the number of tokens that the model has.
    """
    vocabulary = library.get_vocab()
    if len(vocabulary) != size:
        return f"has {len(vocabulary):,} tokens but the model next to it has {size:,}"
    missing = [token for token in SPECIAL if token not in vocabulary]
    if missing:
        return f"lacks {', '.join(missing)}"
    if set(vocabulary.values()) != set(range(size)):
        return f"does not give its tokens the ids 0 to {size - 1:,}"
    _, unknown, cls, sep, mask = SPECIAL
    model = library.model
    if isinstance(model, tokenizers.models.WordPiece) and (model.unk_token != unknown or model.token_to_id(unknown) is None):
        return f"has no {unknown} for unknown words"
    processor: Any = library.post_processor
    # With an undefined token, the library would panic and print a trace.
    defined = processor is not None and _defines_its_tokens(json.loads(processor.__getstate__()))
    if not defined or library.encode(mask).ids != [vocabulary[token] for token in (cls, mask, sep)]:
        return f"does not read {mask} as one token between {cls} and {sep}"
    return None


def _defines_its_tokens(processor: dict[str, Any]) -> bool:
    """Return whether a post-processor, and each part of it, defines the special tokens that its templates name."""
    pieces = [*processor.get("single", ()), *processor.get("pair", ())]
    named = {piece["SpecialToken"]["id"] for piece in pieces if "SpecialToken" in piece}
    return named <= set(processor.get("special_tokens", ())) and all(map(_defines_its_tokens, processor.get("processors", ())))
