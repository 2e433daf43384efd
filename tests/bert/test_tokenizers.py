import subprocess
import sys

import pytest

from compactlm.bert.tokenizers import load_tokenizer
from compactlm.errors import CompactLMError


def test_a_directory_without_a_tokenizer_is_refused_with_the_reason(tmp_path, tiny_bert):
    assert load_tokenizer(tiny_bert).mask_token == "[MASK]"  # noqa: S105 - not a password
    with pytest.raises(CompactLMError, match=r"^the tokenizer in .* cannot be loaded \(.+\); put its tokenizer.json there$"):
        load_tokenizer(tmp_path)


def test_the_stage_that_tokenizes_starts_without_models():
    code = "import sys, compactlm.stages.tokenize; print([one for one in sys.modules if one.endswith('modeling_utils')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
