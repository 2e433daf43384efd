"""The settings of the server, checked before a model is loaded."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from compactlm.errors import CompactLMError

MOST_THREADS = 1024
TOKEN_VARIABLE = "COMPACTLM_TOKEN"  # noqa: S105 - the name of a variable


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of a server.

    Attributes:
        model: a directory of models, or of one model; None takes COMPACTLM_MODEL or models/export.
        backend: "onnx" (fp32) or "int8".
        name: the id of the model in /v1/models.
        host: the address to bind to.
        port: the port; 0 takes a free one.
        token: the bearer token that clients must send, or None.
        knowledge: the file that /answer searches, or None.
        threads: number of batches that run at the same time, each on one thread; 0 takes all cores that the process may use.
        batch_tokens: the largest batch in tokens, padding included.
        wait_ms: how long a text waits at most for other texts of its batch, in milliseconds, while another batch is running.
        queue_tokens: the largest number of tokens that wait; requests beyond it are refused with 429.
        max_requests: the largest number of requests that are handled at the same time; others are refused with 429.
        max_inputs: the largest number of texts in one request.
        max_characters: a longer text is truncated to this many characters before it is tokenized.
        max_bytes: the largest body of a request.
        drain_seconds: how long the server still accepts connections after SIGTERM, while /ready answers 503.
        grace_seconds: how long running requests may take after that.
        log_requests: whether each request is logged (route, status and time; never its text).
        capture: the file to which answers of /predict are appended for `compactlm watch`, or None.
        capture_texts: whether the file has the texts themselves or their hashes.
        capture_share: the share of texts that are captured.
        capture_megabytes: the size of the file at which capturing ends.
        shadow: the directory of models whose answers to /predict are compared but not sent, or None.
    """

    model: Path | None = None
    backend: Literal["onnx", "int8"] = "onnx"
    name: str = "compactlm"
    host: str = "127.0.0.1"
    port: int = 8080
    token: str | None = None
    knowledge: Path | None = None
    threads: int = 0
    batch_tokens: int = 2048
    wait_ms: float = 5.0
    queue_tokens: int = 262_144
    max_requests: int = 512
    max_inputs: int = 256
    max_characters: int = 20_000
    max_bytes: int = 2_000_000
    drain_seconds: float = 2.0
    grace_seconds: float = 30.0
    log_requests: bool = False
    capture: Path | None = None
    capture_texts: Literal["hashed", "plain"] = "hashed"
    capture_share: float = 1.0
    capture_megabytes: int = 100
    shadow: Path | None = None

    def __post_init__(self) -> None:
        """Check all values.

        Raises:
            CompactLMError: a value is out of range.
        """
        for name, least, most in (
            ("port", 0, 65_535),
            ("threads", 0, MOST_THREADS),
            ("batch_tokens", 1, 1_000_000),
            ("wait_ms", 0, 1_000),
            ("queue_tokens", 1, 100_000_000),
            ("max_requests", 1, 100_000),
            ("max_inputs", 1, 100_000),
            ("max_characters", 1, 10_000_000),
            ("max_bytes", 1, 1_000_000_000),
            ("drain_seconds", 0, 3_600),
            ("grace_seconds", 0, 3_600),
            ("capture_share", 0.0001, 1),
            ("capture_megabytes", 1, 1_000_000),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise CompactLMError(f"{name} is {value}; pass a number from {least:,} to {most:,}")
        if self.token is not None and (not self.token.strip() or not self.token.isascii() or not self.token.isprintable()):
            raise CompactLMError(f"the token is empty or has characters other than printable ASCII; set {TOKEN_VARIABLE} to another token")
        if not self.name.strip():
            raise CompactLMError("the name of the model is empty; pass a name with --name")
