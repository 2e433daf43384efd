"""The benchmark of sentence embeddings: WordLlama from its files, the figures of each contestant, and the table."""

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from benchmarks.bench_embedding import measure, rows
from benchmarks.embedding.wordllama import TENSOR, TOKENIZER, WEIGHTS, load_wordllama, wordllama_bytes
from compactlm.evaluation.embeddings.few_shot import make_few_shot
from compactlm.evaluation.embeddings.material import Material
from compactlm.evaluation.embeddings.retrieval import Search
from compactlm.evaluation.embeddings.tfidf import fit_tfidf
from compactlm.figures.bootstrap import Resampler
from compactlm.text.triples import Triple
from tests.fixtures.builders import make_row

TABLE = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 2]], dtype=np.float16)


@pytest.fixture
def package(tmp_path):
    """A directory with a table of three tokens, as in the package of WordLlama; the last token is not in the table."""
    for name in (WEIGHTS, TOKENIZER):
        (tmp_path / name).parent.mkdir()
    save_file({TENSOR: TABLE}, tmp_path / WEIGHTS)
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "dog": 1, "cat": 2, "late": 9}, unk_token="[UNK]"))  # noqa: S106 - not a password
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / TOKENIZER))
    return tmp_path


def test_wordllama_is_the_mean_of_the_tokens_of_a_text(package):
    found = load_wordllama(package)(["dog", "dog cat", "dog dog dog", "", "late"])
    assert np.allclose(found, [[0, 1, 0], [0, 1 / 5**0.5, 2 / 5**0.5], [0, 1, 0], [0, 0, 0], [0, 0, 1]])
    assert wordllama_bytes(package) == (package / WEIGHTS).stat().st_size


def letters(texts):
    found = np.array([[text.count(letter) for letter in "abdgost"] for text in texts], dtype=np.float32)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def test_every_contestant_has_all_figures_and_a_row():
    labels = ("bad", "good") * 20
    train = [make_row(at, f"{label} dog {at}", "movie_reviews", label) for at, label in enumerate(labels)]
    passages = tuple(f"{word} toast" for word in ("bad", "good", "dogs"))
    material = Material(
        search=Search(passages, ("is it bad", "is it good"), (0, 1)),
        sentences=("a good dog", "a bad boat", "the dogs sat", "toast for all"),
        few_shot={"sentiment": make_few_shot(train, train[:10], "sentiment", [16], 3, 1)},
        suites={"opposites": [Triple("good dog", "good dogs", "bad boat", "x")]},
    )
    tfidf = fit_tfidf(row.text for row in train)
    measured = measure({"teacher": (letters, 91_000_000), "TF-IDF": (tfidf, None)}, material, Resampler(100, 1))
    assert list(measured) == ["teacher", "TF-IDF"]
    for one in measured.values():
        assert set(one["figures"]) == {"found_at_1", "found_at_10", "spearman", "few_shot_16", "context"}
    assert measured["TF-IDF"]["figures"]["few_shot_16"].value == 1
    teacher, words = rows(measured)
    assert teacher[:2] == ["teacher", "91.0 MB"]
    assert words[:2] == ["TF-IDF", ""]
    assert len(teacher) == len(words) == 9
    assert teacher[4].startswith("1.000")
    assert words[6] == ""  # 64 rows per label were not drawn
