import pytest

from compactlm.figures.bootstrap import Resampler


def test_a_method_that_repeats_the_human_summary_is_perfect():
    pytest.importorskip("rouge_score")
    from benchmarks.bench_summaries import measure

    pairs = [("a dog. a cat. a film.", "a cat."), ("one two. three.", "one two.")]
    methods = {"first_sentences": lambda text: text.split(".")[0], "whole": lambda text: dict(pairs)[text]}
    found = measure(pairs, methods, Resampler(100, 1))
    assert found["whole"]["rouge1"].value == found["whole"]["rougeL"].low == 1
    first = found["first_sentences"]["rouge1"]
    assert first.value == 0.75  # one of two words, and both of two
    assert first.low <= first.value <= first.high
    assert found["whole"]["rouge1_gain"].value == 0.25
    assert "rouge1_gain" not in found["first_sentences"]
