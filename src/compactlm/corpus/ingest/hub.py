"""Rows of a data set of the model hub, or of a local directory in the same format, by `datasets.load_dataset`."""

from __future__ import annotations

import itertools
from pathlib import Path

from compactlm.errors import CompactLMError
from compactlm.params import HubSource
from compactlm.text.tables import Rows


def read_hub(name: str, source: HubSource) -> Rows:
    """Yield the place and the cells of each row; of a streamed data set no more than its maximum of rows is fetched.

    Args:
        name: the source's name in params.yaml, for messages.
        source: which data set, configuration, revision and split.

    Raises:
        CompactLMError: the data set cannot be loaded: the hub is off or out of reach, or has no such data set or split.
    """
    # Imported here: it takes a second, and most experiments have no source of this kind.
    import datasets
    from huggingface_hub.errors import HfHubHTTPError

    # The bases of the hub's own error are OSError and whatever its HTTP client raises, which differs by version.
    failures = (*HfHubHTTPError.__bases__, ValueError, RuntimeError, datasets.exceptions.DatasetsError)
    try:
        rows = datasets.load_dataset(source.dataset, source.name, split=source.split, streaming=source.streaming, revision=source.revision)
        first = itertools.islice(rows, source.maximum_rows) if source.streaming else rows
        for number, row in enumerate(first):
            yield f"row {number}", row
    except failures as error:
        raise CompactLMError(_sentence(name, source, error)) from None


def _sentence(name: str, source: HubSource, error: Exception) -> str:
    reason = " ".join(str(error.__cause__ or error).split()).rstrip(".")
    kind = "the directory" if Path(source.dataset).is_dir() else "the hub's data set"
    configuration = f" ({source.name})" if source.name else ""
    return (
        f"ingest.sources.{name}: {kind} {source.dataset}{configuration}, split {source.split}, cannot be loaded: {reason}; either name a "
        f"local directory in the same format in ingest.sources.{name}.dataset, or choose a preset that needs no hub (make train "
        "PRESET=default)"
    )
