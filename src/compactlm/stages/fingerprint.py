"""Write the fingerprints of all artifacts. `compactlm verify` compares a later run with them."""

from __future__ import annotations

from compactlm.params import Params
from compactlm.pipeline.run import run
from compactlm.verification.verifying import write_fingerprints


def main(params: Params) -> None:  # noqa: ARG001 - no parameter matters, and every stage is called alike
    """Run the stage."""
    write_fingerprints()


if __name__ == "__main__":
    run("fingerprint", main)
