"""The command that serves a model over HTTP: serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from compactlm.commands.options import ModelOption, epilogue
from compactlm.errors import needs
from compactlm.serving.settings import TOKEN_VARIABLE
from compactlm.text.unicode import encodable

app = typer.Typer()


@app.command(
    epilog=epilogue(
        "compactlm serve",
        "COMPACTLM_TOKEN=secret compactlm serve --host 0.0.0.0 --port 8080",
        "compactlm serve --model models/export --knowledge faq.jsonl --backend int8",
    )
)
def serve(
    model: ModelOption = None,
    backend: Annotated[Literal["onnx", "int8"], typer.Option("--backend", "-b", help="The runtime: onnx is fp32.")] = "onnx",
    host: Annotated[str, typer.Option(help="The address to bind to; 0.0.0.0 accepts other machines.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", help="The port; 0 takes a free one.")] = 8080,
    token: Annotated[
        str | None, typer.Option(help="The bearer token that clients must send.", envvar=TOKEN_VARIABLE, show_envvar=True)
    ] = None,
    knowledge: Annotated[Path | None, typer.Option("--knowledge", "-K", help="The file that /answer searches; see `answer`.")] = None,
    name: Annotated[str, typer.Option(help="The id of the model for OpenAI's clients.")] = "compactlm",
    threads: Annotated[int, typer.Option(help="CPU threads; 0 uses all cores that the process may use.")] = 0,
    batch_tokens: Annotated[int, typer.Option(help="The largest batch, in tokens.")] = 2048,
    wait_ms: Annotated[float, typer.Option(help="How long a text waits for others to share its batch, while another batch runs.")] = 5.0,
    queue_tokens: Annotated[int, typer.Option(help="The largest number of waiting tokens; more are refused with 429.")] = 262_144,
    max_requests: Annotated[int, typer.Option(help="The largest number of simultaneous requests; more are refused with 429.")] = 512,
    max_inputs: Annotated[int, typer.Option(help="The largest number of texts in a request.")] = 256,
    max_characters: Annotated[int, typer.Option(help="The length to which a text is truncated.")] = 20_000,
    max_bytes: Annotated[int, typer.Option(help="The largest body of a request.")] = 2_000_000,
    drain_seconds: Annotated[float, typer.Option(help="How long connections are accepted after SIGTERM, while /ready answers 503.")] = 2.0,
    grace_seconds: Annotated[float, typer.Option(help="How long running requests may take after that.")] = 30.0,
    capture: Annotated[Path | None, typer.Option(help="Append the answers of /predict to this file, for `compactlm watch`.")] = None,
    capture_texts: Annotated[
        Literal["hashed", "plain"], typer.Option(help="Whether this file has the texts or only their hashes.")
    ] = "hashed",
    capture_share: Annotated[float, typer.Option(help="The share of texts that are captured.")] = 1.0,
    capture_megabytes: Annotated[int, typer.Option(help="The size of the file at which capturing ends.")] = 100,
    shadow: Annotated[
        Path | None,
        typer.Option(help="A directory of models that also answer /predict; their answers are counted in /metrics, but not sent."),
    ] = None,
    log_requests: Annotated[bool, typer.Option("--log-requests", help="Log route, status and time of requests, never texts.")] = False,
) -> None:
    """Serve the model over HTTP.

    The routes are those of text-embeddings-inference (/predict, /embed, /rerank, /similarity, /tokenize, /info, /health, /metrics),
    OpenAI's /v1/embeddings, and /fill, /answer and /summarize. /docs describes them.
    """
    with needs("serve", "compactlm serve"):
        from compactlm.serving.server import serve as run
        from compactlm.serving.settings import Settings

    run(
        Settings(
            model=model,
            backend=backend,
            name=encodable(name),
            host=host,
            port=port,
            token=token,
            knowledge=knowledge,
            threads=threads,
            batch_tokens=batch_tokens,
            wait_ms=wait_ms,
            queue_tokens=queue_tokens,
            max_requests=max_requests,
            max_inputs=max_inputs,
            max_characters=max_characters,
            max_bytes=max_bytes,
            drain_seconds=drain_seconds,
            grace_seconds=grace_seconds,
            log_requests=log_requests,
            capture=capture,
            capture_texts=capture_texts,
            capture_share=capture_share,
            capture_megabytes=capture_megabytes,
            shadow=shadow,
        )
    )
