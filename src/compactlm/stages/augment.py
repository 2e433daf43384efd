"""Stage augment: augmented copies of the labelled train rows, with labels checked by the teacher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compactlm import artifacts
from compactlm.params import Attribute, Params
from compactlm.pipeline.run import run

SAMPLE_ROWS = 10


def main(params: Params) -> None:
    """Read data/split/train and write data/augmented, its metrics and samples of the copies."""
    if params.augment.copies == 0:
        _write([], {"copies": 0, "wordnet": 0}, [])
        return
    # Imported late, because nlpaug and transformers are slow to import and not needed without copies.
    from compactlm.bert.runtime import prepare
    from compactlm.corpus.augment.copies import augment, keep_labels, make_rewriters, summarise
    from compactlm.corpus.augment.sides import changed_texts, texts_of
    from compactlm.draws import sample
    from compactlm.shards.worker_pool import count_processes
    from compactlm.teacher.label_agreement import judge_copies
    from compactlm.teacher.word_source import word_source
    from compactlm.text.diversity import measure_diversity

    prepare(params.threads, params.seed)
    rows = [row for row in artifacts.read_documents(artifacts.SPLIT / "train") if row.task is not None]
    settings = params.augment
    texts = list(texts_of(rows))
    source = word_source(settings, texts, params.batch_tokens)
    terms = _terms(params.bias_audit.attributes)
    processes = count_processes(params.data.processes)
    rewriters = make_rewriters(settings, texts, source, terms, processes)
    result = augment(rows, settings, params.seed, rewriters, params.tasks)
    originals = {row.id: row for row in rows}
    agreed, agreement = judge_copies(result.copies, originals, params)
    if settings.labels == "keep":
        result = keep_labels(result, agreed)
    metrics = {
        **summarise(rows, result, rewriters),
        "agreement": agreement,
        "wordnet": int(settings.synonyms == "wordnet" or source.thesaurus is not None),
        "diversity": {
            "before": measure_diversity(rows, params.diversity, params.seed),
            "after": measure_diversity([*rows, *result.copies], params.diversity, params.seed),
        },
    }
    shown = []
    for copy in sample(result.copies, SAMPLE_ROWS, params.seed):
        before, after = changed_texts(originals[str(copy.parent)], copy)
        shown.append((before, copy.augmenter, after))
    _write(result.copies, metrics, shown)


def _terms(attributes: Mapping[str, Attribute]) -> list[str]:
    """Return the words by which groups are found in texts, without values of columns."""
    in_text = (attribute.groups.values() for attribute in attributes.values() if attribute.found_in == "text")
    return [word for groups in in_text for words in groups for word in words]


def _write(copies: list[artifacts.Document], metrics: dict[str, Any], shown: list[tuple[Any, ...]]) -> None:
    with artifacts.replacing(artifacts.AUGMENTED) as unfinished:
        artifacts.write_documents(unfinished, copies)
    tidy = [tuple(" ".join(str(cell).split()) for cell in row) for row in shown]
    artifacts.write_rows_as_tsv(artifacts.SAMPLES / "augmented.tsv", ("parent", "augmenter", "copy"), tidy)
    artifacts.write_json(artifacts.METRICS / "augment.json", metrics)


if __name__ == "__main__":
    run("augment", main)
