"""A student's vocabulary, tiny teachers to ask, and the losses of a phase with the weights that a test names."""

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

from compactlm.distillation.masking import MaskedSequences
from compactlm.distillation.rows import TaskRows
from compactlm.params import GeneralDistillation, TaskDistillation
from compactlm.student.vocabulary import build_tokenizer, choose_vocabulary, count_pieces, id_map

OPTIMISATION = {"epochs": 1, "learning_rate": 0.001, "weight_decay": 0.01, "warmup": 0.1, "batch_tokens": 256, "dropout": 0.0}
WITHOUT = {
    "soft_weight": 0.0,
    "hard_weight": 0.0,
    "focal_gamma": 0.0,
    "hidden": {"weight": 0.0, "distance": "cosine", "layers": "uniform"},
    "embeddings": {"weight": 0.0, "distance": "mse"},
    "relations": {"weight": 0.0, "heads": 2, "layers": "uniform"},
    "attention": {"weight": 0.0, "layers": "uniform"},
    "optimisation": OPTIMISATION,
}


@pytest.fixture(scope="session")
def student_tokenizer(tiny_tokenizer, tiny_texts):
    """Some of the tiny teacher's pieces."""
    counts = count_pieces(tiny_tokenizer(tiny_texts, add_special_tokens=False)["input_ids"])
    return build_tokenizer(tiny_tokenizer, choose_vocabulary(tiny_tokenizer.get_vocab(), counts, 105), 64)


@pytest.fixture(scope="session")
def kept(tiny_tokenizer, student_tokenizer):
    """The teacher's id of each of the student's ids."""
    return id_map(tiny_tokenizer, student_tokenizer)


@pytest.fixture(scope="session")
def rows(student_tokenizer, tiny_texts):
    """40 sequences of different lengths, two of three labelled."""
    sequences = student_tokenizer(tiny_texts[::4] + tiny_texts[1:17:4])["input_ids"]
    numbers = range(len(sequences))
    labels = [(0, 1, -100)[at % 3] for at in numbers]
    return TaskRows([f"row{at}" for at in numbers], sequences, labels, [1.0 + at % 2 for at in numbers])


@pytest.fixture(scope="session")
def masked(rows, student_tokenizer):
    """The same sequences, masked in two ways."""
    return MaskedSequences(rows.ids, rows.sequences, student_tokenizer, 0.3, "1/general", 2)


@pytest.fixture
def masked_teacher(tiny_bert):
    teacher = BertForMaskedLM.from_pretrained(tiny_bert)
    with torch.no_grad():  # a random BERT has none
        teacher.cls.predictions.bias.copy_(torch.linspace(-2, 2, len(teacher.cls.predictions.bias)))
    return teacher


@pytest.fixture
def task_teacher(tiny_classifier):
    return BertForSequenceClassification.from_pretrained(tiny_classifier)


@pytest.fixture
def build_student(kept):
    """A function that builds a student of 2 layers of 16 units, or of another shape."""

    def build(form, seed=1, **shape):
        torch.manual_seed(seed)
        plain = {
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 24,
            "max_position_embeddings": 64,
        }
        dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        return form(BertConfig(vocab_size=len(kept), **{**plain, **dropout, **shape}))

    return build


@pytest.fixture(scope="session")
def losses():
    """A function that returns the section of a phase: all weights 0 but those of the changes, which may be parts of a loss."""

    def section(phase, **changes):
        merged = {name: {**value, **changes.pop(name, {})} if isinstance(value, dict) else value for name, value in WITHOUT.items()}
        if phase == "general":
            return GeneralDistillation.model_validate({**merged, **changes})
        return TaskDistillation.model_validate({**merged, "start": "general", "temperature": 2.0, **changes})

    return section
