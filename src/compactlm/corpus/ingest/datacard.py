"""The data card and the metrics of ingest: origin, licence and size of each source."""

from __future__ import annotations

from collections.abc import Mapping

from compactlm.corpus.ingest.limits import limits_of
from compactlm.corpus.ingest.sources import Extract
from compactlm.params import FilesSource, HubSource, Ingest, PackageSource, Source
from compactlm.text.markdown import facts


def ingest_metrics(extracts: Mapping[str, Extract]) -> dict[str, object]:
    """Return the rows and characters of each source and in total.

    They also have, where there are any, the numbers of rows beyond a source's limit, of its queries, and of rows that were left out because
    their answer does not occur in their text.
    """
    sources: dict[str, dict[str, int]] = {
        name: {
            "rows": extract.rows,
            "characters": extract.characters,
            **_if_any(over_limit=extract.left, queries=extract.queries, without_answer=extract.lost),
        }
        for name, extract in extracts.items()
    }
    total = {unit: sum(figures[unit] for figures in sources.values()) for unit in ("rows", "characters")}
    return {"sources": sources, "total": total}


def _if_any(**counts: int) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def data_card(ingest: Ingest, extracts: Mapping[str, Extract]) -> str:
    """Return the data card as Markdown, with a table for each source; equal sources give equal bytes."""
    lines = ["# Data card", "", "The sources as `ingest` took them, before cleaning. Each keeps its own licence."]
    for name, extract in sorted(extracts.items()):
        source = ingest.sources[name]
        rows, characters = limits_of(source)
        known = {
            **_origin(source),
            "licence": source.licence,
            "homepage": source.homepage,
            "used for": f"task {extract.task}" if extract.task else "unlabelled text",
            "rows": _at_most(extract.rows, rows),
            "characters": _at_most(extract.characters, characters),
            **({"queries of the rows": f"{extract.queries:,}"} if extract.queries else {}),
            **({"rows left out, because their answer does not stand in the text": f"{extract.lost:,}"} if extract.lost else {}),
            "sha256 of the rows": f"`{extract.sha256}`",
        }
        lines += ["", f"## {name}", "", facts(known.items())]
    return "\n".join(lines) + "\n"


def _at_most(count: int, limit: int | None) -> str:
    return f"{count:,}" + ("" if limit is None else f" (at most {limit:,})")


def _origin(source: Source) -> dict[str, str]:
    if isinstance(source, PackageSource):
        return {
            "kind": f"package archive ({source.archive})",
            "package": f"{source.package} {source.version}",
            "sha256 of the archive": f"`{source.sha256}`",
            "member": " → ".join(f"`{member}`" for member in source.member),
        }
    if isinstance(source, FilesSource):
        pin = "not pinned" if source.sha256 is None else f"`{source.sha256}`"
        return {"kind": "local files", "path": f"`{source.path}`", "version": source.version, "sha256 of the file": pin}
    return _hub_origin(source)


def _hub_origin(source: HubSource) -> dict[str, str]:
    return {
        "kind": "data set of the model hub" + (", streamed" if source.streaming else ""),
        "data set": f"`{source.dataset}`" + ("" if source.name is None else f", configuration `{source.name}`"),
        "split": source.split,
        "revision": source.revision or "not pinned",
    }
