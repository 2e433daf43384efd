"""Compare `compactlm finetune` on few labelled rows with logistic regression over TF-IDF and over the teacher's sentence vectors.

    python -m benchmarks.bench_few_shot                       # 16, 64 and 256 rows per label, 5 draws of each
    python -m benchmarks.bench_few_shot --rows 16 --draws 3

The student is the pipeline's sentence encoder or, without one, its masked language model; neither was trained with labels. Rows of
the default experiment's sentiment data are drawn from the train split, and accuracy is measured on the whole test split. The figures
are written to reports/few-shot.json.
"""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline
from tqdm import tqdm

from compactlm import CompactLM, artifacts
from compactlm.bert.sentence_encoder.modules import is_sentence_encoder
from compactlm.evaluation.embeddings.contestants import load_encoder
from compactlm.evaluation.embeddings.vectors import Embed
from compactlm.inference.finetuning.labelled import Labelled
from compactlm.inference.finetuning.user_task import finetune
from compactlm.inference.runtime import directories
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


def student(directory: Path, rows: Rows, test: Rows, seed: int) -> float:
    """Return the accuracy of the fine-tuned student, with the threshold from fine-tuning."""
    with tempfile.TemporaryDirectory() as parent:
        output = Path(parent) / "own"
        finetune(directory, Labelled([text for text, _ in rows], [label for _, label in rows], 0), output, seed=seed)
        answers = CompactLM(output, backend="torch").classify_all(text for text, _ in test)
        return float(accuracy_score([label for _, label in test], [answer.label for answer in answers]))


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[16, 64, 256], help="rows per label")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--task", default="sentiment")
    options = parser.parse_args()
    train, test = labelled_rows("train", options.task), labelled_rows("test", options.task)
    base, table = artifacts.TEACHER / artifacts.BASE, []
    teacher = load_encoder(base, read_params().batch_tokens, "teacher")[1] if is_sentence_encoder(base) else None
    for count in options.rows:
        found: dict[str, list[float]] = {"student": [], "tfidf": [], **({"teacher": []} if teacher else {})}
        for seed in tqdm(range(options.draws), desc=f"{count} rows per label", unit="draw"):
            rows = draw(train, count, seed)
            found["tfidf"].append(baseline(rows, test))
            if teacher:
                found["teacher"].append(embedded(teacher, rows, test))
            found["student"].append(student(directories.find_base(artifacts.STUDENT).path, rows, test, seed))
        table.append({"rows_a_label": count, **{name: _summary(shares) for name, shares in found.items()}})
        print(f"{count:>4} rows per label", *(f"{name} {statistics.mean(shares):.1%}" for name, shares in found.items()), sep="  ")
    artifacts.write_json(REPORT, {"task": options.task, "test_rows": len(test), "draws": options.draws, "accuracy": table})


def _summary(shares: Sequence[float]) -> dict[str, float]:
    return {"mean": round(statistics.mean(shares), 4), "deviation": round(statistics.stdev(shares), 4) if len(shares) > 1 else 0.0}


if __name__ == "__main__":
    main()
