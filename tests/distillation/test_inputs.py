"""The stages signals and distill-train read the same rows and use the same teacher."""

import pytest

from compactlm import artifacts
from compactlm.distillation.inputs import Inputs
from compactlm.distillation.signals.cache import CachedSignals, write_cache
from compactlm.distillation.signals.online import OnlineMasked, OnlineTask
from compactlm.errors import CompactLMError

# One source with labels, one with unlabelled text of the task, and one that only general distillation uses.
SOURCES = ["movie_reviews", "tweets", "xsum"]


@pytest.fixture
def prepare(tmp_path, monkeypatch, build_params, tiny_tokenizer, student_tokenizer, kept, rows):
    """Write tokenized rows of each source to a working directory; return a factory of the inputs of a stage."""
    monkeypatch.chdir(tmp_path)
    table = []
    for at, sequence in enumerate(rows.sequences):
        source = SOURCES[at % 3]
        labelled = {"task": "sentiment", "label": "positive"} if at % 3 == 0 else {"task": None, "label": None}
        table.append({"id": f"{at:02}.0", "source": source, "input_ids": sequence, **labelled})
    table.append({"id": "40.0", "source": "tweets", "input_ids": rows.sequences[0], "task": "other", "label": "new"})
    copies = [{**row, "id": f"copy{row['id']}"} for row in table if row["task"] == "sentiment"]
    artifacts.write_table(artifacts.TOKENIZED / "train", table, artifacts.SEQUENCE_SCHEMA)
    artifacts.write_table(artifacts.TOKENIZED / "augmented", copies, artifacts.SEQUENCE_SCHEMA)
    artifacts.write_json(artifacts.ID_MAP, kept)
    student_tokenizer.save_pretrained(artifacts.STUDENT_TOKENIZER)
    tiny_tokenizer.save_pretrained(artifacts.TEACHER / artifacts.BASE)

    def build(source="online", attention=0.0, unlabelled=5):
        signals = {"general": {"sequences": 10, "maskings": 2, "top_k": 4}, "task": {"unlabelled_sequences": unlabelled}}
        losses = {"hidden": {"weight": 2.0, "layers": [[1, 2]]}, "attention": {"weight": attention}}
        params = build_params(
            signals={"source": source, "layers": [0, 2], **signals}, distill={"general": {**losses, "soft_weight": 1.0}, "task": losses}
        )
        return Inputs(params)

    return build


def test_general_distillation_draws_from_all_text(prepare):
    tokenized = prepare().general()
    assert len(tokenized.ids) == 20
    assert len(set(tokenized.ids)) == 20
    assert tokenized.ids == prepare("cached").general().ids
    assert {int(name.split(".")[0]) % 3 for name in tokenized.ids} == {0, 1, 2}
    assert all(name.startswith(tuple("0123456789")) for name in tokenized.ids)


def test_a_task_has_labelled_rows_their_copies_and_unlabelled_text(prepare):
    found = prepare().task("sentiment")
    assert found == prepare("cached").task("sentiment")
    labelled = [f"{at:02}.0" for at in range(0, 40, 3)]
    assert found.ids[:28] == [*labelled, *(f"copy{name}" for name in labelled)]
    assert found.targets == [[1.0]] * 28 + [None] * 5
    assert len(found.ids) == 33
    assert {int(name.split(".")[0]) % 3 for name in found.ids[28:]} == {1}
    assert len(prepare(unlabelled=99).task("sentiment").ids) == 28 + 13
    weights = {name.partition(".")[0]: 2.0 for name in found.ids[:28]}
    assert prepare().task("sentiment", weights).weights == [2.0] * 28 + [1.0] * 5


def test_the_online_source_wraps_the_teacher(prepare, masked_teacher, task_teacher, kept):
    for weight in (0.0, 1.0):
        inputs = prepare(attention=weight)
        general, task = inputs.source("general", masked_teacher, None), inputs.source("sentiment", task_teacher, None)
        assert isinstance(general, OnlineMasked)
        assert isinstance(task, OnlineTask)
        assert general.layers == task.layers == [0, 2]
        assert general.attentions == task.attentions == bool(weight)
        assert general.top_k == 4
        assert bool(task.segmentation) == (weight == 0)
        assert general.temperature == inputs.params.signals.general.temperature
        assert general.id_map.tolist() == task.id_map.tolist() == kept


def test_cached_signals_are_read_from_the_directory_of_the_phase(prepare, masked_teacher, task_teacher):
    inputs = prepare("cached")
    general, task = inputs.general(), inputs.task("sentiment")
    for phase, name, teacher, tokenized, online in (
        ("general", artifacts.BASE, masked_teacher, general, inputs.online_general),
        ("sentiment", "sentiment", task_teacher, task, inputs.online_task),
    ):
        teacher.save_pretrained(artifacts.TEACHER / name)
        with pytest.raises(FileNotFoundError, match=rf"data/signals/{phase}/cache\.json"):
            inputs.source(phase, teacher, tokenized)
        write_cache(artifacts.SIGNALS / phase, tokenized, online(teacher), 500, phase, inputs.cache_settings(name))
        assert isinstance(inputs.source(phase, teacher, tokenized), CachedSignals)
    task_teacher.classifier.bias.data += 1
    task_teacher.save_pretrained(artifacts.TEACHER / "sentiment")
    with pytest.raises(CompactLMError, match="data/signals/sentiment has signals for teacher "):
        inputs.source("sentiment", task_teacher, task)
