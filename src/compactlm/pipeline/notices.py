"""Notices: sentences that a stage says on the screen and that the report page repeats."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from compactlm.artifacts import NOTICES, write_text


def tell(stage: str, sentences: Sequence[str]) -> None:
    """Print the sentences of a stage on standard error, and write them to its file in reports/notices, one a line."""
    for sentence in sentences:
        print(f"{stage}: {sentence}", file=sys.stderr)  # noqa: T201
    write_text(NOTICES / f"{stage}.txt", "".join(f"{sentence}\n" for sentence in sentences))


def read_notices(stages: Iterable[str]) -> list[str]:
    """Return the sentences of the stages in order."""
    return [line for stage in stages for line in (NOTICES / f"{stage}.txt").read_text(encoding="utf-8").splitlines()]
