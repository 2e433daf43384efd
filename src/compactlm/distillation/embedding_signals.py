"""Write the caches of the phase embedding: the teacher's sentence vectors and token vectors. It reads each text once."""

from __future__ import annotations

from pathlib import Path

from compactlm.distillation.embedding_inputs import EMBEDDING, TOKENS, EmbeddingInputs
from compactlm.distillation.signals.cache import write_cache
from compactlm.distillation.signals.sentences import SentenceWriter


def write_embedding(found: EmbeddingInputs, directory: Path) -> dict[str, int]:
    """Write the caches to new directories EMBEDDING and, if token vectors are signals, TOKENS in `directory`.

    The components of the token vectors need sentence vectors, so the texts that give the components are read first.

    Returns:
        The number of rows of each cache, by its name.

    Raises:
        CompactLMError: there is not enough memory, or a value is not finite or exceeds half precision.
    """
    texts, batch_tokens = found.material.texts, found.params.batch_tokens
    online, title = found.online(texts), "token vectors, signals"
    writer = SentenceWriter(directory / EMBEDDING, texts, "embedding, signals")
    count, rest = {EMBEDDING: len(texts.ids)}, set(range(len(texts.ids)))
    if found.params.signals.embedding.token_texts:
        tokens = found.online_tokens(online, keep=writer.write)
        row_of = {place: row for row, place in enumerate(tokens.places)}
        alone = [place for place in found.component_texts if place not in row_of]
        tokens.read_ahead([row_of[place] for place in found.component_texts if place in row_of], batch_tokens, title)
        writer.read(online, alone, batch_tokens)
        tokens.directions = found.components(writer)
        write_cache(directory / TOKENS, found.token_rows, tokens, batch_tokens, title, found.token_settings())
        count[TOKENS] = len(found.token_rows.ids)
        rest -= {*alone, *row_of}
    writer.read(online, sorted(rest), batch_tokens)
    writer.close(found.settings())
    return count
