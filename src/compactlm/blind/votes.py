"""The files of votes that the page saves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, StrictInt, StrictStr, ValidationError

from compactlm.blind.pairs import Key
from compactlm.errors import CompactLMError
from compactlm.params import Section

LARGEST = 10_000_000  # bytes of a file of votes
Parsed = TypeVar("Parsed", bound=Section)


class Vote(Section):
    """The answers of one judge for one pair: which side is right, and which is the teacher's.

    Attributes:
        pair: the number of the pair, from 0.
        right: the side that is right.
        teacher: the side that is the teacher's; "neither" if the judge cannot tell.
    """

    pair: Annotated[StrictInt, Field(ge=0)]
    right: Literal["left", "right", "both", "neither"]
    teacher: Literal["left", "right", "neither"]


class Votes(Section):
    """The votes of one judge: the judge's name, the fingerprint of the page, and one vote for each judged pair."""

    judge: Annotated[StrictStr, Field(min_length=1, max_length=100)]
    page: StrictStr
    votes: list[Vote]

    def by_pair(self) -> dict[int, Vote]:
        """Return the votes by the number of the pair."""
        return {vote.pair: vote for vote in self.votes}


def read_key(path: Path) -> Key:
    """Read the key of a page.

    Raises:
        CompactLMError: the file is missing or is not a key.
    """
    if not path.is_file():
        raise CompactLMError(f"{path} is missing; it is written next to the page by `compactlm blind`, or pass its path by --key")
    return _parse(Key, path, "a key of `compactlm blind`")


def read_votes(paths: Sequence[Path], key: Key) -> list[Votes]:
    """Read the votes of several judges, sorted by name.

    Raises:
        CompactLMError: a file has no votes, or votes on another page; a pair does not exist or has two votes; two files have the same
            judge.
    """
    read: dict[str, Path] = {}
    found = []
    for path in paths:
        if not path.is_file():
            raise CompactLMError(f"{path} is missing; pass the files that the page saved")
        one = _parse(Votes, path, "a file of votes")
        numbers = [vote.pair for vote in one.votes]
        if one.page != key.page:
            raise CompactLMError(f"{path} holds votes on another page ({one.page}) than the key's ({key.page}); pass the key of that page")
        if numbers and max(numbers) >= len(key.pairs):
            raise CompactLMError(f"{path} has a vote on pair {max(numbers)}, but the page has {len(key.pairs)} pairs; save the votes again")
        if len(set(numbers)) < len(numbers):
            raise CompactLMError(f"{path} has two votes on one pair; save the votes again")
        if one.judge in read:
            raise CompactLMError(f"{path} and {read[one.judge]} both hold votes of {one.judge!r}; pass one file for each judge")
        read[one.judge] = path
        found.append(one)
    return sorted(found, key=lambda one: one.judge)


def _parse(form: type[Parsed], path: Path, what: str) -> Parsed:
    if path.stat().st_size > LARGEST:
        raise CompactLMError(f"{path} is too large for {what}; pass another file")
    try:
        return form.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise CompactLMError(f"{path} is not {what}: {where}: {first['msg']}; pass another file") from None
    except (ValueError, RecursionError) as error:
        raise CompactLMError(f"{path} is not {what}, because it is no JSON ({error}); pass another file") from None
