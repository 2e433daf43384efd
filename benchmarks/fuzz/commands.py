"""Target commands: odd texts as arguments, lines and files of every command that reads text.

A case passes if the exit status is 0, 1 or 2, standard error ends with one sentence after a failure, and every line has its answer.
"""

import io
import json
import random
import sys
from pathlib import Path

from benchmarks.fuzz.mutating import damage, text_of
from benchmarks.fuzz.runner import check_sentence
from compactlm.cli import main

SINGLE = ("fill", "inspect", "complete", "classify", "embed", "compare", "similar", "answer", "score", "tag", "extract", "rerank")
LINES = ("classify", "embed", "check", "summarize", "chat", "similar", "answer", "rerank", "score", "tag", "extract")
ANSWERED = ("classify", "embed", "chat")  # the default's models have these; each line gets an answer
PROGRAMS = ("preset", "expect", "summary", "review", "doctor", "verify", "watch", "pick", "adopt", "label")
USAGE = 2


def run(arguments: list[str], given: bytes) -> tuple[int, str, str]:
    """Run a command in this process, and return its status, output and errors."""
    before = sys.argv, sys.stdin, sys.stdout, sys.stderr
    output, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8", "replace") for _ in range(2))
    sys.argv, sys.stdin, sys.stdout, sys.stderr = ["compactlm", *arguments], io.TextIOWrapper(io.BytesIO(given)), output, errors
    status = 0
    try:
        main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    finally:
        sys.argv, sys.stdin, sys.stdout, sys.stderr = before
    for stream in (output, errors):
        stream.flush()
    written, told = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in (output, errors))  # type: ignore[attr-defined]
    return status, written, told


def _argument(rng: random.Random) -> str:
    return text_of(rng).replace("\x00", "").encode("utf-8", "replace").decode()  # the system passes no other arguments


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
        return [*arguments, "--context", "FILE", "--question", _argument(rng)], b"", None
    texts = [_argument(rng) for _ in range(2 if command == "compare" else 1)]
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
        return (arguments if command == "chat" else [*arguments, "--", _argument(rng)]), content, None
    if command in ("similar", "rerank"):
        return [command, "--file", "FILE", *options, "--", _argument(rng)], content, None
    if command == "extract":
        return [command, "--context", "FILE", "--file", "-", *options], content, None
    if command == "embed":
        return [command, *options, "-"], content, count
    fields = ["--field", "text"] if rng.random() < 0.5 else []
    pairs = ["--pair-field", "b"] if fields and rng.random() < 0.3 else []
    return [command, *options, *fields, *pairs, *rng.choice([["--file", "FILE"], ["-"]])], content, count


def _program(rng: random.Random) -> tuple[list[str], bytes, int | None]:
    command = rng.choice(PROGRAMS)
    options = rng.choice([[], ["--json"], ["--model", "FILE"], ["--file", "FILE"], ["--task", "x"], ["FILE"], ["--output", "FILE"]])
    return [command, *options, *(["--", _argument(rng)] if rng.random() < 0.5 else [])], b"", None


def case(rng: random.Random, directory: Path, models: Path) -> str:  # noqa: ARG001
    """Run a command in an empty directory, and return its name and status."""
    kind = rng.random()
    arguments, given, count = (_single if kind < 0.45 else _many if kind < 0.9 else _program)(rng)
    file, answers = directory / rng.choice(["lines.txt", "lines.jsonl"]), directory / "answers.jsonl"
    file.write_bytes(given or _lines(rng))
    answers.write_text('{"question": "is it good?", "answer": "very good"}\n{"text": "The film was bad."}\n', encoding="utf-8")
    (directory / "arguments.json").write_text(json.dumps(arguments), encoding="utf-8")
    arguments = [{"FILE": str(file), "ANSWERS": str(answers)}.get(one, one) for one in arguments]
    status, output, errors = run(arguments, given)
    assert status in (0, 1, USAGE), f"status {status}: {errors[-500:]}"
    if status == 1 and errors.strip():
        check_sentence(errors.strip().splitlines()[-1])
    assert status == 0 or errors.strip() or output.strip(), "a failure without a word"
    assert "Traceback" not in errors, errors[-2000:]
    if count is not None and arguments[0] in ANSWERED and status != USAGE and (status == 0 or "lines could not be read" in errors):
        lines = output.removesuffix("\n").split("\n") if output else []
        assert len(lines) == count, f"{count} lines came in, but {len(lines)} came out"
        for line in lines if "--json" in arguments else []:
            json.loads(line)
    return f"{arguments[0]} {status}"
