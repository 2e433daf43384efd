"""The tokenizer of a finished model, by the tokenizers library alone."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from compactlm.bert.special_tokens import SPECIAL
from compactlm.errors import CompactLMError
from compactlm.text.unicode import encodable


class Pieces:
    """Text to piece ids and back.

    Attributes:
        tokenizer: the library's own.
        limit: the most pieces that the model reads at once, [CLS] and [SEP] included.
        size: the number of pieces.
    """

    def __init__(self, directory: Path, limit: int, size: int) -> None:
        """Load tokenizer.json of a model's directory.

        Args:
            directory: where it lies.
            limit: the most pieces that the model reads at once.
            size: the number of pieces that the model has.

        Raises:
            CompactLMError: it is missing or damaged, or is not the model's.
        """
        path = directory / "tokenizer.json"
        try:
            self.tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # noqa: BLE001 - the library raises bare exceptions
            reason = " ".join(str(error).split())[:120]
            raise CompactLMError(f"{path} cannot be read ({reason}); restore it with `dvc checkout`, or copy the model again") from None
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.limit, self.size = limit, self.tokenizer.get_vocab_size()
        if self.size != size:
            raise CompactLMError(
                f"{path} has {self.size:,} pieces and the model beside it {size:,}; put the tokenizer there that the model was trained with"
            )
        missing = [piece for piece in SPECIAL if self.tokenizer.token_to_id(piece) is None]
        if missing:
            raise CompactLMError(f"{path} lacks {', '.join(missing)}; put the tokenizer there that the model was trained with")
        self.pad, self.unknown, self.cls, self.sep, self.mask = (int(self.tokenizer.token_to_id(piece) or 0) for piece in SPECIAL)

    @functools.cached_property
    def continuations(self) -> frozenset[int]:
        """The ids of pieces that go on a word."""
        return frozenset(index for piece, index in self.tokenizer.get_vocab().items() if piece.startswith("##"))

    @functools.cached_property
    def marks(self) -> frozenset[int]:
        """The ids of pieces without a letter or a digit."""
        return frozenset(index for piece, index in self.tokenizer.get_vocab().items() if not any(map(str.isalnum, piece)))

    @functools.cached_property
    def special(self) -> frozenset[int]:
        """The ids of pieces that stand for no text, such as [PAD] and [unused0]."""
        return frozenset(
            index for piece, index in self.tokenizer.get_vocab().items() if piece[:1] == "[" and piece[-1:] == "]" and piece[1:-1]
        )

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the piece ids of each text, uncut, with [CLS] and [SEP]."""
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast([encodable(text) for text in texts])]

    def encoding(self, text: str) -> Encoding:
        """Return the library's own encoding of a text, uncut, with [CLS] and [SEP]."""
        return self.tokenizer.encode(encodable(text))

    def cut(self, ids: Sequence[int]) -> list[int]:
        """Return a sequence that the model can read: the start of `ids`, ended by [SEP] where it was cut."""
        return list(ids) if len(ids) <= self.limit else [*ids[: self.limit - 1], self.sep]

    def windows(self, ids: Sequence[int]) -> list[list[int]]:
        """Return sequences that the model can read and that leave out no piece of `ids`, each with [CLS] and [SEP]."""
        if len(ids) <= self.limit:
            return [list(ids)]
        inner, width = ids[1:-1], self.limit - 2
        return [self.framed(inner[start : start + width]) for start in range(0, len(inner), width)]

    def around(self, ids: Sequence[int], position: int) -> tuple[list[int], int]:
        """Return a sequence that the model can read with `ids[position]` near its middle, and where it stands there."""
        if len(ids) <= self.limit:
            return list(ids), position
        width = self.limit - 2
        start = min(max(1, position - width // 2), len(ids) - 1 - width)
        return self.framed(ids[start : start + width]), position - start + 1

    def framed(self, ids: Sequence[int]) -> list[int]:
        """Return [CLS], the ids, [SEP]."""
        return [self.cls, *ids, self.sep]

    def piece(self, index: int) -> str:
        """Return the piece of an id."""
        return self.tokenizer.id_to_token(index) or ""

    def join(self, ids: Sequence[int]) -> str:
        """Return the text of pieces, special ones left out, with the spaces before marks that the library removes."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=True)
