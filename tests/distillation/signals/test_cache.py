import dataclasses
import hashlib
import json
import re
from types import SimpleNamespace

import pytest
import safetensors.torch
import torch

from compactlm.distillation.signals.cache import CachedSignals, digests, gigabytes, surplus, write_cache
from compactlm.distillation.signals.online import OnlineMasked, OnlineTask
from compactlm.errors import CompactLMError
from compactlm.training.random_masking import MaskedSequences
from tests.fixtures.builders import resident_bytes

LAYERS = [2, 0]
TOP_K = 6
PHASES = ["general", "task"]


@pytest.fixture
def make_phase(masked_teacher, task_teacher, kept, masked, rows):
    """Return a factory of the tokenized rows and the online teacher of a phase."""

    def of(phase, top_k=TOP_K):
        if phase == "general":
            return masked, OnlineMasked(masked_teacher, kept, LAYERS, top_k, 2.0)
        return rows, OnlineTask(task_teacher, kept, LAYERS)

    return of


@pytest.fixture
def cache(tmp_path, make_phase):
    """Return a function that writes the cache of a phase and returns its directory."""

    def write(phase):
        directory = tmp_path / "new" / phase
        write_cache(directory, *make_phase(phase), 300, phase)
        return directory

    return write


def check_equal(cached, online):
    """Check that signals are equal up to the rounding to half precision."""
    assert set(cached) == set(online)
    for name, expected in online.items():
        assert cached[name].dtype == expected.dtype, name
        assert cached[name].shape == expected.shape, name
        if name == "teacher_indices":
            assert torch.equal(cached[name], expected)
        else:
            half = name in {"teacher_states", "teacher_values"}
            torch.testing.assert_close(cached[name], expected, atol=1e-5, rtol=2**-10 if half else 1e-4)


@pytest.mark.parametrize(
    ("phase", "top_k", "batch_tokens"), [("general", TOP_K, 300), ("general", TOP_K, 20), ("general", 999, 4000), ("task", TOP_K, 20)]
)
def test_cached_signals_equal_online_signals(make_phase, tmp_path, phase, top_k, batch_tokens):
    tokenized, online = make_phase(phase, top_k)
    write_cache(tmp_path / "cache", tokenized, online, batch_tokens, phase)
    cached = CachedSignals(tmp_path / "cache", tokenized)
    assert cached.layers == LAYERS
    count = len(tokenized.ids)
    assert count == (80 if phase == "general" else 40)
    for positions in (range(count), [5], [39, 2, 17], [count - 1, 0]):
        batch = tokenized.model_inputs(positions)
        expected = online.signals(batch, positions)
        real = batch["attention_mask"].bool()
        expected["teacher_states"] = expected["teacher_states"] * real[:, :, None, None]  # states at padding are 0 in the cache
        check_equal(cached.signals(batch, positions), expected)


@pytest.mark.parametrize("rate", [0.02, 1e-9])
def test_rows_without_a_masked_token_are_kept(rows, student_tokenizer, make_phase, tmp_path, rate):
    tokenized, online = MaskedSequences(rows.ids, rows.sequences, student_tokenizer, rate, "2"), make_phase("general")[1]
    counts = [int((tokenized.model_inputs([row])["labels"] >= 0).sum()) for row in range(40)]
    empty = [row for row in range(40) if not counts[row]]
    assert len(empty) > 20
    assert (sum(counts) == 0) == (rate < 0.01)
    write_cache(tmp_path / "cache", tokenized, online, 300, "general")
    cached = CachedSignals(tmp_path / "cache", tokenized)
    assert cached.signals({}, empty[:2])["teacher_values"].shape == (2, 0, TOP_K)
    batch = tokenized.model_inputs(range(40))
    expected = online.signals(batch, range(40))
    del expected["teacher_states"]
    found = cached.signals(batch, range(40))
    assert found.pop("teacher_states").shape[:2] == batch["input_ids"].shape
    check_equal(found, expected)


@pytest.mark.parametrize("phase", PHASES)
def test_the_size_of_a_cache_can_be_computed_before_it_is_written(make_phase, cache, phase):
    tokenized, directory = make_phase(phase)[0], cache(phase)
    file = directory / "tensors.safetensors"

    def size(places):
        # Only places use k, and only tasks use labels.
        return gigabytes(sum(tokenized.lengths), places, len(tokenized.ids), 2, 32, TOP_K, 2 if phase == "task" else 0)

    places = int((tokenized.model_inputs(range(len(tokenized.ids)))["labels"] >= 0).sum()) if phase == "general" else 0
    header = 8 + int.from_bytes(file.read_bytes()[:8], "little")
    # n rows have n + 1 starts and ends.
    assert file.stat().st_size - header - size(places) * 1e9 == pytest.approx(2 * 8)
    expected = round(sum(tokenized.lengths) * 0.3) if phase == "general" else 0
    limit = size(expected) + surplus(tokenized.ids, expected, TOP_K if expected else 0)
    assert size(expected) * 1e9 < sum(path.stat().st_size for path in directory.iterdir()) <= limit * 1e9
    assert {path.name for path in directory.iterdir()} == {"cache.json", "rows.parquet", "tensors.safetensors"}
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    content = {"layers": LAYERS, "rows": len(tokenized.ids), "asked": {}, "sha256": digest}
    assert json.loads((directory / "cache.json").read_text()) == content


def test_a_cache_is_written_in_little_memory(make_phase, tmp_path):
    tokenized, online = make_phase("task")
    signals = online.signals

    def wide(batch, rows):
        return {**signals(batch, rows), "teacher_logits": torch.ones(len(rows), 1_000_000)}  # 160 MB in all, 4 MB a row

    online.signals = wide

    before = resident_bytes()
    write_cache(tmp_path / "cache", tokenized, online, 1, "task")
    assert (tmp_path / "cache" / "tensors.safetensors").stat().st_size > 160e6
    assert resident_bytes() - before < 60e6


@pytest.mark.parametrize(("value", "shown"), [(7e4, "7e.04"), (float("inf"), "inf"), (float("nan"), "nan")])
@pytest.mark.parametrize(("phase", "named"), [("task", "layer 2 of the teacher is"), ("general", "the scores of tokens is")])
def test_a_signal_beyond_half_precision_is_refused(make_phase, tmp_path, value, shown, phase, named):
    tokenized, online = make_phase(phase)
    signals = online.signals

    def spoiled(batch, rows):
        answers = signals(batch, rows)
        if 7 in rows and phase == "task":
            answers["teacher_states"][list(rows).index(7), 1, 0, 3] = value
        elif phase == "general":
            answers["teacher_values"][0] = value
        return answers

    online.signals = spoiled
    leave = ", or leave that layer out of signals.layers" if phase == "task" else ""
    with pytest.raises(CompactLMError, match=f"value of {named} {shown} .*; set signals.source to online{leave}$"):
        write_cache(tmp_path / "cache", tokenized, online, 300, phase)
    assert not (tmp_path / "cache" / "cache.json").exists()


@pytest.mark.parametrize("name", ["cache.json", "rows.parquet", "tensors.safetensors"])
@pytest.mark.parametrize("length", [0, 3, 12, 400, -1])
def test_a_truncated_file_is_refused(make_phase, cache, name, length):
    directory = cache("task")
    content = (directory / name).read_bytes()
    (directory / name).write_bytes(content[: length if length < len(content) else len(content) // 2])
    if name == "cache.json" and length == -1:  # the last byte is the end of the line
        (directory / name).write_bytes(content[:-3])
    with pytest.raises(CompactLMError, match=f"{name} is damaged .*; run `dvc checkout`, or `dvc repro --force signals`") as caught:
        CachedSignals(directory, make_phase("task")[0])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("phase", PHASES)
def test_a_changed_byte_is_refused(make_phase, cache, phase):
    directory = cache(phase)
    file = directory / "tensors.safetensors"
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    with pytest.raises(CompactLMError, match=r"tensors.safetensors is damaged \(ValueError: its sha256 is not .*\); run"):
        CachedSignals(directory, make_phase(phase)[0])


@pytest.mark.parametrize(
    ("phase", "change", "reason"),
    [
        ("general", lambda tensors: tensors["starts"][3].add_(1), "ValueError: its index is not that of the rows"),
        ("task", lambda tensors: tensors["place_starts"][3].add_(1), "ValueError: its index is not that of the rows"),
        ("general", lambda tensors: tensors["place_starts"][3].add_(1), "ValueError: its index is not that of the rows"),
        ("task", lambda tensors: tensors.update(teacher_logitz=tensors.pop("teacher_logits")), "KeyError: .*teacher_logitz.*"),
        ("task", lambda tensors: tensors["teacher_logits"].resize_(2, 40), "ValueError: teacher_logits has the shape .*2, 40.*"),
    ],
)
def test_tensors_that_do_not_fit_the_rows_are_refused(make_phase, cache, phase, change, reason):
    directory = cache(phase)
    file = directory / "tensors.safetensors"
    tensors = safetensors.torch.load_file(file)
    change(tensors)
    safetensors.torch.save_file(tensors, file)
    content = json.loads((directory / "cache.json").read_text())
    content["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (directory / "cache.json").write_text(json.dumps(content))
    with pytest.raises(CompactLMError, match=rf"tensors.safetensors is damaged \({reason}\); run"):
        CachedSignals(directory, make_phase(phase)[0])


def test_a_missing_cache_raises_file_not_found(make_phase, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        CachedSignals(tmp_path / "none", make_phase("task")[0])
    assert caught.value.filename == str(tmp_path / "none" / "cache.json")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda rows: {"ids": rows.ids[:-1], "sequences": rows.sequences[:-1]}, "signals of 40 rows, but training has 39 rows"),
        (lambda rows: {"ids": [*rows.ids[:7], *rows.ids[8:], "other"]}, "row 7 .* row7, but the training row is row8"),
        (lambda rows: {"sequences": [*rows.sequences[:3], [2, 9, 3], *rows.sequences[4:]]}, r"row 3 of .* \(row3\)"),
    ],
)
def test_a_cache_of_other_rows_is_refused(cache, rows, change, named):
    directory = cache("task")
    with pytest.raises(CompactLMError, match=named) as caught:
        CachedSignals(directory, dataclasses.replace(rows, **change(rows)))
    assert "\n" not in str(caught.value)
    assert str(directory) in str(caught.value)
    assert "; run `dvc repro`" in str(caught.value)


def test_a_cache_of_other_masks_is_refused(cache, rows, student_tokenizer):
    other = MaskedSequences(rows.ids, rows.sequences, student_tokenizer, 0.3, "2/general", 2)
    with pytest.raises(CompactLMError, match=r"row 0 of .* \(row0/0\) has signals for other tokens"):
        CachedSignals(cache("general"), other)


@pytest.mark.parametrize("changed", [{"teacher": "b"}, {"top_k": 7}, {"precision": "bf16"}, {"layers": [1, 0]}])
def test_a_cache_with_other_settings_is_refused(make_phase, tmp_path, changed):
    tokenized, online = make_phase("general")
    settings = {"teacher": "a", "layers": LAYERS, "top_k": 6, "temperature": 2.0}
    write_cache(tmp_path / "cache", tokenized, online, 300, "general", settings)
    assert CachedSignals(tmp_path / "cache", tokenized, settings).layers == LAYERS
    [(name, value)] = changed.items()
    now = re.escape(f"but {name} is {value} now; run `dvc repro`")
    with pytest.raises(CompactLMError, match=f"has signals for {name} .*, {now}"):
        CachedSignals(tmp_path / "cache", tokenized, settings | changed)
    file = tmp_path / "cache" / "cache.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "asked": []}))
    with pytest.raises(CompactLMError, match=r"cache.json is damaged \(.*\); run"):
        CachedSignals(tmp_path / "cache", tokenized, settings)


def test_a_lack_of_memory_while_writing_names_the_key(make_phase, tmp_path):
    tokenized, online = make_phase("task")
    online.signals = lambda batch, rows: torch.ones(10**14)
    with pytest.raises(CompactLMError, match=r"not enough memory for task at step 1.*batch_tokens in params.yaml from 300 to 1\d\d"):
        write_cache(tmp_path / "cache", tokenized, online, 300, "task")
    assert not (tmp_path / "cache").exists()


def test_a_digest_covers_tokens_and_labels(rows, masked):
    tokens, labels = torch.tensor([[1, 2]]), torch.tensor([[-100, 2]])
    found = set()
    for inputs in ({"input_ids": tokens}, {"input_ids": tokens + 1}, *({"input_ids": tokens, "labels": labels + at} for at in (0, 1))):
        found.add(digests(SimpleNamespace(ids=["a"], model_inputs=lambda rows, inputs=inputs: inputs))[0][0])
    assert len(found) == 4
    assert digests(rows) == digests(rows)
    hashes, places = digests(masked)
    assert len(set(hashes)) > 70  # of 80, some of which have no masked token
    assert places == [int((masked.model_inputs([row])["labels"] >= 0).sum()) for row in range(80)]
