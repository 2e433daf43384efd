"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]], texts: Collection[str]) -> str:
    """Return a table; the columns named in `texts` are aligned to the left and all others, which are numbers, to the right."""
    rule = ["---" if column in texts else "---:" for column in columns]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (columns, rule, *rows))
