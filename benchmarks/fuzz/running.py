"""Run a command in this process."""

import io
import logging
import sys

from compactlm.cli import main


def run(arguments: list[str], given: bytes) -> tuple[int, str, str]:
    """Run a command with standard input, and return its status, output and errors."""
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
        logging.getLogger().handlers.clear()  # `serve` logs to the stream of this run
    for stream in (output, errors):
        stream.flush()
    written, told = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in (output, errors))  # type: ignore[attr-defined]
    return status, written, told
