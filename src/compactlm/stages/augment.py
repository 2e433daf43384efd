"""Make augmented copies of the labelled train rows, and ask the teacher whether their labels still hold."""

from __future__ import annotations

from typing import Any

from compactlm import artifacts
from compactlm.params import Params
from compactlm.stages.run import run

AGREEMENT_ROWS = 1_000
SAMPLE_ROWS = 10


def main(params: Params) -> None:
    """Run the stage."""
    if params.augment.copies == 0:
        _write([], {"copies": 0, "wordnet": 0}, [])
        return
    # Imported here, so that no copies cost no seconds: nlpaug and transformers are slow to import.
    from compactlm.corpus.augment_wordnet import find_wordnet
    from compactlm.corpus.augmentation import augment, make_rewriters, sample, summarise
    from compactlm.distillation.agreement import label_agreement
    from compactlm.distillation.models import load_classifier, load_masked_lm, load_tokenizer
    from compactlm.distillation.proposer import MaskedWordProposer
    from compactlm.distillation.runtime import prepare

    prepare(params.threads, params.seed)
    batch_tokens = params.batch_tokens
    rows = artifacts.read_documents(artifacts.SPLIT / "train")
    directory = artifacts.TEACHER / artifacts.MLM
    model, _ = load_masked_lm(directory)
    proposer = MaskedWordProposer(model, load_tokenizer(directory), batch_tokens)
    wordnet = find_wordnet()
    result = augment(rows, params.augment, params.seed, make_rewriters(params.augment.share_of_words, proposer, wordnet))
    metrics = {**summarise(rows, result), "wordnet": int(wordnet is not None)}
    originals = {row.id: row.text for row in rows}
    agreement = {}
    for name, task in params.tasks.items():
        copies = sample([copy for copy in result.copies if copy.task == name], AGREEMENT_ROWS, params.seed)
        if copies:
            directory = artifacts.TEACHER / name
            classifier = load_classifier(directory)
            tokenizer = load_tokenizer(directory)
            agreement[name] = label_agreement(
                classifier, tokenizer, task.labels, copies, originals, params.teacher.maximum_length, batch_tokens
            )
    shown = [(originals[str(copy.parent)], copy.augmenter, copy.text) for copy in sample(result.copies, SAMPLE_ROWS, params.seed)]
    _write(result.copies, {**_marked(metrics), "agreement": agreement}, shown)


def _marked(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the metrics with X_judged beside the share of words that X changes, for the copies by X may be too few."""
    from compactlm.evaluation.intervals import judged

    shares, copies = metrics["changed_words"], metrics["by_augmenter"]
    return {**metrics, "changed_words": {**shares, **{f"{name}_judged": judged(copies[name]) for name in shares}}}


def _write(copies: list[artifacts.Document], metrics: dict[str, Any], shown: list[tuple[Any, ...]]) -> None:
    with artifacts.replacing(artifacts.AUGMENTED) as unfinished:
        artifacts.write_documents(unfinished, copies)
    tidy = [tuple(" ".join(str(cell).split()) for cell in row) for row in shown]
    artifacts.write_rows_as_tsv(artifacts.SAMPLES / "augmented.tsv", ("parent", "augmenter", "copy"), tidy)
    artifacts.write_json(artifacts.METRICS / "augment.json", metrics)


if __name__ == "__main__":
    run("augment", main)
