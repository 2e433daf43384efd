"""Build the rows of a split without files."""

import numpy as np
import pyarrow as pa

from compactlm.artifacts import DOCUMENT_SCHEMA, SPLITS, Document
from compactlm.corpus.duplicates.placing import Homes
from compactlm.corpus.split.rows import Rows, SplitKeyShard, read_rows
from compactlm.params import Split

SPLIT = Split(
    train=0.7, validation=0.15, test=0.15, placement="stratified", near_duplicates=None, across_splits="report", weights={}, sources={}
)


def to_rows(documents: list[Document], seed: int = 0) -> Rows:
    """Return the rows of two shards with these documents, which must be sorted by id."""
    tables = []
    for part in (documents[: len(documents) // 2], documents[len(documents) // 2 :]):
        cells = [{name: getattr(row, name) for name in DOCUMENT_SCHEMA.names} for row in part]
        tables.append(SplitKeyShard(seed)(pa.Table.from_pylist(cells, DOCUMENT_SCHEMA))[0])
    return read_rows(tables)


def split_of(documents: list[Document], homes: Homes) -> dict[str, list[Document]]:
    return {name: [documents[index] for index in np.flatnonzero(homes == home)] for home, name in enumerate(SPLITS)}
