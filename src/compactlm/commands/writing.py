"""Commands that write: complete, summarize."""

from __future__ import annotations

from typing import Annotated

import typer

from compactlm.commands.common import BackendOption, JsonOption, ModelOption, ThreadsOption, epilogue, load, print_json

app = typer.Typer()


@app.command(
    epilog=epilogue(
        'compactlm complete "The cat sits on the"',
        'compactlm complete --temperature 0.8 --seed 3 --length 20 "The film"',
        'compactlm complete --beams 4 --json "We went to"',
    )
)
def complete(
    text: Annotated[str, typer.Argument(help="The text to go on with; - reads standard input.")],
    length: Annotated[int, typer.Option("--length", "-n", min=1, help="Pieces to add.")] = 12,
    temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest piece; above 0 pieces are drawn.")] = 0.0,
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="The likeliest pieces that are drawn from.")] = 20,
    beams: Annotated[int, typer.Option(min=1, max=64, help="Texts that are kept at each step; all are shown.")] = 1,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the draw.")] = 0,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Go on writing by filling masks from left to right.

    The model is an encoder that fills gaps. It was not trained to write, so a few words are the most that it does well.
    """
    from compactlm.text.lines import text_or_input

    found = load(model, backend, threads).complete(text_or_input(text), length, temperature, top, beams, seed)
    if json:
        print_json(found)
        return
    for completion in found:
        typer.echo(completion.text)


@app.command(epilog=epilogue("compactlm summarize article.txt --sentences 3", "cat article.txt | compactlm summarize --json -"))
def summarize(
    file: Annotated[str, typer.Argument(help="A text file; - reads standard input.")],
    sentences: Annotated[int, typer.Option("--sentences", "-n", min=1, help="Sentences to show.")] = 3,
    model: ModelOption = None,
    backend: BackendOption = "auto",
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Show the sentences that are central to a text, as they stand in it, without saying the same thing twice."""
    from compactlm.text.lines import read_text

    found = load(model, backend, threads).summarize(read_text(file), sentences)
    if json:
        print_json(found)
        return
    for sentence in found:
        typer.echo(sentence.text)
