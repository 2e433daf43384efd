"""Compare `compactlm finetune` on few labelled rows with logistic regression over TF-IDF and over the teacher's sentence vectors.

    python -m benchmarks.bench_few_shot                       # 16, 64 and 256 rows per label, 5 draws of each
    python -m benchmarks.bench_few_shot --rows 16 --draws 3
    python -m benchmarks.bench_few_shot --before ../earlier   # and an earlier version, in a git worktree

The student is the pipeline's sentence encoder or, without one, its masked language model; neither was trained with labels. Rows of
the default experiment's sentiment data are drawn from the train split, and accuracy is measured on the whole test split. The figures
are written to reports/few-shot.json.
"""

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from random import Random

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline

from benchmarks.shared.versions import Version, add_before
from compactlm import artifacts
from compactlm.bert.sentence_encoder.modules import is_sentence_encoder
from compactlm.evaluation.embeddings.contestants import load_encoder
from compactlm.evaluation.embeddings.vectors import Embed
from compactlm.params import read_params

REPORT = Path("reports/few-shot.json")
Rows = Sequence[tuple[str, str]]


def labelled_rows(split: str, task: str) -> list[tuple[str, str]]:
    """Return texts and labels of a split, sorted."""
    documents = artifacts.read_documents(artifacts.SPLIT / split)
    return sorted((row.text, str(row.label)) for row in documents if row.task == task)


def draw(rows: Rows, count: int, seed: int) -> list[tuple[str, str]]:
    """Return `count` rows of each label."""
    chosen = []
    for label in sorted({label for _, label in rows}):
        chosen += Random(f"{seed}/{count}/{label}").sample([row for row in rows if row[1] == label], count)
    return chosen


def baseline(rows: Rows, test: Rows) -> float:
    """Return the accuracy of logistic regression over TF-IDF of words and word pairs, regularised by cross-validation."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(words, LogisticRegressionCV(Cs=[0.1, 1, 10, 100], cv=4, max_iter=1000))
    model.fit([text for text, _ in rows], [label for _, label in rows])
    return float(model.score([text for text, _ in test], [label for _, label in test]))


def embedded(embed: Embed, rows: Rows, test: Rows) -> float:
    """Return the accuracy of logistic regression over the vectors of an embedding, regularised by cross-validation."""
    model = LogisticRegressionCV(Cs=[0.1, 1, 10, 100], cv=4, max_iter=1000)
    model.fit(embed([text for text, _ in rows]), [label for _, label in rows])
    return float(model.score(embed([text for text, _ in test]), [label for _, label in test]))


def finetuned(version: Version, draws: Sequence[Rows], test: Rows) -> list[float]:
    """Return the accuracy of `compactlm finetune` of a version on each draw, with the threshold from fine-tuning."""
    labels = [label for _, label in test]
    answers = version.run("finetune", artifacts.STUDENT, draws=draws, texts=[text for text, _ in test])
    return [float(accuracy_score(labels, answer)) for answer in answers]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[16, 64, 256], help="rows per label")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--task", default="sentiment")
    add_before(parser)
    options, params = parser.parse_args(), read_params()
    train, test = labelled_rows("train", options.task), labelled_rows("test", options.task)
    base, table = artifacts.TEACHER / artifacts.BASE, []
    teacher = load_encoder(base, params.batch_tokens, "teacher")[1] if is_sentence_encoder(base) else None
    versions = {"student": Version("bench-few-shot", params.threads)}
    if options.before:
        versions["before"] = Version("bench-few-shot", params.threads, options.before)
    for count in options.rows:
        draws = [draw(train, count, seed) for seed in range(options.draws)]
        found = {name: finetuned(version, draws, test) for name, version in versions.items()}
        found["tfidf"] = [baseline(rows, test) for rows in draws]
        if teacher:
            found["teacher"] = [embedded(teacher, rows, test) for rows in draws]
        table.append({"rows_a_label": count, **{name: _summary(shares) for name, shares in found.items()}})
        shown = (f"{name} {statistics.mean(shares):.1%}" for name, shares in found.items())
        print(f"{count:>4} rows per label", *shown, sep="  ", flush=True)
    artifacts.write_json(REPORT, {"task": options.task, "test_rows": len(test), "draws": options.draws, "accuracy": table})


def _summary(shares: Sequence[float]) -> dict[str, float]:
    return {"mean": round(statistics.mean(shares), 4), "deviation": round(statistics.stdev(shares), 4) if len(shares) > 1 else 0.0}


if __name__ == "__main__":
    main()
