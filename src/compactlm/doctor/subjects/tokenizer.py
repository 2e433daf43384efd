"""Faults of the student's tokenizer: unknown tokens, and disagreement with the teacher's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compactlm import artifacts
from compactlm.bert.tokenization import tokenize_documents
from compactlm.bert.tokenizers import load_tokenizer
from compactlm.doctor.examined import Run
from compactlm.doctor.findings import Fault, Finding

UNKNOWN = 0.02  # greatest share of unknown tokens
DIFFERENT = 0.01  # greatest share of texts that both tokenizers read differently
FIX = "run `dvc repro --force tokenize`, and then `dvc repro`"


def check(run: Run) -> Iterator[Finding]:
    """Yield faults: many unknown tokens, and student tokens that differ from the teacher's or from the tokenized rows."""
    student, teacher = load_tokenizer(artifacts.STUDENT_TOKENIZER), load_tokenizer(artifacts.TEACHER / artifacts.BASE)
    texts = [row.text for row in run.sampled("validation")]
    for name, tokenizer in (("teacher", teacher), ("student", student)):
        tokens = [token for sequence in tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"] for token in sequence]
        share = tokens.count(tokenizer.unk_token_id) / max(1, len(tokens))
        if share > UNKNOWN:
            yield Fault(
                "unknown tokens",
                f"{100 * share:.1f} % of the {name}'s tokens in validation rows are {tokenizer.unk_token} (at most {100 * UNKNOWN:g} % is "
                f"usual); {'choose a teacher of the language and letters of the text' if name == 'teacher' else FIX}",
            )
    yield from _agreement(student, teacher, texts)
    yield from _rows(run, student)
    for directory in sorted(path for path in artifacts.STUDENT.glob("*") if (path / "tokenizer.json").is_file()):
        if load_tokenizer(directory).get_vocab() != student.get_vocab():
            yield Fault("tokenizer of a model", f"{directory} has another vocabulary than {artifacts.STUDENT_TOKENIZER}; {FIX}")


def _agreement(student: Any, teacher: Any, texts: list[str]) -> Iterator[Finding]:
    kept, theirs, own = artifacts.read_json(artifacts.ID_MAP), teacher.get_vocab(), student.get_vocab()
    wrong = [token for token, index in own.items() if index >= len(kept) or kept[index] != theirs.get(token)]
    if wrong or len(kept) != len(own):
        yield Fault(
            "disagreement with the teacher",
            f"{artifacts.ID_MAP} leads {len(wrong):,} of the student's {len(own):,} tokens to other tokens of the teacher; {FIX}",
        )
    read = [(_letters(student, text), _letters(teacher, text)) for text in texts]
    both = [pair for pair in read if None not in pair]
    different = sum(first != second for first, second in both)
    if different > DIFFERENT * max(1, len(both)):
        yield Fault(
            "disagreement with the teacher",
            f"the student's tokenizer reads {different:,} of {len(both):,} validation rows differently from the teacher's, for instance in "
            f"letter case or accents; {FIX}",
        )


def _letters(tokenizer: Any, text: str) -> str | None:
    """Return the characters of a text's tokens, or None if a token is unknown."""
    tokens = tokenizer.tokenize(text)
    return None if tokenizer.unk_token in tokens else "".join(token.removeprefix("##") for token in tokens)


def _rows(run: Run, student: Any) -> Iterator[Finding]:
    """Yield a fault if the tokenized rows differ from the tokenizer's output."""
    kept = {row["id"]: row["input_ids"] for row in artifacts.read_table(artifacts.TOKENIZED / "validation").to_pylist()}
    chosen = [row for row in run.sampled("validation") if row.task is not None]
    rows, _ = tokenize_documents(student, chosen, run.params.tokenize.maximum_length, "tokens of labelled rows", run.params.tasks)
    wrong = len({row["id"].rpartition(".")[0] for row in rows if kept.get(row["id"]) != row["input_ids"]})
    if wrong:
        where = artifacts.TOKENIZED / "validation"
        yield Fault("stale tokens", f"{where} has other tokens than the tokenizer gives for {wrong:,} of {len(chosen):,} rows; {FIX}")
