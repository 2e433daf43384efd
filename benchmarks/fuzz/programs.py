"""Arguments and files of the commands that read a project, train, serve or write files."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fuzz.material import argument, git, options_of, write_project, write_rows
from benchmarks.fuzz.mutating import changed, damage, text_of
from benchmarks.fuzz.running import run

RARE = 0.1  # the share of commands that take many seconds
STARTED = 1_200  # tenths of a second that a server may take to start
TAGS = ("compactlm@v0.1.0", "compactlm@v9.1.0-rc.1", "compactlm#production#1", "compactlm#production!#2", "compactlm@v0.1.0!", "x@v1", "v1")
NUMBERS = ("0", "1", "-1", "nan", "inf", "1e999", "0.5", "9" * 30, "", "x")
SHARES = [*NUMBERS, "0.3", "0.7"]

Drawn = tuple[list[str], bytes]
Program = Callable[[random.Random, Path, Path], Drawn]


def draw(rng: random.Random, directory: Path, models: Path) -> Drawn:
    """Write the files of a command to the working directory, and return its arguments and its standard input."""
    if rng.random() < 0.5:
        write_project(rng, models.parents[1])
    program = rng.choice(SLOW if rng.random() < RARE else QUICK)
    arguments, given = program(rng, directory, models)
    if rng.random() < 0.05:
        arguments.insert(rng.randrange(1, len(arguments) + 1), argument(rng))
    return arguments, given


def _plain(rng: random.Random, directory: Path, models: Path) -> Drawn:  # noqa: ARG001
    command = rng.choice(["preset", "expect", "summary", "review", "doctor", "verify", "adopt", "label", "watch", "pick", "rollback"])
    options = rng.choice([[], ["--json"], ["--model", "x"], ["--file", "x"], ["--task", "x"], ["x"], ["--output", "x"], ["--markdown"]])
    return [command, *options, *(["--", argument(rng)] if rng.random() < 0.5 else [])], b""


def _watch(rng: random.Random, directory: Path, models: Path) -> Drawn:  # noqa: ARG001
    options = options_of(
        rng, {"--field": ["text", "question", "score"], "--level": [*NUMBERS, "0.02"], "--task": ["sentiment", "mlm", ".."]}
    )
    options += options_of(rng, {"--most": ["30", "40"], "--report": ["watch.json", ".", "none/watch.json"], "--seed": ["0", "7"]})
    return ["watch", str(write_rows(rng)), *options, *(["--json"] if rng.random() < 0.3 else [])], b""


def _pick(rng: random.Random, directory: Path, models: Path) -> Drawn:  # noqa: ARG001
    options = options_of(
        rng, {"--field": ["text", "question", "score"], "--count": ["1", "9", "999"], "--task": ["sentiment", "mlm", ".."]}
    )
    options += options_of(rng, {"--random": SHARES, "--diversity": SHARES, "--output": ["p.csv", ".", "none/p.jsonl", "p.x"]})
    rows = write_rows(rng)
    return ["pick", str(rows), *options, *([f"--labelled={write_rows(rng)}"] if rng.random() < 0.3 else [])], b""


def _label(rng: random.Random, directory: Path, models: Path) -> Drawn:  # noqa: ARG001
    keys = "".join(rng.choices(["1", "2", "s", "u", "q", "\n", "x", "\x1b"], k=rng.randrange(9))).encode()
    options = options_of(rng, {"--annotator": ["bo"], "--labels": ["a,b", "a", ","], "--field": ["text", "score"], "--question": ["label"]})
    flags = [flag for flag in ("--differing", "--from-export") if rng.random() < 0.3]
    return [
        "label",
        str(write_rows(rng)),
        *options,
        *flags,
        *options_of(rng, {"--output": ["l.jsonl", ".", "none/l.jsonl", "l.csv"]}),
    ], keys


def _adopt(rng: random.Random, directory: Path, models: Path) -> Drawn:  # noqa: ARG001
    options = options_of(
        rng, {"--task": ["sentiment", "x"], "--field": ["text"], "--label": ["label", "score"], "--weight": [*NUMBERS, "2"]}
    )
    what = [f"--remove={argument(rng)}"] if rng.random() < 0.2 else [str(write_rows(rng))]
    return ["adopt", *what, *options, *(["--held-out"] if rng.random() < 0.3 else [])], b""


def _promote(rng: random.Random, directory: Path, models: Path) -> Drawn:  # noqa: ARG001
    if rng.random() < 0.8:
        git("init", "--quiet")
        git("add", ".")
        git("commit", "--quiet", "--allow-empty", "--message", "x")
        for tag in rng.sample(TAGS, rng.randrange(4)):
            git("tag", *(["--annotate", "--message", argument(rng) or "x"] if rng.random() < 0.8 else []), tag)
    if rng.random() < 0.3:
        return ["rollback", *([rng.choice(["v0.1.0", "--", argument(rng)])] if rng.random() < 0.5 else [])], b""
    flags = [flag for flag in ("--first", "--dry-run", "--markdown", "--report") if rng.random() < 0.4]
    return ["promote", *flags, *options_of(rng, {"--output": ["verdict", "params.yaml"]})], b""


def _blind(rng: random.Random, directory: Path, models: Path) -> Drawn:  # noqa: ARG001
    options = options_of(rng, {"--pairs": ["5", "1", "9999"], "--repeats": ["0", "1", "99"], "--margin": [*NUMBERS, "0.1"]})
    options += options_of(rng, {"--task": ["sentiment", "x"], "--seed": ["0", "-1", "9" * 30], "--output": ["blind", "params.yaml"]})
    return ["blind", *options], b""


def _score(rng: random.Random, directory: Path, models: Path) -> Drawn:  # noqa: ARG001
    key = Path("blind/key.json")
    run(["blind", "--pairs=6", "--repeats=1"], b"")
    whole = json.loads(key.read_text(encoding="utf-8")) if key.is_file() else {"page": "x", "pairs": [{}] * 6}
    paths = []
    for judge in range(rng.randrange(1, 4)):
        votes: Any = [
            {"pair": number, "right": rng.choice(["left", "right", "both"]), "teacher": rng.choice(["left", "neither"])}
            for number in range(len(whole["pairs"]))
        ]
        content: Any = {"judge": f"judge {judge}", "page": whole["page"], "votes": votes}
        paths.append(Path(f"votes-{judge}.json"))
        paths[-1].write_text(json.dumps(changed(content, rng) if rng.random() < 0.4 else content))
    if key.is_file() and rng.random() < 0.3:
        key.write_text(json.dumps(changed(whole, rng)))
    return ["blind", "score", *map(str, paths), *(["--json"] if rng.random() < 0.5 else [])], b""


def _judge(rng: random.Random, directory: Path, models: Path) -> Drawn:  # noqa: ARG001
    return ["blind", "judge", *options_of(rng, {"--task": ["sentiment", "x"], "--seed": ["0", "-1", "9" * 30]})], b""


def _finetune(rng: random.Random, directory: Path, models: Path) -> Drawn:  # noqa: ARG001
    columns = rng.choice(
        [
            *[["--text=text", "--label=label"]] * 2,
            ["--text=text", "--pair=question", "--label=label"],
            ["--text=text", "--labels=labels", "--separator=,"],
            ["--text=text", "--score=score"],
            ["--words=words", "--tags=tags"],
            ["--text=text", "--question=question", "--answer=answer"],
            [],
        ]
    )
    if rng.random() < 0.2:
        columns = [one.split("=")[0] + f"={rng.choice(['label', 'score', 'words', argument(rng)])}" for one in columns]
    options = options_of(rng, {"--learning-rate": NUMBERS, "--seed": ["1", "9" * 30], "--output": ["out", "rows.csv", "none/out", "."]})
    data = str(write_rows(rng))
    return ["finetune", data, *columns, *options, "--epochs=1", "--threads=1", f"--model={models.parent / 'student'}"], b""


def _page(rng: random.Random, directory: Path, models: Path) -> Drawn:  # noqa: ARG001
    card = Path("card.md")
    card.write_bytes(damage(f"# card\n\n| a | b |\n| - | - |\n| {text_of(rng)} | [x](javascript:x) |\n".encode("utf-8", "replace"), rng))
    options = options_of(
        rng, {"--title": [argument(rng)], "--card": ["card.md", ".", "none.md"], "--output": ["page.html", ".", "none/x.html"]}
    )
    options += options_of(rng, {"--folder": ["site", "card.md"], "--runtime": ["card.md", ".", "none"]})
    return ["page", *options, "--only=sentiment"], b""


async def _ends(server: Any, counter: int) -> bool:
    assert counter < STARTED, "the server neither starts nor fails"
    return server.service.state == "ready" or server.service.failure is not None


def _serve(rng: random.Random, directory: Path, models: Path) -> Drawn:  # noqa: ARG001
    from compactlm.serving.server import GracefulServer

    GracefulServer.on_tick = _ends  # type: ignore[method-assign]  # it ends as soon as it has started
    options = options_of(
        rng, {"--host": ["::1", "x" * 300, "a..b", "", "256.0.0.1", "127.0.0.1"], "--name": ["x", " "], "--token": ["x", " "]}
    )
    options += options_of(rng, {"--knowledge": [str(write_rows(rng)), "."], "--capture": ["log.jsonl", ".", "none/log.jsonl"]})
    options += options_of(rng, {"--capture-share": SHARES, "--wait-ms": list(NUMBERS), "--queue-tokens": list(NUMBERS)})
    options += options_of(rng, {"--shadow": [str(models), ".", "none"], "--backend": ["int8", "onnx"], "--model": [str(models), "none"]})
    ports = [f"--port={rng.choice(NUMBERS)}"] if rng.random() < 0.2 else ["--port=0"]
    return ["serve", *options, *ports, "--drain-seconds=0", "--grace-seconds=1", "--threads=1"], b""


QUICK: tuple[Program, ...] = (_plain, _plain, _watch, _pick, _label, _adopt, _promote, _blind, _score)
SLOW: tuple[Program, ...] = (_finetune, _finetune, _page, _serve, _judge)
