import io
from pathlib import Path

from rich.console import Console

from compactlm.evaluation.summary import print_summary
from compactlm.figures.figure import Figure


def measured(figure, rows):
    """Return the part of a task's metrics that says whether it has enough rows."""
    return {"quality": {"student": {figure: Figure.over_rows(0.5, rows).to_json()}}}


METRICS = {
    "size": {"student_parameters": 2_178_050, "teacher_parameters": 22_713_986, "ratio": 0.0958902},
    "mlm": {"rows": 1500, "teacher_top1": 0.5, "student_top1": 0.321, "retention": 0.642, **measured("top1", 1500)},
    "tasks": {
        "sentiment": {
            "rows": 1577,
            "teacher": 0.841,
            "student": 0.802,
            "chance": 0.511,
            "retention": 0.9536,
            "retention_above_chance": 0.8818,
            "agreement": 0.9,
            **measured("accuracy", 1577),
        },
        "topic": {"rows": 20, "teacher": 0.4, "student": 0.5, "chance": 0.45, "retention": 1.25, **measured("accuracy", 20)},
    },
}


def printed(width, metrics=METRICS):
    console = Console(file=io.StringIO(), width=width)
    print_summary(metrics, "a-teacher", Path("models/student"), console)
    return console.file.getvalue().replace("\N{NO-BREAK SPACE}", " ").splitlines()


def test_the_summary_shows_size_quality_and_next_steps():
    text = printed(110)
    [sentiment] = [line for line in text if "sentiment" in line and "│" in line]
    for figure in ("1,577", "51.1 %", "84.1 %", "80.2 %", "95.4 %", "88.2 %"):
        assert figure in sentiment
    [masked] = [line for line in text if "masked words" in line]
    for figure in ("1,500", "50.0 %", "32.1 %", "64.2 %"):
        assert figure in masked
    rest = "\n".join(line for line in text if "│" not in line)
    for part in ("a-teacher, 22,713,986", "2,178,050 parameters, 9.6 %", "models/student/mlm", "models/student/sentiment", "dvc exp run"):
        assert part in rest


def test_masked_words_of_a_teacher_without_a_head_are_not_judged_and_the_summary_says_why():
    mlm = {"rows": 1500, "student_top1": 0.2, "frequency_top1": 0.05, **measured("top1", 1500)}
    text = printed(140, {**METRICS, "mlm": mlm})
    [masked] = [line for line in text if "masked words" in line]
    assert [part for part in ("5.0 %", "20.0 %") if part in masked] == ["5.0 %", "20.0 %"]
    assert masked.count("not judged") == 2
    assert any("teacher are not judged, because it has no masked-language-model head" in line for line in text)
    assert "not judged, because" not in "".join(printed(140))


def test_a_task_with_few_rows_is_not_judged():
    [topic] = [line for line in printed(140) if "topic" in line and "│" in line]
    assert "not judged" in topic
    assert "125.0 %" in topic
    assert "20, too few to judge" in topic
    assert sum("too few to judge" in line for line in printed(140)) == 1


def test_a_student_with_a_sentence_embedding_has_a_row_and_a_directory_more():
    embedding = {role: {"found_at_1": Figure.over_rows(value, 2529).to_json()} for role, value in (("teacher", 0.92), ("student", 0.736))}
    text = printed(140, {**METRICS, "embedding": embedding})
    [row] = [line for line in text if "find their passage" in line]
    assert [part for part in ("2,529", "92.0 %", "73.6 %", "80.0 %") if part in row] == ["2,529", "92.0 %", "73.6 %", "80.0 %"]
    assert any("models/student/mlm, models/student/embedding, models/student/sentiment" in line for line in text)
    assert "embedding" not in "".join(printed(140))
