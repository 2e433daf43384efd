import itertools

from benchmarks.bench_classify import bare, varied
from compactlm import CompactLM

TEXTS = ["a good film", "bad music by the river", "the old dog"]


def test_copies_of_a_text_differ_in_one_word():
    found = list(varied(TEXTS, 60, 0))
    assert found[:3] == TEXTS
    assert found == list(varied(TEXTS, 60, 0)) != list(varied(TEXTS, 60, 1))
    for text, original in zip(found, itertools.cycle(TEXTS), strict=False):
        words, before = text.split(), original.split()
        assert len(words) == len(before)
        assert sum(one != other for one, other in zip(words, before, strict=True)) <= 1
    assert len(set(found)) > 20


def test_the_bare_runtime_classifies_every_line(student_root, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"{text}\n" for text in varied(TEXTS, 50, 0)))
    found = bare(CompactLM(student_root, backend="torch", threads=1), path, "sentiment")()
    assert sum(len(logits) for logits in found) == 50
