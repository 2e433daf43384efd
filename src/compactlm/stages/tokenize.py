"""Choose the student's vocabulary from the teacher's tokens, and tokenize all text with it."""

from __future__ import annotations

from typing import Any

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.bert.tokenization import Statistics, all_tokens, sequence_schema, tokenize_documents
from compactlm.bert.tokenizers import load_tokenizer
from compactlm.errors import CompactLMError
from compactlm.figures.figure import Figure
from compactlm.params import Params
from compactlm.pipeline.run import run
from compactlm.shapes.budget import choose_vocabulary_size, sentence_width
from compactlm.student.vocabulary import build_tokenizer, choose_vocabulary, count_tokens, coverage, id_map, weigh_counts


def _size(params: Params) -> int:
    parameters = params.teacher.parameters
    if parameters is None:
        from compactlm.bert.models import count_with_head, load_masked_lm  # imported late, because it takes seconds

        parameters = count_with_head(load_masked_lm(artifacts.TEACHER / artifacts.BASE)[0])
    width = sentence_width(params.student, params.distill.embedding.enabled, params.distill.embedding.width)
    return choose_vocabulary_size(params.student, parameters, params.outputs, width)


def _check_size(params: Params, teacher_tokens: int) -> None:
    size = params.student.vocabulary_size
    if size != "fit" and size > teacher_tokens:
        raise CompactLMError(
            f"student.vocabulary_size is {size:,}, but the teacher has only {teacher_tokens:,} tokens; "
            "lower it to at most that number, or set it to fit"
        )


def _counts(params: Params, tokenizer: Any, documents: list[Document]) -> dict[int, float]:
    """Return the weighted frequency of each of the teacher's tokens in labelled rows and unlabelled text."""
    parts = []
    for labelled, description in ((True, "labelled rows"), (False, "unlabelled text")):
        chosen = [document for document in documents if (document.task is not None) == labelled]
        texts = [text for document in chosen for text in (document.text, document.pair) if text is not None]
        parts.append(count_tokens(all_tokens(tokenizer, texts, f"count tokens, {description}")))
    return weigh_counts(parts[0], parts[1], params.student.task_share)


def _metrics(statistics: Statistics) -> dict[str, object]:
    found = statistics.metrics()
    return {**found, **{name: Figure.over_rows(found[name], statistics.rows).to_json() for name in ("unknown_rate", "tokens_a_word")}}


def main(params: Params) -> None:
    """Run the stage."""
    length = params.tokenize.maximum_length
    unlabelled = {source: task for task in params.tasks.values() for source in task.unlabelled or ()}
    parts = {name: artifacts.read_documents(artifacts.SPLIT / name) for name in artifacts.SPLITS}
    # Later stages treat both kinds of copies alike.
    copies = [*artifacts.read_documents(artifacts.AUGMENTED), *artifacts.read_documents(artifacts.COUNTERFACTUAL)]
    parts["augmented"] = sorted(copies, key=lambda copy: copy.id)
    teacher = load_tokenizer(artifacts.TEACHER / artifacts.BASE)
    _check_size(params, len(teacher))
    counts = _counts(params, teacher, parts["train"])
    tokens = choose_vocabulary(teacher.get_vocab(), counts, _size(params))
    student = build_tokenizer(teacher, tokens, params.student.maximum_positions)
    covered = Figure.over_rows(coverage(teacher.get_vocab(), counts, tokens), len(parts["train"]))
    metrics: dict[str, object] = {"vocabulary": {"tokens": len(tokens), "coverage": covered.to_json()}}
    with artifacts.replacing(artifacts.TOKENIZED) as unfinished:
        student.save_pretrained(unfinished / artifacts.STUDENT_TOKENIZER.name)
        artifacts.write_json(unfinished / artifacts.ID_MAP.name, id_map(teacher, student))
        for name, documents in parts.items():
            rows, statistics = tokenize_documents(student, documents, length, f"tokenize {name}", params.tasks, unlabelled)
            artifacts.write_table(unfinished / name, rows, sequence_schema(rows))
            metrics[name] = _metrics(statistics)
            if name == "train":
                artifacts.write_rows_as_tsv(artifacts.PLOTS / "lengths.tsv", ("tokens", "sequences"), statistics.histogram())
    by_teacher = tokenize_documents(teacher, parts["validation"], length, "tokenize validation by the teacher", params.tasks, unlabelled)[1]
    metrics["validation_by_teacher"] = _metrics(by_teacher)
    artifacts.write_json(artifacts.METRICS / "tokenize.json", metrics)


if __name__ == "__main__":
    run("tokenize", main)
