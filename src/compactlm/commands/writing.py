"""Commands that write text: complete, summarize."""

from __future__ import annotations

from typing import Annotated

import typer

from compactlm.commands.options import BackendOption, JsonOption, ModelOption, ThreadsOption, epilogue, load
from compactlm.commands.terminal import notice_top1, show
from compactlm.text.formats.lines import read_text, text_or_input

app = typer.Typer()


@app.command(
    epilog=epilogue(
        'compactlm complete "The cat sits on the"',
        'compactlm complete --temperature 0.8 --seed 3 --length 20 "The film"',
        'compactlm complete --beams 4 --json "We went to"',
    )
)
def complete(
    text: Annotated[str, typer.Argument(help="The text to complete; - reads standard input.")],
    length: Annotated[int, typer.Option("--length", "-n", min=1, help="Number of tokens to add.")] = 12,
    temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest token; above 0 tokens are sampled.")] = 0.0,
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="Number of likeliest tokens to sample from.")] = 20,
    beams: Annotated[int, typer.Option(min=1, max=64, help="Number of texts to keep at each step; all are printed.")] = 1,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the sampling.")] = 0,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Complete a text by filling masks from left to right.

    The model is an encoder that fills gaps. It was not trained to write, so expect only a few words. A line on standard error says how
    often its first choice is right on test text.
    """
    lm = load(model, backend, threads)
    found = lm.complete(text_or_input(text), length, temperature, top, beams, seed)
    top1 = lm.measured_top1
    show([{**vars(one), "measured_top1": top1} for one in found], json, (one.text for one in found))
    if not json:
        notice_top1(top1)


@app.command(epilog=epilogue("compactlm summarize article.txt --sentences 3", "cat article.txt | compactlm summarize --json -"))
def summarize(
    file: Annotated[str, typer.Argument(help="A text file; - reads standard input.")],
    sentences: Annotated[int, typer.Option("--sentences", "-n", min=1, help="Number of sentences.")] = 3,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Print the central sentences of a text in their original order, without near-repetitions."""
    found = load(model, backend, threads).summarize(read_text(file), sentences)
    show(found, json, (sentence.text for sentence in found))
