"""Find near-duplicates as the stages do: signatures for each shard, clusters over all shards."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from compactlm.corpus.duplicates.signatures import SignatureShards, SignShard
from compactlm.params import NearDuplicates


def clusters_of(texts: list[str], settings: NearDuplicates, seed: int, directory: Path) -> list[int]:
    """Return for each text the number of the first text in its cluster. All texts are in one shard."""
    table = pa.table({"id": [f"{at:05d}" for at in range(len(texts))], "text": pa.array(texts, pa.string())})
    path = directory / "signatures.parquet"
    pq.write_table(SignShard(settings, seed)(table)[0], path)
    return SignatureShards([path]).clusters(settings).tolist()
