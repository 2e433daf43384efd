"""Warnings about labelled sources that lose many rows in cleaning."""

from __future__ import annotations

from compactlm.corpus.clean.cleaning import Cleaned
from compactlm.shards.reports import LARGE_LOSS, shown


def losses(cleaned: Cleaned) -> list[str]:
    """Return a warning with a sample row for each labelled source that loses more than the share LARGE_LOSS of its rows."""
    said = []
    for source in cleaned.labelled:
        rows = cleaned.rows[source]["rows"]
        dropped = {reason: count for reason, count in cleaned.dropped.get(source, {}).items() if count}
        if sum(dropped.values()) > LARGE_LOSS * rows:
            most = max(dropped, key=lambda reason: dropped[reason])
            samples = cleaned.samples.get(f"{source} {most}", [])
            such_as = f", such as {shown(samples[0][1])} ({most})" if samples else ""
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in dropped.items())
            said.append(
                f"{sum(dropped.values()):,} of {rows:,} rows of the labelled source {source} are dropped ({reasons}){such_as}; to keep "
                "them, change the profile, the filters or the bounds in clean"
            )
    return said
