import hashlib
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from compactlm import artifacts
from compactlm.params import Params, parse_params
from compactlm.stages import clean, ingest, split


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, default_params: str) -> dict[str, Any]:
    """Parameters, and a working directory with a source of 200 rows; cleaning drops three of them."""
    monkeypatch.chdir(tmp_path)
    rng = random.Random(1)
    rows = [f"film {number} was <b>{rng.choice(['fine', 'dull'])}</b>\td{number // 2}\t" for number in range(197)]
    lines = [row + ("positive" if "fine" in row else "negative") for row in rows]
    lines += ["FILM 3  was " + ("fine" if "fine" in lines[3] else "dull") + "\tz\t" + lines[3].split("\t")[2]]
    lines += ["<br>\ty\tnegative", "abc\tx\tnegative"]
    Path("films.tsv").write_text("text\tdocument\tlabel\n" + "\n".join(lines) + "\n", encoding="utf-8")
    composed: dict[str, Any] = yaml.safe_load(default_params)
    columns = {"text": "text", "document": "document", "label": "label"}
    composed["ingest"] = {"sources": {"films": {"kind": "files", "path": "films.tsv", "columns": columns}}}
    composed["tasks"]["sentiment"]["sources"] = ["films"]
    composed["signals"]["task"]["unlabelled"] = []
    composed["evaluate"]["embedding"]["retrieval"] = []
    composed["clean"]["minimum_characters"] = 5
    return composed


def run_all(composed: dict[str, Any]) -> dict[str, str]:
    params: Params = parse_params(composed)
    for stage in (ingest, clean, split):
        stage.main(params)
    files = [path for folder in ("data", "reports") for path in Path(folder).rglob("*") if path.is_file()]
    inputs = artifacts.SHARDS, Path("data/sources")
    files = [path for path in files if not any(path.is_relative_to(folder) for folder in inputs)]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_data_stages_write_their_artifacts(project: dict[str, Any]) -> None:
    written = run_all(project)
    assert sorted(written) == [
        "data/clean/part-00000.parquet",
        "data/raw/part-00000.parquet",
        "data/split/test/part-00000.parquet",
        "data/split/train/part-00000.parquet",
        "data/split/validation/part-00000.parquet",
        "reports/data-card.md",
        "reports/metrics/clean.json",
        "reports/metrics/diversity.json",
        "reports/metrics/ingest.json",
        "reports/metrics/split.json",
        "reports/notices/clean.txt",
        "reports/notices/split.txt",
        *(f"reports/plots/{name}/{split}.tsv" for name in ("vocabulary", "words") for split in ("test", "train", "validation")),
        "reports/samples/dropped.tsv",
    ]
    cleaned = artifacts.read_documents(artifacts.CLEAN)
    assert len(artifacts.read_documents(artifacts.RAW)) == 200
    assert len(cleaned) == 197
    parts = [artifacts.read_documents(artifacts.SPLIT / name) for name in artifacts.SPLITS]
    assert sorted((row for part in parts for row in part), key=lambda row: row.id) == cleaned
    dropped = artifacts.read_json(artifacts.METRICS / "clean.json")["total"]["dropped"]
    assert {reason: count for reason, count in dropped.items() if count} == {"duplicate": 1, "empty": 1, "too_short": 1}
    assert artifacts.read_json(artifacts.METRICS / "split.json")["leakage"]["as_split"]["documents"] == 0


def test_the_same_rows_in_another_order_give_the_same_bytes(project: dict[str, Any]) -> None:
    first = run_all(project)
    head, *lines = Path("films.tsv").read_text(encoding="utf-8").splitlines()
    random.Random(7).shuffle(lines)
    Path("films.tsv").write_text("\n".join([head, *lines]), encoding="utf-8")
    assert run_all(project) == first


@pytest.mark.slow
def test_shards_of_any_size_and_processes_give_the_same_bytes(project: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_all(project)
    for stage in (ingest, clean, split):
        monkeypatch.setattr(stage, "MEGABYTE", 1_500)
    project["data"]["shard_megabytes"] = 1
    project["data"]["processes"] = 2
    assert run_all(project) == first
    assert len(list((artifacts.SHARDS / "clean" / "in").iterdir())) > 3
