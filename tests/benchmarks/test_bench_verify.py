"""Models that answer the test rows again with another arithmetic give no figure another status."""

import shutil

import pytest
import torch
import yaml
from transformers import BertForSequenceClassification

from benchmarks.verification.answering import answer_again, changed_statuses, greatest_change
from benchmarks.verification.variants import AVX2, SSE
from compactlm import artifacts
from compactlm.params.files import insert_files
from tests.fixtures.builders import make_row, merge

SMALL = {
    "bootstrap": {"samples": 200},
    "teacher": {"maximum_length": 48},
    "tokenize": {"maximum_length": 48},
    "evaluate": {
        "mlm_words": 40,
        "forgetting_words": 20,
        "robustness": {"rows": 20},
        "pseudo_perplexity": {"rows_a_source": 3, "words_a_row": 2},
        "timings": {"batches": [1], "seconds": 0.01, "tokens": 8},
    },
}


@pytest.fixture(scope="module")
def project(tmp_path_factory, default_params, tiny_bert, student_root, tiny_texts):
    """A directory with tiny models, parameters and test rows. Every second row mentions women or men."""
    directory = tmp_path_factory.mktemp("project")
    for role, general in (("teacher", "base"), ("student", "mlm")):
        shutil.copytree(tiny_bert, directory / "models" / role / general)
        shutil.copytree(student_root / "sentiment", directory / "models" / role / "sentiment")
    texts = [f"{('she', 'he', 'it', 'one')[at % 4]} said {text}" for at, text in enumerate(tiny_texts)]
    rows = [make_row(at, text, "movie_reviews", ("negative", "positive")[at % 3 == 0]) for at, text in enumerate(texts)]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        for split in artifacts.SPLITS:
            artifacts.write_documents(artifacts.SPLIT / split, rows)
    content = insert_files(merge(yaml.safe_load(default_params), SMALL))
    (directory / "params.yaml").write_text(yaml.safe_dump(content))
    (directory / "configs").mkdir()
    return directory


@pytest.fixture(scope="module")
def first(project, tmp_path_factory):
    return answer_again(project, tmp_path_factory.mktemp("first"), {})


@pytest.mark.slow
@pytest.mark.parametrize(("variables", "threads"), [(AVX2, 1), (SSE, 2)])
def test_no_status_differs_with_another_arithmetic(project, first, tmp_path, variables, threads):
    own = tmp_path / "own"
    own.mkdir()
    for name in ("data", "models", "configs"):
        (own / name).symlink_to(project / name)
    content = yaml.safe_load((project / "params.yaml").read_text())
    (own / "params.yaml").write_text(yaml.safe_dump({**content, "threads": threads}))
    (tmp_path / "scratch").mkdir()
    again = answer_again(own, tmp_path / "scratch", variables)
    assert changed_statuses(first, again) == []
    assert greatest_change(first, again)[0] < 0.5
    gate = first["fairness"]["gate"]
    assert gate["not_judged"] < gate["checks"]


@pytest.mark.slow
def test_a_model_of_other_weights_has_other_statuses(project, first, tmp_path):
    own, scratch = tmp_path / "own", tmp_path / "scratch"
    scratch.mkdir()
    shutil.copytree(project, own)
    directory = own / "models/student/sentiment"
    model = BertForSequenceClassification.from_pretrained(directory)
    torch.nn.init.normal_(model.classifier.weight, generator=torch.Generator().manual_seed(1))
    model.save_pretrained(directory)
    assert changed_statuses(first, answer_again(own, scratch, {}))
