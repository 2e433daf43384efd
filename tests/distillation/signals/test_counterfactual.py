import pytest
import torch

from compactlm.distillation.examples import TaskExamples, TaskRows
from compactlm.distillation.signals.counterfactual import average_families
from compactlm.distillation.signals.online import OnlineTask
from compactlm.errors import CompactLMError


@pytest.fixture
def families(rows, task_teacher, kept):
    """Four rows, the parents by copy (b and c are copies of a; d has none) and the teacher."""
    few = TaskRows(["a.0", "b.0", "c.0", "d.0"], rows.sequences[:4], [[0.0], [0.0], [0.0], [1.0]], [1.0] * 4, losses=rows.losses)
    return few, {"b": "a", "c": "a", "gone": "d"}, OnlineTask(task_teacher, kept, [0, 2])


def test_copies_and_their_original_get_the_mean_of_their_logits(families):
    rows, parents, source = families
    own = source.signals(rows.model_inputs(range(4)), range(4))
    averaged = average_families(source, rows, parents, 64)
    assert list(averaged.layers) == [0, 2]
    batch = TaskExamples(rows, averaged).batch([3, 1, 0], 0)
    mean = own["teacher_logits"][:3].mean(dim=0)
    assert not torch.allclose(own["teacher_logits"][0], mean, atol=1e-3)
    assert batch["teacher_logits"] == pytest.approx(torch.stack([own["teacher_logits"][3], mean, mean]), abs=1e-5)
    plain = TaskExamples(rows, source).batch([3, 1, 0], 0)
    assert torch.equal(batch["teacher_states"], plain["teacher_states"])


def test_the_source_is_unchanged_without_copies(families):
    rows, _, source = families
    assert average_families(source, rows, {}, 64) is source
    assert average_families(source, rows, {"b": "somewhere else"}, 64) is source


def test_a_lack_of_memory_names_the_setting(families):
    rows, parents, source = families
    source.signals = lambda batch, rows: torch.ones(10**14)
    with pytest.raises(CompactLMError, match=r"memory for counterfactual copies at step 1.*batch_tokens in params\.yaml from 64"):
        average_families(source, rows, parents, 64)
