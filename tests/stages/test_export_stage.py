import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import BertForSequenceClassification

from compactlm import CompactLM, artifacts
from compactlm.draws import draw_items
from compactlm.errors import CompactLMError
from compactlm.evaluation.embeddings.comparing import measure_embedding
from compactlm.evaluation.embeddings.contestants import load_encoder
from compactlm.evaluation.embeddings.material import make_material
from compactlm.export import directory as exporting
from compactlm.export.directory import export_onnx
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Figure, read_figures
from compactlm.improvement.reference import FOLDER, read_reference
from compactlm.inference.search.thresholds import DEFAULT, read_thresholds
from compactlm.params import Export
from compactlm.params.suites import QUESTIONS
from compactlm.stages import export
from tests.fixtures.builders import make_row, scattered_row
from tests.fixtures.encoders import make_dense, make_encoder

LABELS = ["negative", "positive"]


@pytest.fixture
def params(tmp_path, monkeypatch, tiny_bert, tiny_classifier, tiny_sequences, tiny_texts):
    """A workspace with the tiny student, whose classifier is wrong on every eighth test row. Its validation rows are the texts."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_bert, artifacts.STUDENT / "mlm")
    shutil.copytree(tiny_classifier, artifacts.STUDENT / "sentiment")
    model = BertForSequenceClassification.from_pretrained(tiny_classifier).eval()
    rows = []
    for number, sequence in enumerate(tiny_sequences):
        with torch.inference_mode():
            answer = int(model(torch.tensor([sequence])).logits.argmax())
        label = LABELS[answer if number % 8 else 1 - answer]
        rows.append({"id": f"{number:032x}.0", "source": "reviews", "task": "sentiment", "label": label, "input_ids": sequence})
    unlabelled = [{**row, "id": f"f{row['id']}", "source": "wiki", "task": None, "label": None} for row in rows[:30]]
    artifacts.write_table(artifacts.TOKENIZED / "test", [*rows, *unlabelled], artifacts.SEQUENCE_SCHEMA)
    validation = [scattered_row(number, text, "reviews", LABELS[number % 2]) for number, text in enumerate(tiny_texts)]
    artifacts.write_documents(artifacts.SPLIT / "validation", [*validation, scattered_row("other", "a slow river", "wiki")])
    settings = Export(
        opset=18,
        check_rows=160,
        general_rows=120,
        tolerance=1e-4,
        accuracy_loss=0.005,
        answer_questions=50,
        wrong_answers=0.1,
        reference_rows=100,
    )
    tasks = {"sentiment": SimpleNamespace(labels=LABELS, kind="classification", pair=False)}
    return SimpleNamespace(seed=17, threads=1, batch_tokens=512, tasks=tasks, export=settings)


def test_all_models_and_the_cost_of_int8_are_written(params):
    export.main(params)
    metrics = artifacts.read_json(artifacts.METRICS / "export.json")
    assert {name: found["rows"] for name, found in metrics.items()} == {"mlm": 120, "embedding": 120, "sentiment": 144}
    for name, found in metrics.items():
        assert 0 < found["fp32"]["greatest_difference"] < 1e-4
        for form, file in (("fp32", "model.onnx"), ("int8", "model_quantized.onnx")):
            assert found[form]["bytes"] == (artifacts.EXPORT / name / "onnx" / file).stat().st_size
    figures = read_figures(metrics)
    int8 = {name: found["int8"] for name, found in figures.items()}
    assert int8["sentiment"]["original_accuracy"].value == pytest.approx(0.875)
    assert int8["sentiment"]["agreement"].value > 0.9
    assert int8["mlm"]["agreement"].value > 0.8
    shares = artifacts.read_json(artifacts.EXPORT / "mlm" / "metrics.json")["masked_tokens_top1"]
    assert shares["onnx"] == pytest.approx(int8["mlm"]["original_accuracy"].value, abs=1e-6)
    assert 0.98 < int8["embedding"]["least_cosine"].value <= int8["embedding"]["mean_cosine"].value <= 1
    assert all(found.judged for figures in int8.values() for found in figures.values() if isinstance(found, Figure))


def test_a_reference_sample_of_each_task_is_written_from_validation_rows(params, tiny_texts):
    export.main(params)
    files = sorted((artifacts.EXPORT / FOLDER / "sentiment").iterdir())
    written = [path.read_bytes() for path in files]
    lm = CompactLM(artifacts.EXPORT, backend="onnx", threads=1)
    found = read_reference(lm, "sentiment")
    assert len(found.described) == 100
    own = draw_items(artifacts.read_documents(artifacts.SPLIT / "validation"), 101, "reference", 17, key=lambda row: row.id)
    own = [row for row in own if row.task == "sentiment"][:100]
    assert np.allclose(found.described.vectors, lm.embed([row.text for row in own]), atol=1e-3)
    assert [LABELS[at] for at in found.expected] == [row.label for row in own]
    assert lm.tasks == ["sentiment"]
    # The sample contains no text, and equal inputs give equal bytes.
    assert not any(text.encode() in content for content in written for text in tiny_texts)
    export.main(params)
    assert [path.read_bytes() for path in files] == written


@pytest.mark.parametrize("other", [{"kind": "regression"}, {"pair": True}])
def test_the_sample_of_a_task_without_one_label_a_text_has_no_answers(params, export_root, other):
    shutil.copytree(export_root, artifacts.EXPORT)
    params.tasks["sentiment"].__dict__.update(other)
    export._write_references(params, artifacts.EXPORT)
    found = read_reference(CompactLM(artifacts.EXPORT, backend="onnx", threads=1), "sentiment")
    assert (found.labels, found.described.answers) == ((), None)


def test_a_sentence_encoder_of_the_student_is_exported(params, tiny_bert, tiny_texts, build_params):
    QUESTIONS.parent.mkdir(parents=True)
    QUESTIONS.write_text("{validation: {slang: [[the old dog, tha old dog], [good music, gud music]]}, test: {}}", encoding="utf-8")
    student = make_encoder(tiny_bert, artifacts.STUDENT / "embedding", dense=(make_dense(32, 24),), maximum_length=12)
    make_encoder(tiny_bert, artifacts.TEACHER / "base", dense=(make_dense(32, 24),), pooling=("cls",))
    rows = [
        make_row(at, text, "boolq", LABELS["good" in text], queries=(" ".join(text.split()[:3]),)) for at, text in enumerate(tiny_texts)
    ]
    for name, part in (("train", rows[::2]), ("validation", rows[::3]), ("test", rows[1::2])):
        artifacts.write_documents(artifacts.SPLIT / name, part)
    whole = build_params(evaluate={"embedding": {"few_shot": [4], "draws": 3, "sentences": 50}}, bootstrap={"samples": 100})
    params.evaluate, params.bootstrap = whole.evaluate, whole.bootstrap
    export.main(params)
    int8 = read_figures(artifacts.read_json(artifacts.METRICS / "export.json"))["embedding"]["int8"]
    _, of_student = load_encoder(student, 512, "student")
    _, of_teacher = load_encoder(artifacts.TEACHER / "base", 512, "teacher")
    material = make_material(params.evaluate.embedding, rows[::2], rows[1::2], params.tasks, {}, params.seed)
    expected = measure_embedding(of_student, of_teacher, material, Resampler.of(params.bootstrap, params.seed))
    assert set(expected) == {"found_at_1", "found_at_10", "spearman", "few_shot_4"}
    assert {name: int8[name].value for name in expected} == pytest.approx({name: found.value for name, found in expected.items()}, abs=0.06)
    found = artifacts.read_json(artifacts.METRICS / "export.json")["embedding"]
    assert found["fp32"]["greatest_difference"] < 1e-4
    assert found["int8"]["least_cosine"]["value"] > 0.98
    vectors = [CompactLM(root, backend="onnx").embed(["the old dog"]) for root in (artifacts.EXPORT, artifacts.EXPORT / "embedding")]
    assert (vectors[0] == vectors[1]).all()
    assert vectors[0].shape == (1, 24)
    thresholds = read_thresholds(artifacts.EXPORT / "embedding")
    assert thresholds != DEFAULT
    assert thresholds.wrong_answers == 0.1


def test_figures_on_few_rows_are_not_judged(params):
    params.export = params.export.model_copy(update={"check_rows": 29, "general_rows": 29})
    export.main(params)
    metrics = read_figures(artifacts.read_json(artifacts.METRICS / "export.json"))
    assert {found["rows"] for found in metrics.values()} == {29}
    assert not any(value.judged for found in metrics.values() for value in found["int8"].values() if isinstance(value, Figure))


def test_a_large_int8_loss_ends_the_stage_without_output(params, tiny_classifier, tmp_path, monkeypatch):
    broken = BertForSequenceClassification.from_pretrained(tiny_classifier)
    with torch.no_grad():
        broken.classifier.weight.neg_()
        broken.classifier.bias.neg_()
    export_onnx(broken, tmp_path / "broken.onnx", 18)
    whole = exporting.quantize

    def quantize(source, target):
        if "sentiment" in str(source):
            shutil.copyfile(tmp_path / "broken.onnx", target)
        else:
            whole(source, target)

    monkeypatch.setattr(exporting, "quantize", quantize)
    with pytest.raises(CompactLMError, match=r"sentiment/onnx/model_quantized\.onnx loses 75\.00 points of accuracy on 144 test rows"):
        export.main(params)
    assert not artifacts.EXPORT.exists()
    assert not (artifacts.METRICS / "export.json").exists()


def test_a_difference_beyond_the_tolerance_ends_the_stage(params):
    params.export = params.export.model_copy(update={"tolerance": 1e-12})
    with pytest.raises(CompactLMError, match=r"mlm/onnx/model\.onnx differs from the original by .* more than export\.tolerance 1e-12"):
        export.main(params)
    assert not artifacts.EXPORT.exists()
