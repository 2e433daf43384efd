"""The routes of each kind of task, compared with the same model in Python."""

import pytest

from compactlm import CompactLM
from tests.serving.conftest import servers
from tests.serving.test_routes import check_types, post

PASSAGE = "the old dog played with a cat by the river"


@pytest.fixture(scope="module")
def client(heads_export, tmp_path_factory):
    with servers(heads_export, None, tmp_path_factory.mktemp("cache")) as run:
        yield run()


@pytest.fixture(scope="module")
def lm(heads_export):
    return CompactLM(heads_export, backend="onnx", threads=1)


def scores(answer):
    return {one["label"]: one["score"] for one in answer}


def test_pairs_are_predicted(client, lm, tiny_texts):
    pairs = list(zip(tiny_texts[:6], tiny_texts[6:12], strict=True))
    expected = [pytest.approx(one.probabilities, abs=1e-5) for one in lm.classify_all(pairs, "entailment")]
    assert [scores(one) for one in post(client, "/predict", inputs=pairs, task="entailment")] == expected
    # As in text-embeddings-inference, two texts are one pair.
    assert scores(post(client, "/predict/entailment", inputs=pairs[0])) == expected[0]
    assert [scores(one) for one in post(client, "/predict/entailment", inputs=[pairs[1]])] == [expected[1]]


def test_labels_and_numbers_are_predicted(client, lm, tiny_texts):
    for text, found in zip(tiny_texts[:5], post(client, "/predict/topics", inputs=tiny_texts[:5]), strict=True):
        assert scores(found) == pytest.approx(lm.classify(text, "topics").probabilities, abs=1e-5)
        assert [one["score"] for one in found] == sorted((one["score"] for one in found), reverse=True)
        assert post(client, "/predict/rating", inputs=text) == [{"label": "score", "score": pytest.approx(lm.score(text).score, abs=1e-5)}]


def test_words_are_tagged(client, lm, tiny_texts):
    for text, found in zip(tiny_texts[:20], post(client, "/tag", inputs=tiny_texts[:20]), strict=True):
        own = lm.tag(text)
        assert [(one["word"], one["start"], one["end"], one["tag"]) for one in found["words"]] == [
            (one.text, one.start, one.end, one.tag) for one in own.words
        ]
        assert [(one["entity_group"], one["start"], one["end"]) for one in found["entities"]] == [
            (one.label, one.start, one.end) for one in own.entities
        ]


def test_answers_are_extracted(client, lm, tiny_texts):
    questions = [{"question": text, "context": PASSAGE * 3} for text in tiny_texts[:20]]
    for question, found in zip(questions, post(client, "/extract", inputs=questions), strict=True):
        own = lm.extract(question["question"], question["context"])
        assert found == {"answer": own.answer, "start": own.start, "end": own.end, "score": pytest.approx(own.score, abs=1e-5)}
    assert post(client, "/extract", inputs=questions[0])["score"] == pytest.approx(lm.extract(tiny_texts[0], PASSAGE * 3).score, abs=1e-5)


def test_a_long_text_is_read_in_windows(client, lm):
    text = "the old dog loved music. " * 300
    assert len(post(client, "/tag", inputs=text)["words"]) == len(lm.tag(text).words) == 1800
    found = post(client, "/extract", inputs={"question": "who loved music?", "context": text})
    assert found["answer"] == lm.extract("who loved music?", text).answer


def test_texts_are_ranked_by_a_task_that_reads_pairs(client, lm, tiny_texts):
    own = lm.rerank("was it good?", tiny_texts[:9])
    found = post(client, "/rerank", query="was it good?", texts=tiny_texts[:9], return_text=True)
    assert [(one["index"], one["text"]) for one in found] == [(one.index, one.text) for one in own]
    assert [one["score"] for one in found] == pytest.approx([one.score for one in own], abs=1e-5)
    worst = post(client, "/rerank", query="was it good?", texts=tiny_texts[:9], label="no")
    assert worst[0]["index"] == own[-1].index


@pytest.mark.parametrize(
    ("path", "body", "status", "part"),
    [
        ("/predict/entailment", {"inputs": "dog"}, 422, "input 0 has 1 texts, but the task reads pairs; send [text, second text]"),
        ("/predict/topics", {"inputs": [["dog", "cat"]]}, 422, "input 0 has 2 texts, but the task reads single texts"),
        ("/predict/entailment", {"inputs": [["a", "b"], ["dog", ""]]}, 422, "input 1 has no words"),
        ("/predict/entailment", {"inputs": ["dog " * 90, "cat"], "truncate": False}, 413, "input 0 is longer than the model accepts"),
        ("/predict/names", {"inputs": "dog"}, 404, "no such task for this route; the tasks for it are: entailment, rating, topics"),
        ("/tag", {"inputs": "dog", "task": "rating"}, 404, "the tasks for it are: names"),
        ("/extract", {"inputs": {"question": "who?", "context": " "}}, 422, "input 0 has no words"),
        ("/rerank", {"query": "dog", "texts": ["cat"], "task": "topics"}, 404, "those are: entailment"),
        ("/rerank", {"query": "dog", "texts": ["cat"], "label": "maybe"}, 422, "no label 'maybe'"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(client, path, body, status, part):
    answer = client.post(path, json=body)
    assert (answer.status_code, part in answer.json()["error"]) == (status, True), answer.text


def test_the_state_names_kinds_and_the_types_are_those_of_the_document(client):
    info = client.get("/info").json()
    assert info["kinds"] == {
        "answers": "span",
        "entailment": "classification",
        "names": "tagging",
        "rating": "regression",
        "topics": "multilabel",
    }
    assert (info["tasks"]["answers"], info["tasks"]["entailment"]) == ([], ["no", "yes"])
    requests = {
        "/predict": {"inputs": ["dog", "cat"]},
        "/predict/{task}": {"inputs": "dog"},
        "/tag": {"inputs": ["the dog", "cat"]},
        "/extract": {"inputs": {"question": "who?", "context": "the dog"}},
        "/rerank": {"query": "dog", "texts": ["cat"]},
        "/tokenize": {"inputs": "dog"},
    }
    missing = ("/embed", "/similarity", "/fill", "/answer", "/summarize", "/v1/embeddings")
    check_types(client, requests, "topics", missing)
    assert requests == {}


def test_a_single_model_of_each_kind_is_served(heads_export, tmp_path):
    works = {"rating": ("/predict", {"inputs": "dog"}), "names": ("/tag", {"inputs": "dog"})}
    works["answers"] = ("/extract", {"inputs": {"question": "who?", "context": "a dog"}})
    with servers(None, None, tmp_path) as run:
        for name, (path, body) in works.items():
            client = run(model=heads_export / name)
            assert client.get("/ready").status_code == 200
            assert client.post(path, json=body).status_code == 200
