"""One thin module for each stage, run as `python -m compactlm.stages.<name>`."""

import sys

from compactlm.errors import CompactLMError, needs

try:
    with needs("train", "the pipeline"):
        import compactlm.pipeline.run  # noqa: F401
except CompactLMError as error:
    sys.exit(str(error))
