"""Rows of a data set on the model hub, or in a local directory of the same format, by `datasets.load_dataset`."""

from __future__ import annotations

import itertools
from pathlib import Path

from compactlm.corpus.ingest.limits import limits_of
from compactlm.errors import CompactLMError
from compactlm.params import HubSource
from compactlm.text.formats.tables import Rows


def read_hub(name: str, source: HubSource) -> Rows:
    """Yield the place and the cells of each row; a streamed data set is downloaded only up to its maximum of rows.

    Class labels are stored as numbers and yielded as names, also in lists. -1 means no label.

    Raises:
        CompactLMError: the data set cannot be loaded: the hub is offline or unreachable, or the data set or split does not exist.
    """
    # Imported late: it takes a second, and most experiments have no such source.
    import datasets
    from huggingface_hub.errors import HfHubHTTPError

    # The bases of the hub's error are OSError and the error of its HTTP client, which differs by version.
    failures = (*HfHubHTTPError.__bases__, ValueError, RuntimeError, datasets.exceptions.DatasetsError)
    try:
        rows = datasets.load_dataset(source.dataset, source.name, split=source.split, streaming=source.streaming, revision=source.revision)
        first = itertools.islice(rows, limits_of(source)[0]) if source.streaming else rows
        named = {column: feature.int2str for column, feature in (rows.features or {}).items() if isinstance(feature, datasets.ClassLabel)}
        listed = {
            column: feature.feature.int2str
            for column, feature in (rows.features or {}).items()
            if isinstance(getattr(feature, "feature", None), datasets.ClassLabel)
        }
        for number, row in enumerate(first):
            numbers = {column: -1 if row[column] is None else row[column] for column in named}
            names = {column: named[column](label) if label >= 0 else None for column, label in numbers.items()}
            lists = {column: [name(label) for label in row[column]] for column, name in listed.items() if row[column] is not None}
            yield f"row {number}", row | names | lists
    except failures as error:
        raise CompactLMError(_sentence(name, source, error)) from None


def _sentence(name: str, source: HubSource, error: Exception) -> str:
    reason = " ".join(str(error.__cause__ or error).split()).rstrip(".")
    kind = "the directory" if Path(source.dataset).is_dir() else "the hub's data set"
    configuration = f" ({source.name})" if source.name else ""
    return (
        f"ingest.sources.{name}: {kind} {source.dataset}{configuration}, split {source.split}, cannot be loaded: {reason}; set "
        f"ingest.sources.{name}.dataset to a local directory in the same format, or use a preset that needs no hub (make train "
        "PRESET=default)"
    )
