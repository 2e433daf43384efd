"""Target commands: odd texts as arguments, lines and files of every command that reads text.

A case passes if the exit status is 0, 1 or 2, standard error ends with one sentence after a failure, and every line has its answer.
"""

import json
import os
import random
import unicodedata
from pathlib import Path

from benchmarks.fuzz.material import argument, roots
from benchmarks.fuzz.mutating import damage, text_of
from benchmarks.fuzz.programs import draw
from benchmarks.fuzz.runner import check_sentence
from benchmarks.fuzz.running import run

SINGLE = ("fill", "inspect", "complete", "classify", "embed", "compare", "similar", "answer", "score", "tag", "extract", "rerank")
LINES = ("classify", "embed", "check", "summarize", "chat", "similar", "answer", "rerank", "score", "tag", "extract")
ANSWERED = ("classify", "embed", "chat", "score", "tag", "extract")  # each line gets an answer
OF_KINDS = ("score", "tag", "extract", "rerank", "classify")  # these need models that `make kinds` makes, or can use them
USAGE = 2


def _lines(rng: random.Random) -> bytes:
    texts = [text_of(rng).replace("\n", " ") for _ in range(rng.randrange(7))]
    if rng.random() < 0.4:
        texts = [json.dumps({rng.choice(["text", "text", "question", "b"]): text, "b": rng.choice([text, 1, None])}) for text in texts]
    content = "".join(text + rng.choice(["\n", "\n", "\r\n"]) for text in texts)
    return damage(content.encode("utf-8", "replace"), rng)


def _single(rng: random.Random) -> tuple[list[str], bytes, int | None]:
    command = rng.choice(SINGLE)
    arguments = [command, *(["--json"] if rng.random() < 0.3 else [])]
    if command in ("answer", "rerank"):
        arguments += ["--knowledge" if command == "answer" else "--file", "FILE"]
    if command == "extract":
        return [*arguments, "--context", "FILE", "--question", argument(rng)], b"", None
    texts = [argument(rng) for _ in range(2 if command == "compare" else 1)]
    if rng.random() < 0.1:
        texts[0] = "-"
    dashes = ["--"] if rng.random() < 0.8 else []
    return [*arguments, *dashes, *texts], _lines(rng), None


def _many(rng: random.Random) -> tuple[list[str], bytes, int | None]:
    command, content = rng.choice(LINES), _lines(rng)
    count = content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    options = ["--json"] if rng.random() < 0.5 else []
    if command in ("check", "summarize"):
        return [command, *options, rng.choice(["FILE", "-"])], content, None
    if command in ("chat", "answer"):
        arguments = [command, "--knowledge", "ANSWERS", *options]
        return (arguments if command == "chat" else [*arguments, "--", argument(rng)]), content, None
    if command in ("similar", "rerank"):
        options += ["--task", "boolq"] if command == "rerank" and rng.random() < 0.3 else []
        return [command, "--file", "FILE", *options, "--", argument(rng)], content, None
    if command == "extract":
        fields = ["--context-field", "b"] if rng.random() < 0.3 else ["--context", "ANSWERS"]
        return [command, *fields, "--file", "-", *options], content, count
    if command == "embed":
        return [command, *options, "-"], content, count
    if command == "classify" and rng.random() < 0.3:
        options += ["--task", rng.choice(["toxicity", "boolq"])]
    fields = ["--field", "text"] if rng.random() < 0.5 else []
    pairs = ["--pair-field", "b"] if fields and rng.random() < 0.3 else []
    return [command, *options, *fields, *pairs, *rng.choice([["--file", "FILE"], ["-"]])], content, count


def _prepare(rng: random.Random, directory: Path, models: Path) -> tuple[list[str], bytes, int | None]:
    """Write the files of a case, and return the arguments, the input, and the number of lines that need an answer."""
    kind = rng.random()
    if kind > 0.8:
        return *draw(rng, directory, models), None
    arguments, given, count = (_single if kind < 0.4 else _many)(rng)
    file, answers = directory / rng.choice(["lines.txt", "lines.jsonl"]), directory / "answers.jsonl"
    file.write_bytes(_lines(rng) if count is None and not given else given)
    answers.write_text('{"question": "is it good?", "answer": "very good"}\n{"text": "The film was bad."}\n', encoding="utf-8")
    return [{"FILE": str(file), "ANSWERS": str(answers)}.get(one, one) for one in arguments], given, count


def case(rng: random.Random, directory: Path, models: Path) -> str:
    """Run a command in its own directory, and return its name and status."""
    arguments, given, count = _prepare(rng, directory, models)
    (directory / "arguments.json").write_text(json.dumps([arguments, given.decode("latin-1")]), encoding="utf-8")  # kept for a finding
    place = rng.choice(roots(models)) if arguments[0] in OF_KINDS else models
    os.environ["COMPACTLM_MODEL"] = str(place)
    status, output, errors = run(arguments, given)
    assert status in (0, 1, USAGE), f"status {status}: {errors[-500:]}"
    assert "Traceback" not in errors, errors[-2000:]
    for line in errors.split("\n"):
        assert not any(unicodedata.category(one) == "Cc" for one in line), f"a line with control characters: {line!r}"
        if line.startswith("compactlm: "):
            check_sentence(line)
    assert status == 0 or errors.strip() or output.strip(), "a failure without a word"
    if count is not None and arguments[0] in ANSWERED and status != USAGE and (status == 0 or "lines could not be read" in errors):
        lines = output.removesuffix("\n").split("\n") if output else []
        assert len(lines) == count, f"{count} lines came in, but {len(lines)} came out"
        for line in lines if "--json" in arguments else []:
            json.loads(line)
    return f"{arguments[0]} {status}"
