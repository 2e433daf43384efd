from benchmarks.train.tables import PROFILE, TEXTS, TOGETHER, cache_lines, profile_rows, speed_rows, worth_rows
from compactlm.text import markdown


def found(kind, speed, part="none", **more):
    job = {"kind": kind, "phase": "task", "vocabulary": "default", "part": part, "profile": False}
    measured = {"tokens_a_second": speed, "windows": [speed - 1, speed, speed + 2], "peak_bytes": 2**30, "flops": 5e9, "padding": 0.1}
    return {"job": job, "vocabulary_tokens": 1200, **measured, "epoch_tokens": 1000, "epochs": 2, "opened": 1.0, **more}


RESULTS = [
    found("plain", 100),
    found("online", 200),
    found("cache", 0, seconds=4.0, tokens=1000, gigabytes=0.002),
    found("cached", 400),
    found("cached", 300, part="dropout"),
]


def test_speed_is_compared_with_the_plain_trainer():
    rows = {row[2]: row for row in speed_rows(RESULTS, 1e10)}
    assert rows["compactlm, cached"] == ["task", "1,200", "compactlm, cached", "400", "399 to 402", "4.00", "1,024", "50%", "10%"]
    # 2,000 tokens at 400 tokens per second, and 5 seconds once.
    assert rows["the same, its writing spread over 2 epochs"][3:6] == ["200", "", "2.00"]
    assert len(rows) == 4
    assert speed_rows([found("online", 200)], 1e10)[0][5] == "nan", "there is no ratio without a plain Trainer"


def test_parts_of_the_embedding_are_added_in_their_epochs():
    results = [found("sentence-transformers", 100), found("table", 1000, epochs=4), found("tokens", 200, epochs=1)]
    for result in results:
        result["job"]["phase"] = "embedding"
    rows = {row[2]: row for row in speed_rows(results, 1e10)}
    # 4,000 tokens in 4 seconds and 1,000 tokens in 5 seconds.
    assert rows[TOGETHER][3:6] == ["556", "", "5.56"]
    assert TOGETHER not in {row[2] for row in speed_rows([results[0], results[2]], 1e10)}


def test_each_cache_has_a_sentence():
    (line,) = cache_lines(RESULTS)
    assert "took 4.0 s for 1,000 tokens (250 per second, 2,000 bytes for each token)" in line


def test_our_training_is_compared_without_each_optimisation():
    assert [(row[1], row[-1]) for row in worth_rows(RESULTS)] == [
        ("no change", "1.00"),
        ("the teacher online", "2.00"),
        ("dropout 0.1, not 0", "1.33"),
    ]


def test_parts_of_a_step_are_ordered_by_their_time():
    (first, second) = profile_rows([found("cached", 400, steps=2, parts={"loader": 0.1, "body": 0.3})])
    assert first == ["task", "body", "150.0", "75.0%"]
    assert second[1] == "loader"
    text = markdown.table(PROFILE, [first, second], TEXTS)
    assert text.splitlines()[1] == "| --- | --- | ---: | ---: |"
    assert text.splitlines()[2] == "| task | body | 150.0 | 75.0% |"
