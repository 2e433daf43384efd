import pytest


def test_a_method_that_repeats_the_human_summary_is_perfect():
    pytest.importorskip("rouge_score")
    from benchmarks.bench_summaries import measure

    pairs = [("a dog. a cat. a film.", "a cat."), ("one two. three.", "one two.")]
    found = measure(pairs, {"first": lambda text: text.split(".")[0], "whole": lambda text: dict(pairs)[text]})
    assert found["whole"]["rouge1"] == found["whole"]["rougeL_low"] == 1
    assert 0 < found["first"]["rouge1"] < 1
    assert found["first"]["rouge1_low"] <= found["first"]["rouge1"] <= found["first"]["rouge1_high"]
