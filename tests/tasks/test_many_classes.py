"""A task of 150 labels with ten rows each, from a csv file over the splits to a distilled student and its tables, with tiny models."""

import csv
import itertools
import random
from collections import Counter
from pathlib import Path

import pytest
import torch
import yaml
from transformers import BertForMaskedLM, BertTokenizer

from compactlm import artifacts
from compactlm.bert.task_models import head_of
from compactlm.distillation.examples import TaskExamples, TaskRows
from compactlm.distillation.losses.layer_losses import LayerLosses
from compactlm.distillation.objectives import TaskObjective
from compactlm.distillation.signals.online import OnlineTask
from compactlm.evaluation.classifier import Reader
from compactlm.evaluation.paired import ROLES, Answers, compare_quality, headline
from compactlm.figures.bootstrap import Resampler
from compactlm.params import FineTuning, TaskDistillation, parse_params
from compactlm.report.findings import Findings
from compactlm.report.sections.quality import CONFUSED, LOWEST, quality
from compactlm.stages import clean, ingest, split
from compactlm.student.building import build_task_model
from compactlm.tasks import kind_of
from compactlm.tasks.segmenting import LibrarySegmenter
from compactlm.teacher import training as teachers
from compactlm.training.loop import Settings, train
from compactlm.training.task_losses import TaskLosses
from tests.fixtures.builders import make_config, make_optimisation
from tests.fixtures.distilling import WITHOUT

pytestmark = pytest.mark.slow

LIKE_OTHER_VALUES = ["0", "1", "2", "10", "1.5", "1e3", "true", "false", "null", "no", "nan"]
LABELS = [*LIKE_OTHER_VALUES, *(f"topic {number}" for number in range(150 - len(LIKE_OTHER_VALUES)))]
SAME = ("1", "true")  # the same words stand for both, so no model can tell them apart
OF_ONE_DOCUMENT = LABELS[-3:]  # such labels cannot be in several splits
ROWS = 10
LENGTH = 16
SYLLABLES = ["".join(one) for one in itertools.product("bdfgklmnprst", "aeiou")]
WORDS = ["".join(one) for one in itertools.product(SYLLABLES[:22], SYLLABLES[30:52])]
FILLERS, OWN = WORDS[:120], {label: WORDS[120 + 2 * at : 122 + 2 * at] for at, label in enumerate(LABELS)}
OWN[SAME[1]] = OWN[SAME[0]]


def rows_of(generator):
    """Yield the cells of each row: other words, and in them two of the label's own."""
    for number, (label, at) in enumerate(itertools.product(LABELS, range(ROWS))):
        words = [*generator.sample(FILLERS, 6), *generator.choices(OWN[label], k=2)]
        generator.shuffle(words)
        yield {"text": " ".join(words), "label": label, "document": label if label in OF_ONE_DOCUMENT else f"d{number} {at}"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, default_params):
    """Run the stages up to `split` on a csv file; return the params and the rows by split."""
    content = yaml.safe_load(default_params)
    content["tasks"] = {"topic": {"sources": ["messages"], "labels": LABELS, "metric": "macro_f1", "class_weights": "balanced"}}
    content["bias_audit"] |= {"protected": {}, "favorable_labels": {}}
    content["signals"]["task"]["unlabelled"] = []
    content["evaluate"]["embedding"] |= {"retrieval": [], "few_shot": []}
    columns = {"text": "text", "label": "label", "document": "document"}
    content["ingest"] = {"sources": {"messages": {"kind": "files", "path": "messages.csv", "columns": columns}}}
    content["bootstrap"]["samples"] = 100
    content["threads"] = 1
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("many"))
        with Path("messages.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["text", "label", "document"])
            writer.writeheader()
            writer.writerows(rows_of(random.Random(1)))
        params = parse_params(content)
        for stage in (ingest, clean, split):
            stage.main(params)
        yield params, {name: artifacts.read_documents(artifacts.SPLIT / name) for name in artifacts.SPLITS}


@pytest.fixture(scope="module")
def answers(prepared):
    """Fine-tune a teacher, distil a student, and return the answers of both to the test rows."""
    params, rows = prepared
    task, kind = params.tasks["topic"], kind_of(params.tasks["topic"])
    tokenizer = BertTokenizer(vocab={token: at for at, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])})
    segmenter = LibrarySegmenter(tokenizer.backend_tokenizer)
    torch.manual_seed(1)

    def body(size):
        shape = {"hidden_size": size, "intermediate_size": size, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        return BertForMaskedLM(make_config(vocab_size=len(tokenizer), **shape))

    base, settings = body(96), Settings(seed=1)
    torch.nn.init.normal_(base.bert.embeddings.word_embeddings.weight)  # fine-tuning does not change them, so they must differ
    base.save_pretrained("base")
    teacher = teachers.build_task_model(Path("base"), task, seed=1)
    encoded = kind.encode(segmenter, rows["train"], task, LENGTH)
    examples = [one for row in encoded for one in row]
    optimisation = make_optimisation(learning_rate=0.005, batch_tokens=512, epochs=30)
    tuning = FineTuning(frozen_layers=0, cache_gigabytes=0.0, optimisation=optimisation)
    teachers.fine_tune("topic", teacher, examples, task, tuning, settings)

    targets, losses = [one.target for one in examples], TaskLosses(kind, task, [one.target for one in examples])
    ids, tokens = [row.id for row in rows["train"]], [one.input_ids for one in examples]
    sequences = TaskRows(ids, tokens, targets, [1.0] * len(ids), losses=losses)
    student = build_task_model(body(32), task, seed=2)
    source = OnlineTask(teacher, list(range(len(tokenizer))), [0, 1])
    section = TaskDistillation.model_validate({"start": "general", "temperature": 2.0, **WITHOUT, "soft_weight": 1.0, "hard_weight": 1.0})
    objective = TaskObjective(student, LayerLosses(student.bert, teacher.bert, source.layers, torch.eye(96)[:32], section), section, losses)
    changed = optimisation.model_copy(update={"learning_rate": 0.01, "epochs": 45})
    train("topic", objective, TaskExamples(sequences, source), changed, settings, None)
    losses.fold(head_of(student))
    readers = {role: Reader(model, tokenizer, LENGTH, 4096, role, task) for role, model in zip(ROLES, (teacher, student), strict=True)}
    return Answers(task, tuple(rows["test"]), {role: reader.answers(rows["test"]) for role, reader in readers.items()})


def test_labels_that_look_like_numbers_are_kept_and_one_group_of_rows_stays_in_train(prepared):
    _, rows = prepared
    labels = {name: Counter(row.label for row in part) for name, part in rows.items()}
    assert set(labels["train"]) == set(LABELS)
    assert not set(OF_ONE_DOCUMENT) & (set(labels["validation"]) | set(labels["test"]))
    assert sum(sum(one.values()) for one in labels.values()) > 0.98 * ROWS * len(LABELS)
    assert all(isinstance(label, str) for label in labels["train"])


def test_a_student_of_150_labels_is_far_above_chance(answers):
    found = headline(answers)
    assert answers.task.metric == "macro_f1"
    assert found["chance"] < 0.01
    assert found["teacher"] > 0.4  # its random embeddings stay as they are
    assert found["student"] > 0.6
    # The mean is over the labels that have test rows, so labels without any cost nothing.
    assert len(set(answers.expected.tolist())) == len(LABELS) - len(OF_ONE_DOCUMENT)


def test_its_confusions_are_a_short_table(prepared, answers):
    params, _ = prepared
    section = {
        **headline(answers),
        "quality": compare_quality(answers, params.evaluate.calibration_bins, Resampler.of(params.bootstrap, 1)),
    }
    found = Findings(params, {"evaluate": {"tasks": {"topic": section}}}, {}, {"topic": answers}, {}, {}, {}, {})
    tables = {block.caption: block for block in quality(found).blocks if hasattr(block, "rows")}
    assert not any("matrix" in caption for caption in tables)
    confused, lowest = (tables[f"Labels that the student {what}, topic"] for what in ("confuses most", "finds least often"))
    assert len(confused.rows) <= CONFUSED
    assert len(lowest.rows) == LOWEST
    assert max(len(row) for row in [*confused.rows, *lowest.rows]) == 5
    assert set(SAME) in [set(row[:2]) for row in confused.rows]  # the labels that nothing tells apart
    assert lowest.note == f"{len(OF_ONE_DOCUMENT)} of {len(LABELS)} labels have no test row."
