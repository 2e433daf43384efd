import pytest

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.pipeline.expecting import Shape, expect, guess_shape, measure_speed, read_shape
from tests.fixtures.builders import make_row

SPEED = 3e11


@pytest.fixture
def split(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(artifacts.SPLITS):
        rows = [make_row(1000 * number + at, "a film that was not bad at all " * 3, "movie_reviews", "positive") for at in range(100)]
        artifacts.write_documents(artifacts.SPLIT / name, rows)


def test_more_epochs_take_longer_and_a_faster_machine_less(split, build_params):
    usual = expect(build_params(), SPEED)
    longer = expect(build_params(tasks={"sentiment": {"student": {"epochs": 20}, "teacher": {"epochs": 20}}}), SPEED)
    assert longer.minutes["teacher"] == pytest.approx(10 * usual.minutes["teacher"])
    assert longer.minutes["distill-train"] > usual.minutes["distill-train"]
    assert longer.minutes["signals"] == usual.minutes["signals"]
    faster = expect(build_params(), 2 * SPEED)
    assert faster.minutes["teacher"] == pytest.approx(usual.minutes["teacher"] / 2)
    assert 0.5 < usual.memory_gigabytes < 8
    assert usual.disk_gigabytes > 0.1
    assert "minutes" in usual.sentence()
    assert "GB of disk" in usual.sentence()


def test_online_signals_take_no_disk_but_time_in_every_epoch(split, build_params):
    cached, online = expect(build_params(), SPEED), expect(build_params(signals={"source": "online"}), SPEED)
    assert online.minutes["signals"] == 0
    assert online.minutes["distill-train"] > cached.minutes["distill-train"]
    assert online.disk_gigabytes < cached.disk_gigabytes


def test_the_operations_are_those_of_the_default_run():
    """The teacher of the committed run read 396,078 tokens in 125 s, on 2 cores with 322 GFLOP/s."""
    assert guess_shape(22_713_986).seconds(396_078, 3, 322e9) == pytest.approx(125, rel=0.2)
    assert Shape(4, 128, 512, 2_000_000).seconds(841_830, 3, 322e9) == pytest.approx(42, rel=0.3)


def test_shapes_are_read_from_config_json(tiny_bert, tmp_path):
    found = read_shape(tiny_bert)
    assert found is not None
    assert found.layers == 2
    assert read_shape(tmp_path) is None
    assert guess_shape(None).width == 768


@pytest.mark.parametrize("content", ["{}", "[", "[" * 100_000, '{"hidden_size": []}', '{"hidden_size": 1e999}', "1" * 5_000])
def test_a_config_json_of_something_else_is_told(content, tmp_path):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(CompactLMError, match=r"config\.json does not describe a BERT; fetch or save the teacher again"):
        read_shape(tmp_path)


def test_the_speed_is_measured():
    assert measure_speed(1, 0.05) > 1e6
