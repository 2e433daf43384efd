"""Notices: sentences that a stage prints and that the report page repeats."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from compactlm.artifacts import NOTICES, write_text
from compactlm.errors import readable


def tell(stage: str, sentences: Sequence[str]) -> None:
    """Print the sentences of a stage on standard error, and write them to its file in reports/notices, one per line."""
    plain = [readable(sentence) for sentence in sentences]
    for sentence in plain:
        print(f"{stage}: {sentence}", file=sys.stderr)  # noqa: T201
    write_text(NOTICES / f"{stage}.txt", "".join(f"{sentence}\n" for sentence in plain))


def read_notices() -> list[str]:
    """Return the sentences of all stages, in the order of their names."""
    return [line for path in sorted(NOTICES.glob("*.txt")) for line in path.read_text(encoding="utf-8").splitlines()]
