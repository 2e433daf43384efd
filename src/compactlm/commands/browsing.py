"""The command that writes a page which runs a model in a browser, as one file or as a folder: page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compactlm.commands.options import ModelOption, epilogue
from compactlm.commands.terminal import notice
from compactlm.errors import CompactLMError, needs
from compactlm.text.unicode import encodable

app = typer.Typer()

CARD = Path("reports/model-card.md")  # the card that the pipeline writes


@app.command(
    epilog=epilogue(
        "compactlm page", "compactlm page --output demo.html --only sentiment --title 'Film reviews'", "compactlm page --folder site"
    )
)
def page(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("page.html"),
    only: Annotated[list[str] | None, typer.Option(help="A model to include; repeat it for several. By default all are included.")] = None,
    title: Annotated[str, typer.Option(help="The heading of the page.")] = "compactlm in the browser",
    card: Annotated[
        Path | None, typer.Option(help="A model card in Markdown; by default reports/model-card.md, unless --model is given.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Write a folder for a static web server instead: faster answers, and a larger download.")
    ] = None,
    runtime: Annotated[
        Path | None, typer.Option(help="With --folder: the package onnxruntime-web, a directory or .tgz. By default npm downloads it.")
    ] = None,
    model: ModelOption = None,
) -> None:
    """Write a page that runs the exported models in a browser: one HTML file that opens from disk, or a folder for a static web server.

    No text leaves the device.
    """
    with needs("train", "compactlm page"):
        from compactlm.inference.runtime.directories import default_root
        from compactlm.serving.browser.building import build
        from compactlm.serving.browser.folder import render_folder
        from compactlm.serving.browser.rendering import read_card, render
        from compactlm.serving.browser.wasm_runtime import load_runtime
        from compactlm.serving.browser.writing import write, write_folder

    if card is None and model is None and CARD.is_file():
        card = CARD
    if runtime is not None and folder is None:
        raise CompactLMError("--runtime is only for --folder; pass both, or neither")
    files = load_runtime(runtime) if folder is not None else {}
    title = encodable(title)  # arguments may hold invalid UTF-8
    content, about = build(model or default_root("onnx"), only or ()), read_card(card) if card else ""
    names = ", ".join(one["name"] for one in content.header["models"])
    if folder is None:
        text = render(content, title, about)
        write(output, text)
        notice(f"{output} has {len(text.encode()) / 1e6:.1f} MB and the models {names}; open it in a browser")
        return
    written = render_folder(content, files, title, about)
    write_folder(folder, written)
    size = sum(map(len, written.values())) / 1e6
    notice(
        f"{folder} has {size:.1f} MB and the models {names}; copy it to a web server, or try `python -m http.server --directory {folder}`"
    )
