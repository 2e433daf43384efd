import json
import shutil

import pytest
from safetensors.torch import load_file, save_file
from transformers import BertModel

from compactlm.errors import CompactLMError
from compactlm.teacher.checks import check_count, check_teacher
from tests.fixtures.encoders import make_dense, make_encoder


@pytest.fixture
def teacher(tiny_bert, tmp_path):
    """A copy of the tiny teacher's directory that a test may damage."""
    return shutil.copytree(tiny_bert, tmp_path / "teacher")


def change_config(directory, **changes):
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def remove_tokenizer(directory):
    for path in directory.iterdir():
        if path.name not in {"config.json", "model.safetensors"}:
            path.unlink()


def shrink_tokenizer(directory):
    path = directory / "tokenizer.json"
    content = json.loads(path.read_text())
    del content["model"]["vocab"]["music"]
    path.write_text(json.dumps(content))


def truncate_weights(directory):
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def rename_embeddings(directory):
    tensors = load_file(directory / "model.safetensors")
    save_file({"other." + str(at): tensor for at, tensor in enumerate(tensors.values())}, directory / "model.safetensors")


def test_a_good_teacher_passes_with_and_without_a_head(teacher, tiny_bert):
    check_teacher(teacher, 64)
    BertModel.from_pretrained(tiny_bert).save_pretrained(teacher)
    check_teacher(teacher, 64)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "model.safetensors").unlink(), r"model\.safetensors is missing"),
        (lambda d: (d / "config.json").unlink(), r"config\.json is missing"),
        (lambda d: (d / "config.json").write_text('{"model_type": "bert",'), r"config\.json cannot be read"),
        (lambda d: (d / "config.json").write_text("{}"), r"config\.json cannot be read"),
        (lambda d: change_config(d, model_type="distilbert"), r"distilbert"),
        (truncate_weights, r"model\.safetensors cannot be read"),
        (lambda d: (d / "model.safetensors").write_bytes(b""), r"model\.safetensors cannot be read"),
        (rename_embeddings, r"holds no word embeddings of a BERT"),
        (shrink_tokenizer, r"weights for 117 tokens, a config\.json for 117 and a tokenizer with 116"),
        (lambda d: change_config(d, vocab_size=200), r"weights for 117 tokens, a config\.json for 200 and a tokenizer with 117"),
        (remove_tokenizer, r"a tokenizer with 5"),
        (lambda d: (d / "tokenizer.json").write_text("{}"), r"the tokenizer in .* cannot be loaded"),
        (lambda d: (d / "tokenizer.json").write_text('{"model": '), r"the tokenizer in .* cannot be loaded"),
    ],
)
def test_an_unusable_teacher_is_refused(teacher, damage, message):
    damage(teacher)
    with pytest.raises(CompactLMError, match=message) as caught:
        check_teacher(teacher, 64)
    assert "\n" not in str(caught.value)
    assert str(teacher) in str(caught.value)
    assert "; " in str(caught.value)


def test_the_modules_of_a_sentence_encoder_are_read(tiny_bert, tmp_path):
    directory = make_encoder(tiny_bert, tmp_path / "teacher", dense=(make_dense(32, 8),))
    check_teacher(directory, 64)
    (directory / "2_Dense/model.safetensors").unlink()
    with pytest.raises(CompactLMError, match=r"2_Dense/model\.safetensors cannot be read"):
        check_teacher(directory, 64)


def test_code_of_a_teacher_is_refused_and_never_runs(teacher, tmp_path):
    ran = tmp_path / "ran"
    (teacher / "code.py").write_text(f"open({str(ran)!r}, 'w')\n")
    change_config(teacher, model_type="mine", auto_map={"AutoConfig": "code.Config"})
    with pytest.raises(CompactLMError, match=r"config\.json cannot be read"):
        check_teacher(teacher, 64)
    assert not ran.exists()


def test_the_counted_parameters_must_equal_the_stated_number():
    check_count(10, None)
    check_count(10, 10)
    with pytest.raises(CompactLMError, match=r"1,000 .* teacher\.parameters is 999"):
        check_count(1000, 999)


def test_a_teacher_with_too_few_positions_is_refused(tiny_bert):
    with pytest.raises(CompactLMError, match=r"64 tokens, but teacher\.maximum_length is 65"):
        check_teacher(tiny_bert, 65)
