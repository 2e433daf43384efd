"""Target knowledge: files of answers with odd rows and damaged bytes, and indexes with damaged files."""

import json
import random
from pathlib import Path

from benchmarks.fuzz.mutating import CELLS, ODD, damage, text_of
from benchmarks.fuzz.runner import refusal
from compactlm import CompactLM
from compactlm.errors import CompactLMError

OPENED: dict[Path, CompactLM] = {}
ENDS = (".jsonl", ".jsonl", ".txt", ".txt", ".md", ".JSONL", ".csv", "")


def _content(rng: random.Random, end: str) -> str:
    if end.lower() != ".jsonl":
        return rng.choice(["\n", "\n\n", "\r\n\r\n"]).join(text_of(rng) for _ in range(rng.randrange(9)))
    rows = []
    for _ in range(rng.randrange(9)):
        row = {
            name: rng.choice(ODD) if rng.random() < 0.1 else text_of(rng) for name in ("question", "answer", "text") if rng.random() < 0.7
        }
        rows.append(json.dumps(row, ensure_ascii=rng.random() < 0.5))
    return rng.choice(["\n", "\r\n"]).join(rows)


def case(rng: random.Random, directory: Path, models: Path) -> str:
    """Ask a file some questions, damage its index, and ask again: the answers have to be the same."""
    lm = OPENED.setdefault(models, CompactLM(models, backend="int8", threads=1))
    end = rng.choice(ENDS)
    path, index = directory / f"answers{end}", directory / "index"
    content = _content(rng, end).encode("utf-8", "surrogatepass" if rng.random() < 0.1 else "replace")
    path.write_bytes(damage(content, rng))
    lines, questions = path.read_bytes().count(b"\n") + 1, [text_of(rng), rng.choice(CELLS)]
    try:
        found = [lm.knowledge(path, index).answer(question, -1.0) for question in questions]
    except CompactLMError as error:
        return refusal(error, directory)
    assert all(one.text is not None and 1 <= (one.line or 0) <= lines for one in found), found
    harmed = rng.choice(sorted(index.iterdir()))
    harmed.write_bytes(damage(harmed.read_bytes(), rng, (1, 3, 20)))
    again = [lm.knowledge(path, index).answer(question, -1.0) for question in questions]
    assert again == found, (again, found)
    return "answered"
