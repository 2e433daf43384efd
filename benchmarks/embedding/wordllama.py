"""WordLlama from the files of its package. Its own loader looks in `tokenizer/`, but the package has `tokenizers/`."""

import importlib.util
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from compactlm.bert.arrays import Array, unit
from compactlm.errors import CompactLMError
from compactlm.evaluation.embeddings.vectors import Embed, Texts

WEIGHTS = "weights/l2_supercat_256.safetensors"
TENSOR = "embedding.weight"
TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"


def package() -> Path:
    """Return the directory of the package; raise CompactLMError if it is not installed."""
    spec = importlib.util.find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise CompactLMError("wordllama is not installed; run `make bench-embedding`, which installs it")
    return Path(spec.submodule_search_locations[0])


def wordllama_bytes(directory: Path | None = None) -> int:
    """Return the bytes of the weights."""
    return ((directory or package()) / WEIGHTS).stat().st_size


def load_wordllama(directory: Path | None = None) -> Embed:
    """Return the embedding: the mean of the vectors of a text's tokens, without special tokens, as in WordLlamaInference.embed."""
    root = directory or package()
    table = load_file(root / WEIGHTS)[TENSOR].astype(np.float32)
    tokenizer = Tokenizer.from_file(str(root / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def embed(texts: Texts) -> Array:
        encoded = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        means = [
            table[np.clip(one.ids, 0, len(table) - 1)].mean(axis=0) if one.ids else np.zeros(table.shape[1], np.float32) for one in encoded
        ]
        return unit(np.stack(means))

    return embed
