"""Write models with random weights to compare with: `python -m benchmarks.inference.material DIRECTORY OPSET TEACHER STUDENT`.

This runs in its own process, so that the parent process stays small. Weights do not affect speed.
"""

import sys
from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification

from compactlm.bert import models
from compactlm.bert.runtime import prepare
from compactlm.export.directory import write_directory

BERT_BASE, TENTH = "bert-base", "6x256"
# A tenth of the parameters of bert-base.
TENTH_CONFIG = BertConfig(
    vocab_size=23_482, hidden_size=256, num_hidden_layers=6, num_attention_heads=4, intermediate_size=1024, max_position_embeddings=512
)


def write(directory: Path, opset: int, teacher: Path, student: Path) -> None:
    """Write a torch model of bert-base's shape with the teacher's tokenizer, and an int8 model of a tenth with the student's."""
    torch.manual_seed(0)
    models.save(BertForSequenceClassification(BertConfig()), models.load_tokenizer(teacher), directory / BERT_BASE)
    write_directory(BertForSequenceClassification(TENTH_CONFIG), student, directory / TENTH, opset)


def main() -> None:
    """Write both models."""
    directory, opset, teacher, student = sys.argv[1:]
    prepare(1)
    write(Path(directory), int(opset), Path(teacher), Path(student))


if __name__ == "__main__":
    main()
