"""The tokenizer of a finished model. It needs only the tokenizers library."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import tokenizers

from compactlm.bert.special_tokens import SPECIAL
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.runner import short_reason
from compactlm.text.unicode import encodable


class Tokenizer:
    """Converts text to token ids and back.

    Attributes:
        library: the tokenizer of the tokenizers library.
        limit: the maximum number of tokens that the model accepts, [CLS] and [SEP] included.
        size: the number of tokens in the vocabulary.
    """

    def __init__(self, directory: Path, limit: int, size: int) -> None:
        """Load tokenizer.json of a model's directory.

        Args:
            directory: the model's directory.
            limit: the maximum number of tokens that the model accepts.
            size: the number of tokens that the model has.

        Raises:
            CompactLMError: the file is missing or damaged, or does not belong to the model.
        """
        path = directory / "tokenizer.json"
        try:
            self.library = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # noqa: BLE001 - the library raises bare exceptions
            raise CompactLMError(
                f"{path} cannot be read ({short_reason(error)}); restore it with `dvc checkout`, or copy the model again"
            ) from None
        self.library.no_truncation()
        self.library.no_padding()
        self.limit, self.size = limit, self.library.get_vocab_size()
        if self.size != size:
            raise CompactLMError(
                f"{path} has {self.size:,} tokens but the model next to it has {size:,}; copy the tokenizer that the model was trained with"
            )
        missing = [token for token in SPECIAL if self.library.token_to_id(token) is None]
        if missing:
            raise CompactLMError(f"{path} lacks {', '.join(missing)}; copy the tokenizer that the model was trained with")
        self.pad, self.unknown, self.cls, self.sep, self.mask = (int(self.library.token_to_id(token) or 0) for token in SPECIAL)

    @functools.cached_property
    def continuations(self) -> frozenset[int]:
        """The ids of tokens that continue a word (##)."""
        return frozenset(index for token, index in self.library.get_vocab().items() if token.startswith("##"))

    @functools.cached_property
    def fragments(self) -> frozenset[int]:
        """The ids of [UNK] and of continuations of one or two characters. Words outside the vocabulary consist of these tokens."""
        short = {index for token, index in self.library.get_vocab().items() if token.startswith("##") and len(token) <= 4}
        return frozenset(short | {self.unknown})

    @functools.cached_property
    def marks(self) -> frozenset[int]:
        """The ids of tokens without a letter or a digit."""
        return frozenset(index for token, index in self.library.get_vocab().items() if not any(map(str.isalnum, token)))

    @functools.cached_property
    def special(self) -> frozenset[int]:
        """The ids of tokens that represent no text, such as [PAD] and [unused0]."""
        return frozenset(
            index for token, index in self.library.get_vocab().items() if token[:1] == "[" and token[-1:] == "]" and token[1:-1]
        )

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, not truncated, with [CLS] and [SEP]."""
        return [encoding.ids for encoding in self.library.encode_batch_fast([encodable(text) for text in texts])]

    def cut(self, ids: Sequence[int]) -> list[int]:
        """Return `ids` truncated to the limit; a truncated sequence ends with [SEP]."""
        return list(ids) if len(ids) <= self.limit else [*ids[: self.limit - 1], self.sep]

    def windows(self, ids: Sequence[int], limit: int | None = None) -> list[list[int]]:
        """Split `ids` into sequences that do not overlap and fit the model (or `limit`), each with [CLS] and [SEP]."""
        limit = min(limit or self.limit, self.limit)
        if len(ids) <= limit:
            return [list(ids)]
        inner, width = ids[1:-1], limit - 2
        return [self.framed(inner[start : start + width]) for start in range(0, len(inner), width)]

    def around(self, ids: Sequence[int], position: int) -> tuple[list[int], int]:
        """Return a sequence that fits the model with `ids[position]` near its middle, and the new position."""
        if len(ids) <= self.limit:
            return list(ids), position
        width = self.limit - 2
        start = min(max(1, position - width // 2), len(ids) - 1 - width)
        return self.framed(ids[start : start + width]), position - start + 1

    def framed(self, ids: Sequence[int]) -> list[int]:
        """Return [CLS], the ids, [SEP]."""
        return [self.cls, *ids, self.sep]

    def token(self, index: int) -> str:
        """Return the token of an id."""
        return self.library.id_to_token(index) or ""

    def join(self, ids: Sequence[int]) -> str:
        """Return the text of token ids, without special tokens. The library removes spaces before punctuation."""
        return self.library.decode(list(ids), skip_special_tokens=True)
