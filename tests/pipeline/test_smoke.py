"""The smoke preset through DVC: its outputs, and which stages run again after a change."""

import json
import re
import resource

import pytest
import yaml
from huggingface_hub import ModelCard

from compactlm.artifacts import read_json
from compactlm.figures.figure import Status
from compactlm.pipeline.code import fingerprints

pytestmark = pytest.mark.pipeline


def lock(checkout):
    return yaml.safe_load(checkout.path("dvc.lock").read_text())["stages"]


def stages_run(output):
    return re.findall(r"Running stage '([a-z-]+)'", output)


def test_all_stages_leave_metrics_and_artifacts(smoke):
    assert len(lock(smoke)) == 13
    for name in lock(smoke):
        assert read_json(smoke.path("reports", "code", f"{name}.json")) == fingerprints(name, smoke.directory)
    for name in set(lock(smoke)) - {"report", "fingerprint"}:
        assert read_json(smoke.path("reports", "metrics", f"{name}.json"))
    evaluated = read_json(smoke.path("reports", "metrics", "evaluate.json"))
    assert {"student_parameters", "teacher_parameters", "ratio"} <= set(evaluated["size"])
    words = evaluated["mlm"]
    assert {"student_top1", "student_pseudo_perplexity", "frequency_top1", "ngram_top1", "ngram_pseudo_perplexity"} <= set(words)
    assert not {"teacher_top1", "retention"} & set(words)  # the teacher has no masked-language-model head
    assert words["quality"]["teacher"]["top1"]["status"] == Status.NOT_JUDGED
    assert words["frequency_pseudo_perplexity"] > words["ngram_pseudo_perplexity"] > 1
    top1 = read_json(smoke.path("models", "export", "mlm", "metrics.json"))["masked_tokens_top1"]
    assert set(top1) == {"onnx", "int8"}
    embedding = evaluated["embedding"]
    assert {"student", "teacher", "static", "context"} <= set(embedding)
    assert embedding["student"]["found_at_10"]["rows"] == embedding["teacher"]["found_at_10"]["rows"] > 0
    assert smoke.path("models", "student", "embedding", "modules.json").is_file()
    task = evaluated["tasks"]["sentiment"]
    assert {"teacher", "student", "chance", "retention", "retention_above_chance", "rows"} <= set(task)
    assert {"quality", "slices", "worst_slice", "robustness", "forgetting", "spread"} <= set(task)
    assert task["quality"]["student"]["accuracy"]["value"] == pytest.approx(task["student"])
    assert task["retention"] == pytest.approx(task["student"] / task["teacher"])
    assert evaluated["size"]["ratio"] <= 0.1
    assert task["teacher"] > task["chance"] + 0.05, "the teacher has learnt nothing"
    taught, tokenized = (read_json(smoke.path("reports", "metrics", f"{name}.json")) for name in ("teacher", "tokenize"))
    for figure in (taught["sentiment"]["accuracy"], tokenized["train"]["unknown_rate"]):
        assert (figure["status"] == Status.NOT_JUDGED) == (figure["rows"] < figure["rows_needed"])
    assert tokenized["vocabulary"]["coverage"]["status"] == Status.OK
    assert list(smoke.path("data", "predictions").glob("*.parquet"))
    assert set(read_json(smoke.path("reports", "timings", "evaluate.json"))["models"]) == {"teacher", "student", "bert_base"}
    assert {"tasks", "stereotypes", "gate"} == set(evaluated["fairness"])
    assert "vaderSentiment" in smoke.path("reports", "data-card.md").read_text()
    assert smoke.path("reports/model-card.md").read_bytes() == smoke.path("models/student/README.md").read_bytes()


def test_a_second_run_does_nothing_and_takes_seconds(smoke):
    # CPU time, because other workers may run at the same time.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = smoke.run("dvc", "repro")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert stages_run(output) == []
    assert "up to date" in output
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 30


def test_a_run_changes_only_parameters_lock_and_reports_in_git(smoke):
    changed = smoke.run("git", "diff", "--name-only", "HEAD~1").split()
    assert {"dvc.lock", "params.yaml"} < set(changed)
    assert all(name in {"dvc.lock", "params.yaml"} or name.startswith("reports/") for name in changed)


CHANGES = [
    ("data.processes", 1, set()),
    ("clean.minimum_characters", 11, {"clean"}),
    ("split.across_splits", "prevent", {"split"}),
    ("diversity.words", 10_000, {"split", "augment"}),
    ("teacher.fine_tuning.frozen_layers", 3, {"teacher"}),
    ("augment.share_of_words", 0.2, {"augment"}),
    ("bias_audit.minimum_group_rows", 31, {"bias-audit", "evaluate"}),
    ("bias_audit.protected", {}, {"bias-audit", "evaluate"}),
    ("bias_audit.mitigation", "both", {"bias-audit"}),
    ("bias_audit.gate.on_violation", "fail", {"bias-audit"}),
    ("bias_audit.gate.model.amplification", 0.2, {"evaluate"}),
    ("student.layers", 3, {"tokenize", "distill-train"}),
    ("student.initialisation", "random", {"distill-train"}),
    ("signals.general.top_k", 16, {"signals", "distill-train"}),
    ("student.vocabulary_size", 2900, {"tokenize"}),
    ("distill.task.temperature", 3.0, {"distill-train"}),
    ("evaluate.mlm_words", 100, {"evaluate"}),
    ("export.check_rows", 50, {"export"}),
]

FILES = [
    ("configs/words/groups/gender.yaml", ", actresses", "", {"augment", "bias-audit", "evaluate", "report"}),
    ("configs/words/slices/english.yaml", ", barely", "", {"evaluate", "report"}),
    ("configs/sources/tweets.yaml", "public tweets", "tweets", {"ingest", "report"}),
    ("configs/preset/smoke.yaml", "600", "500", set()),
    ("src/compactlm/params/base.py", "from __future__", "# A comment.\nfrom __future__", set()),
    ("src/compactlm/corpus/ingest/hub.py", "from __future__", "# A comment.\nfrom __future__", {"ingest"}),
]

# Print the output of `dvc status` for each changed file. One process does all, because a process takes seconds to start.
STATUS = """
import json, sys
from pathlib import Path
from dvc.repo import Repo
found = []
for name, changed in json.load(sys.stdin):
    path = Path(name)
    before = path.read_text()
    path.write_text(changed)
    try:
        with Repo() as repo:
            found.append(sorted(repo.status()))
    finally:
        path.write_text(before)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def touched(smoke):
    """Return the stages that each of CHANGES and FILES affects, by key and value or by path."""
    texts = []
    for key, value, _ in CHANGES:
        content = yaml.safe_load(smoke.path("params.yaml").read_text())
        section = content
        *parents, last = key.split(".")
        for parent in parents:
            section = section[parent]
        assert section[last] != value
        section[last] = value
        texts.append(("params.yaml", yaml.safe_dump(content)))
    for path, before, after, _ in FILES:
        text = smoke.path(path).read_text()
        assert before in text
        texts.append((path, text.replace(before, after, 1)))
    output = smoke.run("python", "-c", STATUS, given=json.dumps(texts))
    found = json.loads(next(line for line in output.splitlines() if line.startswith("[[")))
    changes = [*((key, str(value)) for key, value, _ in CHANGES), *(path for path, *_ in FILES)]
    return dict(zip(changes, found, strict=True))


@pytest.mark.parametrize(("key", "value", "expected"), CHANGES)
def test_a_changed_parameter_affects_only_its_stages_and_the_report(touched, key, value, expected):
    # The report depends on all parameters, because it shows them.
    assert set(touched[key, str(value)]) == {*expected, "report"}


@pytest.mark.parametrize(("path", "before", "after", "expected"), FILES)
def test_a_changed_file_affects_the_stages_that_read_it(touched, path, before, after, expected):
    assert set(touched[path]) == expected


def test_a_changed_word_list_runs_the_audit_again(smoke):
    path, figures = smoke.path("configs/words/groups/gender.yaml"), smoke.path("reports/metrics/bias-audit.json")
    before, text = read_json(figures), path.read_text()
    changed = text.replace("men: [he, him,", "men: [him,").replace("{women: she, men: he}", "{women: she, men: him}")
    assert changed != text
    with smoke.restored():
        path.write_text(changed)
        assert stages_run(smoke.run("dvc", "repro", "--single-item", "bias-audit")) == ["bias-audit"]
        assert read_json(figures) != before
    assert read_json(figures) == before


def test_a_changed_docstring_is_committed_without_a_run(smoke):
    path, record = smoke.path("src/compactlm/corpus/ingest/hub.py"), smoke.path("reports/code/ingest.json")
    with smoke.restored():
        path.write_text(path.read_text().replace('"""', '"""Changed. ', 1))
        assert "ingest" in smoke.run("dvc", "status")
        smoke.run("dvc", "commit", "--force")
        assert stages_run(smoke.run("dvc", "repro")) == []
        assert smoke.run("git", "diff", "--name-only").split() == ["dvc.lock", "src/compactlm/corpus/ingest/hub.py"]
        assert read_json(record) == fingerprints("ingest", smoke.directory)
        # `dvc commit` also accepts a change of computing code, but the record shows it.
        path.write_text(path.read_text() + "CHANGED = 1\n")
        smoke.run("dvc", "commit", "--force")
        assert read_json(record) != fingerprints("ingest", smoke.directory)


def test_an_experiment_runs_what_depends_on_its_parameter_and_can_be_compared(smoke):
    with smoke.restored():
        output = smoke.run("dvc", "exp", "run", "-S", "preset=smoke", "-S", "evaluate.mlm_words=100")
        assert stages_run(output) == ["evaluate", "report", "fingerprint"]
        assert yaml.safe_load(smoke.path("params.yaml").read_text())["evaluate"]["mlm_words"] == 100
        differences = json.loads(smoke.run("dvc", "metrics", "diff", "--json"))
        assert any("evaluate.json" in path for path in differences)
        assert "mlm_words" in smoke.run("dvc", "params", "diff")
        smoke.run("dvc", "plots", "diff")
    assert "up to date" in smoke.run("dvc", "status")


def test_the_report_the_card_and_the_plots_are_there(smoke):
    page = smoke.path("reports/index.html").read_text()
    assert "What the student keeps of its teacher" in page
    assert "<script" not in page
    card = smoke.path("reports/model-card.md").read_text()
    assert ModelCard(card).data.to_dict()["model-index"][0]["results"]
    assert re.findall(r"```text\n(?:negative|positive) 0\.\d+", card)
    smoke.run("dvc", "plots", "show", "--out", "dvc_plots")
    drawn = smoke.path("dvc_plots/index.html").read_text()
    for title in ("Confusion of teacher and student", "Losses of distillation", "Accuracy by slice"):
        assert title in drawn


def test_the_student_loads_without_compactlm(smoke):
    script = """
import sys
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoTokenizer
for kind, name in ((AutoModelForMaskedLM, "mlm"), (AutoModelForSequenceClassification, "sentiment")):
    model = kind.from_pretrained(f"models/student/{name}")
    tokenizer = AutoTokenizer.from_pretrained(f"models/student/{name}")
    assert type(model).__module__.startswith("transformers."), type(model)
    assert len(tokenizer) == model.config.vocab_size
    print(tuple(model(**tokenizer("a fine film", return_tensors="pt")).logits.shape), model.config.id2label)
assert not any(name.startswith("compactlm") for name in sys.modules)
"""
    output = smoke.run("python", "-c", script, PYTHONPATH="", HF_HUB_OFFLINE="1")
    assert "positive" in output


def test_both_backends_give_the_same_sentence_embeddings(smoke):
    script = """
import json, sys
from compactlm import CompactLM
found = CompactLM(sys.argv[1], backend=sys.argv[2]).embed(["a fine film", "the news of today"])
print(json.dumps(found.tolist()))
"""
    torch, onnx = (
        json.loads(smoke.run("python", "-c", script, root, backend).splitlines()[-1])
        for root, backend in (("models/student", "torch"), ("models/export", "onnx"))
    )
    assert smoke.path("models/export/embedding/modules.json").is_file()
    for left, right in zip(torch, onnx, strict=True):
        assert left == pytest.approx(right, abs=1e-3)


def test_artifacts_can_be_pushed_and_pulled(smoke, tmp_path):
    remote, clone = tmp_path / "remote", tmp_path / "clone"
    smoke.run("dvc", "remote", "add", "--local", "--force", "--default", "store", str(remote))
    smoke.run("dvc", "push")
    smoke.run("git", "clone", "--quiet", str(smoke.directory), str(clone))
    other = type(smoke)(clone)
    other.run("dvc", "remote", "add", "--local", "--default", "store", str(remote))
    other.run("dvc", "pull")
    assert stages_run(other.run("dvc", "repro")) == []
    assert other.path("models", "student", "mlm", "model.safetensors").is_file()
