import re
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from compactlm.errors import LONGEST
from compactlm.params import ColumnLabel, Params, ParamsError, Section, parse_params, read_params
from compactlm.params.reading import RENAMED
from compactlm.shapes.layers import Shape, check_losses, kept_layers
from tests.params.default import GOOD, ROOT, changed, complaint, compose

SENTENCES = {"language": "english", "characters": 1000, "minimum_characters": 8}
SENTIMENT = GOOD["tasks"]["sentiment"]
MESSAGES = "ingest.sources.messages"  # a source that the defaults do not have
LAYER_MAPS = ["'uniform' or 'last'", "pairs", "[[2, 3], [4, 6]]"]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
    return [(path, value)]


def sections(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(value, dict):
        return []
    return [path, *(deeper for key, item in value.items() for deeper in sections(item, (*path, key)))]


def subclasses(section: type[Section]) -> set[type[Section]]:
    below = (one for one in section.__subclasses__() if one.__module__.startswith("compactlm.params"))
    return {section}.union(*map(subclasses, below))


# Sections whose keys are the user's own.
OPEN = set("protected tasks sources names weights shares groups attributes favorable_labels stereotypes occupations".split())
CLOSED = [path for path in sections(GOOD) if not path or path[-1] not in OPEN]
NUMBERS = [path for path, value in leaves(GOOD) if isinstance(value, float)]
WHOLE = [path for path, value in leaves(GOOD) if isinstance(value, int) and not isinstance(value, bool) and "columns" not in path]
TEXTS = [path for path, value in leaves(GOOD) if isinstance(value, str) and "columns" not in path]


@pytest.mark.parametrize("preset", ["default", "smoke", "quality", "bert-base"])
def test_parsing_changes_no_value(preset: str) -> None:
    # DVC does not run a stage again for a change in params/, so the code there may check values, but not change them.
    content = compose(f"preset={preset}")
    assert parse_params(content).model_dump(mode="json", exclude_unset=True) == content


# Values that several rooms derive in the same way from a section.
DERIVED = {"Task": {"length"}, "TaskTraining": {"applied"}, "Params": {"outputs"}}


@pytest.mark.parametrize("section", sorted(subclasses(Section), key=lambda one: one.__qualname__))
def test_sections_have_no_methods_or_properties(section: type[Section]) -> None:
    own = {name for name, value in vars(section).items() if isinstance(value, FunctionType | property) and not name.startswith("_")}
    assert own == DERIVED.get(section.__name__, set())


@pytest.mark.parametrize("teacher", sorted(path.stem for path in (ROOT / "configs/teacher").glob("*.yaml")))
def test_choosing_only_a_teacher_gives_a_consistent_experiment(teacher: str) -> None:
    params = parse_params(compose(f"teacher={teacher}"))
    depth = {"minilm-l6": 6, "bert-base": 12}[teacher]
    kept = kept_layers(params.signals.layers, depth)
    assert kept == {6: [3, 6], 12: [6, 12]}[depth]
    student = Shape(params.student.layers, params.student.hidden_size, params.student.attention_heads)
    for losses in (params.distill.general, params.distill.task):
        check_losses("distill", losses, student, Shape(depth, 64 * depth, 12), kept)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("evaluate.timings.pieces", "evaluate.timings.tokens"),
        ("bias_audit.bootstrap", "bootstrap"),
        ("evaluate.resamples", "bootstrap.samples"),
    ],
)
def test_the_old_name_of_a_key_is_refused_with_the_new_one(old: str, new: str) -> None:
    assert RENAMED[old] == new
    content = changed(old, 1)
    *keys, last = new.split(".")
    section = content
    for key in keys:
        section = section[key]
    del section[last]
    assert re.fullmatch(rf"params\.yaml: {old} [^;]* {new}; [^;]*", complaint(content))


def test_a_teacher_of_the_old_form_is_refused_with_the_reason_and_the_fix() -> None:
    content = changed("teacher.mlm_head", {"sequences": 1800, "validation_words": 500})
    del content["teacher"]["validation_words"]
    problem = complaint(content)
    assert problem.startswith("params.yaml: teacher.mlm_head is no longer a parameter, because")
    assert problem.count("teacher.validation_words") == 1
    assert "missing" not in problem


@pytest.mark.slow
@given(st.sampled_from(CLOSED), st.from_regex(r"[a-z]{3,8}_typo", fullmatch=True))
def test_an_unknown_key_is_named_in_every_section(path: tuple[Any, ...], key: str) -> None:
    assert f"{'.'.join((*path, key))} is not a known parameter" in complaint(changed((*path, key), 1))


@given(st.sampled_from(leaves(GOOD)))
def test_a_missing_key_is_named(leaf: tuple[tuple[Any, ...], Any]) -> None:
    path = leaf[0]
    assume(path[-1] not in {"kind", "threshold", "labels", "metric"} and not (len(path) > 1 and path[-2] in OPEN))
    content = changed(path, None)
    place = content
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    assert f"{'.'.join(path)} is missing; add it" in complaint(content)


@given(st.sampled_from(NUMBERS + WHOLE), st.one_of(st.just("many"), st.booleans(), st.just([1]), st.just({}), st.just(1.5)))
def test_a_mistyped_number_is_named(path: tuple[Any, ...], value: Any) -> None:
    assume(not (path == ("signals", "layers") and value == [1]))  # a list of layers is allowed there
    assume(value != 1.5 or path in WHOLE)
    assert ".".join(path) in complaint(changed(path, value))


@given(st.sampled_from(TEXTS), st.one_of(st.integers(), st.booleans(), st.just([]), st.none()))
def test_a_mistyped_text_is_named(path: tuple[Any, ...], value: Any) -> None:
    nullable = {"name", "revision"}
    assume(not (value is None and path[-1] in nullable))
    assume(not (isinstance(value, int) and path[-1] == "vocabulary_size"))  # "fit" or a number
    assume(not (isinstance(value, bool) and path == ("distill", "embedding", "enabled")))  # "auto" or a truth value
    assert ".".join(path[:-1] if path[-1] == "kind" else path) in complaint(changed(path, value))


def test_a_small_number_is_read_as_dvc_writes_it(tmp_path: Path) -> None:
    text = yaml.safe_dump(changed("teacher.fine_tuning.optimisation.learning_rate", "RATE")).replace("RATE", "3e-05")
    assert isinstance(yaml.safe_load("3e-05"), str)
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    assert read_params(tmp_path / "params.yaml").teacher.fine_tuning.optimisation.learning_rate == 3e-05


@given(st.floats(allow_nan=True).filter(lambda number: not 0 <= number <= 1))
def test_a_ratio_outside_0_to_1_is_named(ratio: float) -> None:
    for path in ("split.train", "signals.general.mask_rate", "student.budget", "student.task_share", "distill.task.optimisation.warmup"):
        assert path in complaint(changed(path, ratio))


@given(st.floats(0.01, 0.98), st.floats(0.01, 0.98), st.floats(0.01, 0.98))
def test_splits_that_do_not_add_up_are_refused(train: float, validation: float, test: float) -> None:
    assume(abs(train + validation + test - 1) > 1e-4)
    sentence = complaint(changed("split", GOOD["split"] | {"train": train, "validation": validation, "test": test}))
    assert sentence.startswith("params.yaml: split: train, validation and test add up to ")


def test_splits_that_add_up_to_1_except_for_rounding_are_accepted() -> None:
    split = GOOD["split"] | {"train": 0.7, "validation": 0.2, "test": 0.1}
    assert 0.7 + 0.2 + 0.1 != 1
    assert parse_params(changed("split", split)).split.train == 0.7


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("student.vocabulary_size", 30522, "the student has .* student.budget allows .* set student.vocabulary_size to fit, or lower"),
        ("student.vocabulary_size", 99, "student.vocabulary_size is 99, but input should be greater than or equal to 100"),
        ("student.budget", 0.01, "leaves no room for a vocabulary .*; lower student.layers or student.hidden_size"),
        ("student.initialisation", "pretrained", "student.initialisation is 'pretrained', but input should be 'inherited'"),
        ("student.attention_heads", 7, "student: hidden_size 128 is not a multiple of attention_heads 7"),
        ("tasks.sentiment.labels", ["negative", "negative"], "tasks.sentiment: two labels have the same name"),
        ("tasks.sentiment.labels", ["negative"], "tasks.sentiment: labels has fewer than two labels"),
        ("tasks.sentiment.sources", ["no_such"], "tasks.sentiment.sources names 'no_such', which is not in ingest.sources"),
        ("tasks.sentiment.sources", ["tweets"], "ingest.sources.tweets.columns.label is null"),
        (
            "bias_audit.protected.sentiment",
            ["height"],
            "bias_audit.protected.sentiment names 'height', which is not in",
        ),
        ("signals.task.unlabelled", ["no_such"], "signals.task.unlabelled names 'no_such', which is not in ingest.sources; add it there"),
        ("signals.task.unlabelled", ["movie_reviews"], "names 'movie_reviews', whose rows are labelled for tasks.sentiment"),
        ("clean.minimum_characters", 10**9, "clean: minimum_characters is greater than maximum_characters"),
        ("tokenize.maximum_length", 100_000, "tokenize.maximum_length is greater than student.maximum_positions"),
        ("ingest.sources.tweets.sha256", "abc", "ingest.sources.tweets.sha256 is 'abc'"),
        ("ingest.sources.tweets.kind", "web", "ingest.sources.tweets"),
        ("clean.profile", "berts", "clean.profile is 'berts', but input should be 'bert', 'thorough', 'bag-of-words' or 'own'"),
        ("data.address", "ray://head:10001", "data: address names a Ray cluster, but engine is local"),
        ("clean.sentences", {**SENTENCES, "sources": ["tweet"]}, "clean.sentences.sources names 'tweet', which is not in ingest.sources"),
        ("clean.sentences", {**SENTENCES, "sources": ["movie_reviews"]}, "clean.sentences.sources names .* labelled for tasks.sentiment"),
        ("split.weights", {"tweet": 2.0}, "split.weights names 'tweet', which is not in ingest.sources"),
        ("split.weights", {"tweets": -1.0}, "split.weights.tweets is -1.0"),
        ("split", GOOD["split"] | {"near_duplicates": None, "across_splits": "prevent"}, "split: across_splits is prevent, but near_dup"),
        ("ingest.sources.tweets.limit", {"rows": 5}, "ingest.sources.tweets.limit.characters is missing"),
        ("ingest.sources.tweets.columns.text", {"columns": [], "separator": " "}, "ingest.sources.tweets.columns.text.columns"),
        ("augment.shares", {"synonym": 0.5, "insert": 0.5}, "augment: insert has a share, but synonyms is nearest_words; set the share"),
        ("clean.profile", "own", "clean: profile is own, but filters is empty"),
        ("clean.filters", [{"kind": "remove_markup"}], "clean: filters are listed, but profile is bert; set profile to own"),
        ("clean.filters", [{"kind": "remove_markups"}], "clean.filters.0.kind is 'remove_markups'; it must be one of bag_of_words, "),
        ("ingest.sources.editorials.columns.document", {"column": 0, "before": ""}, "ingest.sources.editorials.columns.document.before"),
        ("tasks.other", SENTIMENT, "tasks.other.sources and tasks.sentiment.sources both name 'movie_reviews'"),
        *((f"tasks.{name}", SENTIMENT, f"tasks.{name}: .* the name {name}") for name in ("mlm", "general", "parameters")),
        ("tasks.sentiment.labels", [False, "yes"], r"tasks\.sentiment\.labels\.0 is False, but .* a truth value .*, so put it in quotes"),
        ("tasks.sentiment.labels", ["a", 1], r"tasks\.sentiment\.labels\.1 is 1, but it must be text; YAML reads it as a number, so put"),
        (MESSAGES, {"path": "a.xls", "columns": {"text": "message"}}, f"{MESSAGES}.format is missing; add it"),
        (MESSAGES, {"columns": {"text": "message"}}, f"{MESSAGES}.path is missing; add it"),
        (MESSAGES, {"path": "a.csv", "columns": {}}, f"{MESSAGES}.columns.text is missing; add it"),
        (MESSAGES, {"path": "a.csv", "columns": {"text": "m", "lable": "kind"}}, "columns.lable is not a known parameter"),
        (MESSAGES, {"path": "a.csv", "columns": {"text": "m", "label": True}}, "columns.label.* the name of a column"),
    ],
)
def test_impossible_values_are_refused(path: str, value: Any, named: str) -> None:
    value = {"kind": "files", **value} if path == MESSAGES else value
    assert re.search(named, complaint(changed(path, value)))


@pytest.mark.parametrize(
    ("path", "value", "forms"),
    [
        ("student.vocabulary_size", 50, ["100", "'fit'"]),
        ("student.vocabulary_size", "most", ["integer", "'fit'"]),
        ("distill.task.hidden.layers", [[4]], LAYER_MAPS),
        ("distill.general.hidden.layers", [[4, -1], [3]], LAYER_MAPS),
        ("distill.task.relations.layers", [], LAYER_MAPS),
        ("distill.task.hidden.layers", "middle", LAYER_MAPS),
    ],
)
def test_a_value_with_several_forms_is_refused_with_all_forms(path: str, value: Any, forms: list[str]) -> None:
    sentence = complaint(changed(path, value))
    assert sentence.startswith(f"params.yaml: {path} is {value!r}, ")
    assert all(sentence.count(form) == 1 for form in forms)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (None, "is missing; .*`make train`"),
        ("a: [", "is not valid YAML"),
        ("a: 1\na: 2\n", "the key 'a' is given twice"),
        ("- a\n", "no sections"),
    ],
)
def test_an_unreadable_params_file_is_refused(tmp_path: Path, text: str | None, named: str) -> None:
    path = tmp_path / "params.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError, match=named) as caught:
        read_params(path)
    assert "\n" not in str(caught.value)


def test_params_cannot_be_altered() -> None:
    params: Params = parse_params(GOOD)
    with pytest.raises(ValueError, match="frozen"):
        params.seed = 1


def test_label_names_may_be_written_as_numbers() -> None:
    rule = {"column": "kind", "names": {0: "negative", True: "positive"}}
    params = parse_params(changed("ingest.sources.movie_reviews.columns.label", rule))
    label = params.ingest.sources["movie_reviews"].columns.label
    assert isinstance(label, ColumnLabel)
    assert label.names == {"0": "negative", "true": "positive"}


def test_a_local_file_needs_only_its_path_and_the_column_of_its_text() -> None:
    short = {"kind": "files", "path": "data/sources/messages.v2.csv.gz", "columns": {"text": "message", "label": "kind"}}
    columns = {"text": "message", "document": None, "label": {"column": "kind", "names": None}, "attributes": {}}
    full = short | {"columns": columns, "format": "csv", "header": True, "encoding": "utf-8", "sha256": None, "limit": None}
    full |= dict.fromkeys(("version", "licence", "homepage"), "not stated")
    full |= {"delimiter": ","}
    found, expected = (parse_params(changed(MESSAGES, source)).ingest.sources["messages"] for source in (short, full))
    assert found == expected
    assert parse_params(changed(MESSAGES, short | {"path": "Messages.CSV"})).ingest.sources["messages"].format == "csv"


@pytest.mark.parametrize("content", [b"a: \xff", b"a: 2024-13-99", b"? [a]\n: b", b"a: &a [*a]", b"a: 1" + b"0" * 9_000])
def test_a_file_that_yaml_cannot_read_is_one_sentence(content, tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(ParamsError) as caught:
        read_params(path)
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("tasks.sentiment.metric", "\x00"),
        ("tasks.sentiment.labels", ["negative", "\x00"]),
        ("tasks.sentiment.sources", ["\x1b[1m\u202e"]),
        ("teacher.source.kind", "\ud800"),
        ("evaluate.embedding.retrieval", ["x" * 5_000]),
    ],
)
def test_values_that_would_garble_a_terminal_are_shown_as_one_readable_line(path, value):
    sentence = complaint(changed(path, value))
    assert sentence.isprintable()
    assert len(sentence) <= LONGEST


@pytest.mark.parametrize("kind", [["span"], {"span": 1}, 3, None])
def test_a_kind_of_another_type_is_refused(kind):
    with pytest.raises(ParamsError, match=r"tasks\.sentiment.*kind"):
        parse_params(changed("tasks.sentiment.kind", kind))
