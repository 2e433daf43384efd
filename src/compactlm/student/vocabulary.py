"""The student's vocabulary: a subset of the teacher's tokens, so that an id map aligns token-level signals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from transformers import BertTokenizer

from compactlm.bert.special_tokens import SPECIAL
from compactlm.errors import CompactLMError


def choose_vocabulary(vocabulary: Mapping[str, int], counts: Mapping[int, float], size: int) -> list[str]:
    """Choose the teacher's tokens that the student keeps.

    These are the special tokens, every single-character token of the text (as a word's start and as a continuation, so that any word can be
    spelled), and then the most frequent tokens.

    Args:
        vocabulary: the teacher's tokens and their ids.
        counts: how often each id occurs in the text; fractions are allowed.
        size: the number of tokens to keep.

    Returns:
        The tokens, in the order of the teacher's ids; the position in the list is the student's id.

    Raises:
        CompactLMError: the teacher lacks a special token, or `size` is smaller than the tokens that must be kept.
    """
    missing = [token for token in SPECIAL if token not in vocabulary]
    if missing:
        raise CompactLMError(f"the teacher's vocabulary lacks {', '.join(missing)}; use a BERT teacher with a WordPiece vocabulary")
    tokens = {index: token for token, index in vocabulary.items()}
    kept = {vocabulary[token] for token in SPECIAL}
    characters = {character for index in counts for character in tokens[index].removeprefix("##") if tokens[index] not in SPECIAL}
    for character in characters:
        kept.update(vocabulary[form] for form in (character, f"##{character}") if form in vocabulary)
    if len(kept) > size:
        raise CompactLMError(
            f"student.vocabulary_size is {size}, but special tokens and single characters need {len(kept)} tokens; raise it"
        )
    by_use = sorted(vocabulary.values(), key=lambda index: (-counts.get(index, 0), index))
    kept.update([index for index in by_use if index not in kept][: size - len(kept)])
    return [tokens[index] for index in sorted(kept)]


def count_tokens(sequences: Iterable[Sequence[int]]) -> Counter[int]:
    """Return how often each id occurs in the sequences."""
    counts: Counter[int] = Counter()
    for sequence in sequences:
        counts.update(sequence)
    return counts


def weigh_counts(labelled: Mapping[int, float], unlabelled: Mapping[int, float], share: float | None) -> dict[int, float]:
    """Return the weighted frequency of each token. The vocabulary is chosen by it.

    Most of a corpus is unlabelled. Without weights, words that matter for a task would be split into fragments because they are rare.

    Args:
        labelled: how often each id occurs in the tasks' rows.
        unlabelled: how often each id occurs in all other text.
        share: the weight of the tasks' rows in the total, 0 to 1; None returns plain counts.
    """
    parts = [(labelled, 1.0), (unlabelled, 1.0)]
    if share is not None and labelled and unlabelled:
        parts = [(labelled, share / sum(labelled.values())), (unlabelled, (1 - share) / sum(unlabelled.values()))]
    weighed: dict[int, float] = {}
    for counts, weight in parts:
        for index, count in counts.items():
            weighed[index] = weighed.get(index, 0.0) + weight * count
    return weighed


def coverage(vocabulary: Mapping[str, int], counts: Mapping[int, float], tokens: Iterable[str]) -> float:
    """Return the share of the text's tokens that are among `tokens`, 0 to 1."""
    return sum(counts.get(vocabulary[token], 0) for token in tokens) / max(sum(counts.values()), 1)


def build_tokenizer(teacher_tokenizer: Any, tokens: Sequence[str], maximum_positions: int) -> BertTokenizer:
    """Return a tokenizer with only these tokens. It treats case and accents like the teacher's."""
    normalizer = teacher_tokenizer.backend_tokenizer.normalizer
    return BertTokenizer(
        vocab={token: index for index, token in enumerate(tokens)},
        do_lower_case=normalizer.lowercase,
        strip_accents=normalizer.strip_accents,
        tokenize_chinese_chars=normalizer.handle_chinese_chars,
        model_max_length=maximum_positions,
    )


def id_map(teacher_tokenizer: Any, student_tokenizer: Any) -> list[int]:
    """Return the teacher's id of each of the student's ids.

    Raises:
        CompactLMError: the student has a token that the teacher lacks.
    """
    teacher, student = teacher_tokenizer.get_vocab(), student_tokenizer.get_vocab()
    missing = sorted(set(student) - set(teacher))
    if missing:
        raise CompactLMError(
            f"the student's tokenizer has {len(missing)} tokens that the teacher lacks (first: {missing[0]!r}); "
            "run `dvc repro tokenize` to build it from this teacher"
        )
    return [teacher[token] for token, _ in sorted(student.items(), key=lambda item: item[1])]
