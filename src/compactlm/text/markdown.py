"""Markdown: tables and literal text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: Collection[str] | None = None) -> str:
    """Return a table.

    Args:
        head: the names of the columns.
        rows: the cells of each row. Line breaks become spaces, and characters that would end a cell are escaped.
        left: the columns with text. All other columns hold numbers and are aligned to the right. None aligns no column.
    """
    rule = ["---" if left is None or name in left else "---:" for name in head]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in (head, rule, *rows))


def facts(named: Iterable[tuple[str, object]]) -> str:
    """Return a table of names and values."""
    return table(("property", "value"), [(name, str(value)) for name, value in named])


def code(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return "`" + " ".join(text.replace("`", "'").split()) + "`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")
