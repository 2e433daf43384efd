import sys
from pathlib import Path

import pytest

from benchmarks.bench_data import tables, verdicts, watch
from benchmarks.data.job import JOBS, to_words
from benchmarks.data.material import repeated, write_corpus
from compactlm import artifacts
from compactlm.artifacts import Document, read_documents
from compactlm.corpus.clean.filters.bag_of_words import to_bag_of_words
from tests.fixtures.builders import make_row

STAGES = ("bag-of-words", "ingest", "clean", "split")


def document(number: int) -> Document:
    text = " ".join(f"{word}{number}" for word in ("The", "film", "was", "good", "and", "warm", "so", "it", "didn't end") * 4)
    return make_row(number, text)


def test_copies_have_other_texts_and_other_ids() -> None:
    rows = [document(number) for number in range(5)]
    found = list(repeated(rows, 4_000))
    assert found[:5] == rows
    assert len({row.id for row in found}) == len({row.text for row in found}) == len(found)
    assert 4_000 <= sum(len(row.text) for row in found) < 4_400
    assert found == list(repeated(rows, 4_000))


def test_every_job_runs_and_its_memory_is_watched(tmp_path: Path) -> None:
    artifacts.write_documents(tmp_path / "source", [document(number) for number in range(50)])
    write_corpus(tmp_path / "source", tmp_path, 30_000)
    rows = len(read_documents(tmp_path / "parts"))
    for name, job in JOBS.items():
        figures = job(tmp_path, 1)
        assert 0 < figures["rows"] <= rows, name
    assert watch([sys.executable, "-c", "x = bytearray(90_000_000); import time; time.sleep(0.5); print('{}')"])["peak_megabytes"] > 80
    with pytest.raises(SystemExit, match="with status 3"):
        watch([sys.executable, "-c", "raise SystemExit(3)"])


def test_the_recipe_and_the_stage_give_the_same_words() -> None:
    for text in ("We don't know: 3 films, a caf\u00e9 & _you_", "I'm gonna; CANNOT. Naa\u00efve"):
        assert to_words(text) == to_bag_of_words(text) != ""


def results(seconds: float, memory: float) -> dict[str, dict[str, dict[str, float]]]:
    small = {name: {"seconds": 10.0, "peak_megabytes": 100.0, "rows": 10, "processor_seconds": 9, "megabytes_a_second": 1} for name in JOBS}
    small["recipe"]["seconds"] = 120.0
    large = {name: {**figures, "seconds": seconds, "peak_megabytes": memory} for name, figures in small.items() if name != "recipe"}
    for jobs in (small, large):
        jobs["near"] |= {"bytes_a_row": 60, "cluster_seconds": 1}
    return {"100": small, "1000": large}


def test_jobs_that_did_not_run_are_not_judged() -> None:
    few = {size: {"bag-of-words": jobs["bag-of-words"]} for size, jobs in results(105, 120).items()}
    assert len(verdicts(few)) == 2
    assert "| 100 MB | bag-of-words |" in tables(few, {"processor": "p", "processes": 2})


def test_the_recipe_is_judged_at_every_size_that_is_large_enough() -> None:
    both = {name: {"seconds": seconds, "peak_megabytes": 1.0} for name, seconds in (("recipe", 50.0), ("bag-of-words", 10.0))}
    sizes = {"10": both, "100": both, "1000": both}
    named = "times as fast as the recipe, at"
    assert [name for name in verdicts(sizes) if named in name] == [f"{named} 100 MB", f"{named} 1000 MB"]
    assert verdicts({"10": both}) == {f"{named} 10 MB": (5.0, 10.0, False)}


def test_slow_or_large_jobs_miss_the_targets() -> None:
    assert all(held for _, _, held in verdicts(results(105, 120)).values())
    missed = {name for name, (_, _, held) in verdicts(results(115, 140)).items() if not held}
    assert missed == {
        *(f"{stage}: time from 100 to 1000 MB, for ten times the text" for stage in STAGES),
        *(f"{stage}: memory from 100 to 1000 MB" for stage in STAGES),
    }
    assert "| clean: memory from 100 to 1000 MB | 1.4 | 1.3 | not held |" in tables(results(115, 140), {"processor": "p", "processes": 2})
