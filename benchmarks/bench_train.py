"""Compare the training speed of compactlm with a plain Trainer, TextBrewer and sentence-transformers: `make bench-train`.

The contenders run one after another, each in its own process, on the data and the teacher of `dvc repro`.
"""

import argparse
import dataclasses
import importlib.util
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from benchmarks.shared import harness
from benchmarks.shared.machine import processor
from benchmarks.train import tables
from benchmarks.train.jobs import ROWS, STATIC, Job, Kind, Phase, Vocabulary
from compactlm import artifacts
from compactlm.params import Params
from compactlm.shapes.layers import needs_signals

REPORT = Path("reports/benchmarks/train")
PHASES = get_args(Phase)
PACKAGES = ("compactlm", "torch", "transformers", "sentence-transformers", "textbrewer")
STEADY = 0.85  # the smallest ratio of the slower to the faster matrix rate; below it the machine was busy
METHOD = """
Only real tokens are counted, not padding. All contenders train a student of the same shape on the same sequences, with the same losses
(soft targets, hidden states through learned projections, hard labels if params.yaml gives them a weight) and with the same mean number of
real tokens in a batch. A clock at the optimizer's step leaves out 3 warm-up steps, and divides the steps of the next {seconds:g} s into
thirds. The speed is the median of the thirds.

The plain Trainer and TextBrewer keep their defaults: dropout 0.1, fp32, AdamW, and the teacher runs at every step. In general distillation
the plain Trainer pads to a fixed length and computes logits at every position. In task distillation both pad to the longest row of a batch.
"Text packed" joins the same sequences and splits them into rows of the longest length, so there is no padding. The teacher of these
contenders scores only the student's tokens. Ours follows params.yaml except for the source of the signals. TextBrewer's soft targets are a
cross-entropy, which has the same gradient as the divergence.

In the phase embedding all train the same texts and the same student, towards the teacher's vectors. sentence-transformers uses its trainer
with MSELoss and labels that are computed before, at a batch size of {rows} and with its other defaults. Ours has all losses of params.yaml.
"The table alone" is our training without layers, and "token vectors" trains all layers on the teacher's vectors of each token of the single
texts. "Both" is one after the other, in the epochs of params.yaml; the rest of the default's phase takes seconds. The phase is left out for
a teacher that is no sentence encoder, and general distillation for a params.yaml whose losses do not compare with a teacher.

Memory is the peak resident memory of the process. A cache is read from the disk batch by batch, so its size does not matter.

The share of the matrix rate is the arithmetic of a contender, padding included, divided by the faster of two measured matrix rates. A
multiply-add counts as 2 operations. The arithmetic is that of all layers, masked-language-model heads and projections: three forwards for
trained modules and one for the teacher. Embeddings, norms, losses, classifier heads and the optimizer are not counted.
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-train", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="the time for each contender, after the warm-up")
    kinds = ("default", "full", "both")
    parser.add_argument("--vocabulary", choices=kinds, default="both", help="the student's vocabulary; full: the teacher's")
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=PHASES, help="the phases to measure; by default all")
    parser.add_argument("--sequences", type=int, nargs=2, default=(512, 2000), metavar=("GENERAL", "TASK"))
    parser.add_argument("--texts", type=int, default=8000, help="the number of items of the phase embedding")
    parser.add_argument("--threads", type=int, help="the number of threads instead of params.yaml's")
    parser.add_argument("--profile", action="store_true", help="also measure the parts of one of our steps")
    parser.add_argument("--parts", action="store_true", help="also measure compactlm without each optimisation in turn")
    return parser.parse_args()


def _check_workspace(task: str) -> None:
    """Exit with one sentence if something is missing."""
    needed = [artifacts.ID_MAP, *(artifacts.TEACHER / name / "config.json" for name in (artifacts.BASE, task))]
    needed += [next((artifacts.TOKENIZED / name).glob("part-*.parquet"), artifacts.TOKENIZED / name) for name in ("train", "augmented")]
    missing = [path for path in needed if not path.exists() or path.is_dir()]
    if missing:
        sys.exit(f"bench-train: {missing[0]} is missing; run `make train` first, which makes the data and the teacher")
    for module, name in (("textbrewer", "TextBrewer"), ("sentence_transformers", "sentence-transformers")):
        if not importlib.util.find_spec(module):
            sys.exit(f"bench-train: {name} is not installed; run `make bench-train`, which installs it")


def _plan(arguments: argparse.Namespace, params: Params) -> Iterator[tuple[Kind, Phase, Vocabulary, dict[str, Any]]]:
    """Yield kind, phase, vocabulary and more of each job, in order. A cache is written before it is read."""
    vocabularies: list[Vocabulary] = ["default", "full"] if arguments.vocabulary == "both" else [arguments.vocabulary]
    possible: tuple[Phase, ...] = ("general", "task") if needs_signals(params.distill.general) else ("task",)
    phases = [phase for phase in possible if phase in arguments.phases]
    kinds: tuple[Kind, ...] = ("plain", "online", "cache", "cached")
    for vocabulary in vocabularies:
        for phase in phases:
            for kind in kinds:
                yield kind, phase, vocabulary, {}
            # TextBrewer has only task distillation, and a classifier's rows cannot be packed.
            yield "textbrewer" if phase == "task" else "packed", phase, vocabulary, {}
    if "embedding" in arguments.phases and (artifacts.SIGNALS / STATIC).exists():
        of_tokens: tuple[Kind, ...] = ("tokens",) if params.distill.embedding.tokens else ()
        ours: tuple[Kind, ...] = ("online", "cache", "cached", "table", *of_tokens)
        for kind in ("sentence-transformers", *ours):
            yield kind, "embedding", "default", {}
    for phase in phases:
        if arguments.profile:
            yield "cached", phase, vocabularies[0], {"profile": True}
        if arguments.parts:
            for part in (["dense"] if phase == "general" else []) + ["dropout", "padding", "bf16"]:
                yield "cached", phase, vocabularies[0], {"part": part}


def _run(job: Job) -> dict[str, Any]:
    return harness.run_job("bench-train", job.title, "benchmarks.train.contender", job, Path(job.directory))


def main() -> None:
    """Run all contenders, print the tables and write them to reports/benchmarks."""
    arguments = _arguments()
    params = harness.params_of("bench-train")
    _check_workspace(next(iter(params.tasks)))
    console = harness.new_console(150)
    threads = arguments.threads or params.threads
    counts = {**dict(zip(("general", "task"), arguments.sequences, strict=True)), "embedding": arguments.texts}
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="bench-train-") as directory:
        products = Job("machine", threads, 0, 0, directory)
        rate = _run(products)["flops"]
        machine = f"{processor()}: {rate / 1e9:,.0f} GFLOP/s in products of 2048-square fp32 matrices, {threads} threads"
        console.print(machine)
        for kind, phase, vocabulary, more in _plan(arguments, params):
            job = Job(kind, threads, arguments.seconds, counts[phase], directory, phase, vocabulary, **more)
            found = {"job": dataclasses.asdict(job), **_run(job)}
            del found["job"]["directory"]
            results.append(found)
            trained = f", {found['tokens_a_second']:,.0f} tokens/s in {found['steps']} steps" if kind != "cache" else ""
            console.print(f"{job.title}: {found['seconds']:.1f} s{trained}")
        after = _run(products)["flops"]
    note = f"The same products after all contenders: {after / 1e9:,.0f} GFLOP/s."
    if min(rate, after) < STEADY * max(rate, after):
        note += " The two differ: something else used the machine meanwhile, so measure again."
    versions = harness.versions(PACKAGES)
    text = [f"# Training speed, on one machine\n\n{machine}. {note} {harness.named(versions)}."]
    # Other processes can only lower a measured rate, so the higher rate is closer to the machine's.
    rows = tables.speed_rows(results, max(rate, after))
    text.append(harness.show(console, "Training speed", tables.SPEED, rows, tables.TEXTS))
    lines = tables.cache_lines(results)
    console.print(*lines, note, sep="\n")
    text.append("\n".join(f"- {line}" for line in lines))
    if arguments.parts:
        rows = tables.worth_rows(results, results[0]["job"]["vocabulary"])
        text.append(harness.show(console, "What each measure is worth", tables.WORTH, rows, tables.TEXTS))
    if arguments.profile:
        rows = tables.profile_rows(results)
        text.append(harness.show(console, "A step of compactlm with cached signals", tables.PROFILE, rows, tables.TEXTS))
    text.append("## How it was measured\n\n" + METHOD.strip().format(seconds=arguments.seconds, rows=ROWS))
    content = {
        "threads": threads,
        "matrix_flops": {"before": rate, "after": after},
        "versions": versions,
        "seconds": arguments.seconds,
        "sequences": counts,
        "results": results,
    }
    harness.write_report(REPORT, text, content)


if __name__ == "__main__":
    main()
