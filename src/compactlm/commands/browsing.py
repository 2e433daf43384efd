"""The command that writes a page that runs a model in a browser: page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compactlm.commands.common import ModelOption, epilogue, notice
from compactlm.errors import needs

app = typer.Typer()

CARD = Path("reports/model-card.md")  # the card that the pipeline writes


@app.command(epilog=epilogue("compactlm page", "compactlm page --output demo.html --only sentiment --title 'Film reviews'"))
def page(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("page.html"),
    only: Annotated[list[str] | None, typer.Option(help="A model to include; repeat it for several. By default all are included.")] = None,
    title: Annotated[str, typer.Option(help="The heading of the page.")] = "compactlm in the browser",
    card: Annotated[
        Path | None, typer.Option(help="A model card in Markdown; by default reports/model-card.md, unless --model is given.")
    ] = None,
    model: ModelOption = None,
) -> None:
    """Write one HTML file that runs the exported models in a browser, without a server or a network."""
    with needs("train", "compactlm page"):
        from compactlm.inference.runtime.directories import default_root
        from compactlm.serving.browser.building import build
        from compactlm.serving.browser.rendering import read_card, render
        from compactlm.serving.browser.writing import write

    if card is None and model is None and CARD.is_file():
        card = CARD
    content = build(model or default_root("onnx"), only or ())
    text = render(content, title, read_card(card) if card else "")
    write(output, text)
    names = ", ".join(one["name"] for one in content.header["models"])
    notice(f"{output} has {len(text.encode()) / 1e6:.1f} MB and the models {names}; open it in a browser")
