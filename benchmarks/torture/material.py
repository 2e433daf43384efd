"""A project of a few rows: a wheel with labelled rows and a tiny teacher, a file of unlabelled rows, and params.yaml."""

import csv
import io
import itertools
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import yaml

from compactlm.artifacts import file_sha256
from compactlm.params.files import insert_files
from compactlm.presets import compose

PACKAGE, VERSION = "compactlm-torture-material", "1.0"
FOLDER = "compactlm_torture_material"
WHEEL = f"{FOLDER}-{VERSION}-py3-none-any.whl"
NOTES = Path("data/sources/notes.csv")
LABELS = ("negative", "positive")
SUBJECTS = ("the film", "a slow story", "the old actor", "young people", "the bright music", "a quick plot")
GOOD = ("was very good", "loved the ending", "was warm and bright")
BAD = ("was bad", "hated it", "never played again")
TAILS = (".", "!", ", and the dog played with a cat.", " by the river in winter 1999?")
SPECIAL = ("[PAD]", "[unused0]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
NOTE_ROWS, NOTE_SENTENCES = 420, 40  # more than 1 MB, so that the data stages work on several shards


def _reviews() -> list[tuple[str, str]]:
    made = itertools.product(range(2), SUBJECTS, [(GOOD, 1), (BAD, 0)], range(3), TAILS)
    return [
        (f"{'she' if row % 3 else 'he'} said {subject} {verdicts[at]}{tail} {row}", LABELS[label])
        for row, (_, subject, (verdicts, label), at, tail) in enumerate(made)
    ]


def _note(row: int) -> str:
    said = [
        f"{SUBJECTS[(row + at) % 6]} {(*GOOD, *BAD)[(row * 7 + at * at) % 6]} on day {row * 41 + at * 13}." for at in range(NOTE_SENTENCES)
    ]
    return " ".join(said)


def _csv(header: list[str], rows: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def _write_teacher(directory: Path) -> None:
    import torch
    from transformers import BertConfig, BertForMaskedLM, BertTokenizer

    letters = [form for letter in "abcdefghijklmnopqrstuvwxyz0123456789" for form in (letter, f"##{letter}")]
    words = (
        " ".join((*SUBJECTS, *GOOD, *BAD, *TAILS, "he she said day notes")).replace(",", " ").replace(".", " ").replace("?", " ").split()
    )
    tokens = list(dict.fromkeys([*SPECIAL, *".,!?", *letters, *words]))
    torch.manual_seed(5)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 64}
    # The large range gives clearly different outputs without pretraining.
    BertForMaskedLM(BertConfig(vocab_size=len(tokens), initializer_range=0.2, **shape)).save_pretrained(directory)
    BertTokenizer(vocab={token: index for index, token in enumerate(tokens)}, model_max_length=64).save_pretrained(directory)


def write_wheel(directory: Path) -> str:
    """Write the wheel, which has the same bytes each time, and return its sha256."""
    with tempfile.TemporaryDirectory() as scratch:
        _write_teacher(Path(scratch))
        files = {f"{FOLDER}/teacher/{path.name}": path.read_bytes() for path in sorted(Path(scratch).iterdir()) if path.is_file()}
    files[f"{FOLDER}/reviews.csv"] = _csv(["text", "label"], _reviews()).encode()
    about = f"{FOLDER}-{VERSION}.dist-info"
    files[f"{about}/METADATA"] = f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {VERSION}\n".encode()
    files[f"{about}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: compactlm\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{about}/RECORD"]).encode()
    directory.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(directory / WHEEL, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content)
    return file_sha256(directory / WHEEL)


def write_project(sha256: str) -> None:
    """Write the unlabelled rows and params.yaml to the working directory."""
    NOTES.write_text(_csv(["text"], [[_note(row)] for row in range(NOTE_ROWS)]), encoding="utf-8")
    content = insert_files(yaml.safe_load(compose("smoke")))
    archive = {"kind": "package", "package": PACKAGE, "version": VERSION, "archive": "wheel", "sha256": sha256, "licence": "own"}
    columns = {"text": "text", "label": {"column": "label", "names": None}}
    content["ingest"] = {
        "sources": {
            "reviews": {
                **archive,
                "member": [f"{FOLDER}/reviews.csv"],
                "format": "csv",
                "header": True,
                "encoding": "utf-8",
                "homepage": "none",
                "limit": None,
                "columns": {"document": None, "attributes": {}, "queries": None, **columns},
            },
            "notes": {"kind": "files", "path": str(NOTES), "columns": {"text": "text"}},
        }
    }
    content["tasks"] = {"sentiment": {"sources": ["reviews"], "labels": list(LABELS), "metric": "accuracy"}}
    content["bias_audit"] |= {"protected": {"sentiment": ["gender"]}, "favorable_labels": {"sentiment": "positive"}}
    content["bootstrap"]["samples"] = 100
    content["signals"]["task"]["unlabelled"] = ["notes"]
    content["signals"]["task"]["unlabelled_sequences"] = 50
    for section in (content["teacher"]["fine_tuning"], content["distill"]["task"]):
        section["optimisation"] |= {"learning_rate": 0.005, "epochs": 16, "dropout": 0.0}
    content["teacher"] |= {"source": {**archive, "directory": f"{FOLDER}/teacher"}, "parameters": None, "maximum_length": 64}
    content["student"] |= {
        "layers": 1,
        "hidden_size": 24,
        "attention_heads": 2,
        "intermediate_size": 48,
        "vocabulary_size": 100,
        "budget": 0.9,
    }
    content["tokenize"]["maximum_length"] = 64
    content["distill"]["checkpoint_minutes"] = 0.0  # a checkpoint after each reading of the losses
    content["evaluate"]["embedding"]["retrieval"] = []
    content["evaluate"]["timings"] |= {"batches": [1], "seconds": 0.05}
    content["evaluate"] |= {"mlm_words": 30, "forgetting_words": 20}
    content["evaluate"]["robustness"]["rows"] = 10
    content["evaluate"]["pseudo_perplexity"] |= {"rows_a_source": 3}
    content["export"] |= {"check_rows": 20, "general_rows": 20}
    content |= {"precision": "fp32", "threads": 1, "energy": {"track": False, "country": None}}
    Path("params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
