"""What each route answers, compared with the same model in Python."""

import math

import pytest

from compactlm.errors import CompactLMError
from compactlm.serving.app import create_service
from compactlm.serving.settings import Settings

TEXT = "the film was very good"


def post(client, path, **body):
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_predict(client, on_onnx, tiny_texts):
    labels = set()
    for text in tiny_texts[:20]:
        found = on_onnx.classify(text)
        answer = post(client, "/predict", inputs=text)
        assert [one["label"] for one in answer] == [found.label, *(label for label in found.probabilities if label != found.label)]
        assert {one["label"]: one["score"] for one in answer} == pytest.approx(found.probabilities, abs=1e-5)
        labels.add(found.label)
    assert labels == {"negative", "positive"}


def test_predict_a_list_for_a_task(client, tiny_texts):
    single = [post(client, "/predict", inputs=text) for text in tiny_texts[:3]]
    for inputs in (tiny_texts[:3], [[text] for text in tiny_texts[:3]]):
        for answer in (post(client, "/predict", inputs=inputs, task="sentiment"), post(client, "/predict/sentiment", inputs=inputs)):
            assert [[one["label"] for one in labels] for labels in answer] == [[one["label"] for one in labels] for labels in single]


def test_raw_scores_are_logits(client):
    scores = {one["label"]: one["score"] for one in post(client, "/predict", inputs=TEXT)}
    raw = {one["label"]: one["score"] for one in post(client, "/predict", inputs=TEXT, raw_scores=True)}
    total = sum(map(math.exp, raw.values()))
    assert {label: math.exp(value) / total for label, value in raw.items()} == pytest.approx(scores, abs=1e-5)


def test_embed(client, on_onnx, tiny_texts):
    expected = on_onnx.embed(tiny_texts[:3])
    for row, vector in zip(post(client, "/embed", inputs=tiny_texts[:3]), expected, strict=True):
        assert row == pytest.approx(vector.tolist(), abs=1e-5)
    assert post(client, "/embed", inputs=tiny_texts[0]) == [pytest.approx(expected[0].tolist(), abs=1e-5)]


def test_similarity_and_rerank(client, on_onnx):
    texts = ["a dog by the river", "the film was good", "music"]
    cosines = on_onnx.embed(texts) @ on_onnx.embed([TEXT])[0]
    found = post(client, "/similarity", inputs={"source_sentence": TEXT, "sentences": texts}, parameters={"truncate": True})
    assert found == pytest.approx(cosines.tolist(), abs=1e-5)
    ranks = post(client, "/rerank", query=TEXT, texts=texts, return_text=True)
    assert [rank["index"] for rank in ranks] == (-cosines).argsort().tolist()
    assert [rank["text"] for rank in ranks] == [texts[rank["index"]] for rank in ranks]
    assert [rank["score"] for rank in ranks] == pytest.approx(sorted(cosines.tolist(), reverse=True), abs=1e-5)
    assert "text" not in post(client, "/rerank", query=TEXT, texts=texts)[0]


def test_a_lone_surrogate_is_replaced(client):
    # JSON can hold it, UTF-8 cannot.
    answer = client.post(
        "/rerank",
        content=b'{"query": "dog", "texts": ["a film \\ud800"], "return_text": true}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200
    assert answer.json()[0]["text"] == "a film \N{REPLACEMENT CHARACTER}"


def test_fill(client, on_onnx):
    text = "the [MASK] was very [MASK]"
    expected = [[(one.piece, pytest.approx(one.probability, abs=1e-5)) for one in mask] for mask in on_onnx.fill(text, 3)]
    found = post(client, "/fill", inputs=text, top_k=3)
    assert [[(one["token"], one["probability"]) for one in mask] for mask in found["masks"]] == expected
    assert found["cut"] is False
    several = post(client, "/fill", inputs=[text, "a [MASK]"], top_k=1)
    assert [len(one["masks"]) for one in several] == [2, 1]


def test_fill_in_a_long_text(client, on_onnx):
    text = "a film " * 40 + "was [MASK] " + "and old " * 40 + "[MASK]"
    expected = [[(one.piece, pytest.approx(one.probability, abs=1e-5)) for one in mask] for mask in on_onnx.fill(text, 2)]
    found = post(client, "/fill", inputs=text, top_k=2)
    assert [[(one["token"], one["probability"]) for one in mask] for mask in found["masks"]] == expected


def test_answer(client):
    found = post(client, "/answer", question="was the film good?")
    assert (found["text"], found["source"], found["line"]) == ("very good", "was the film good?", 1)
    assert found["score"] == pytest.approx(1, abs=1e-4)
    nothing = post(client, "/answer", question="plot", threshold=1)
    assert (nothing["text"], nothing["threshold"]) == (None, 1)


def test_summarize(client, on_onnx):
    text = "The film was good. The dog played by the river. The music was slow and warm. People loved the ending."
    found = post(client, "/summarize", inputs=text, sentences=2)
    assert [(one["text"], one["position"]) for one in found["sentences"]] == [
        (one.text, one.position) for one in on_onnx.summarize(text, 2)
    ]
    assert len(post(client, "/summarize", inputs=[text, text], sentences=1)) == 2


def test_tokenize(client):
    [tokens] = post(client, "/tokenize", inputs="the dogs")
    assert [token["text"] for token in tokens] == ["[CLS]", "the", "dog", "##s", "[SEP]"]
    assert [token["special"] for token in tokens] == [True, False, False, False, True]
    assert [(token["start"], token["stop"]) for token in tokens[1:-1]] == [(0, 3), (4, 7), (7, 8)]
    [plain] = post(client, "/tokenize", inputs="the dogs", add_special_tokens=False)
    assert [token["text"] for token in plain] == ["the", "dog", "##s"]


def test_info(client):
    info = client.get("/info").json()
    assert info["tasks"] == {"sentiment": ["negative", "positive"]}
    assert info["models"] == ["sentiment", "mlm", "embedding"]
    assert info["model_type"] == {
        "classifier": {"id2label": {"0": "negative", "1": "positive"}, "label2id": {"negative": 0, "positive": 1}}
    }
    assert (info["embedding_width"], info["max_input_length"], info["threads"], info["model_dtype"]) == (32, 64, 2, "float32")


def test_metrics(start):
    client = start()
    for text in ("good", "a dog"):
        post(client, "/predict", inputs=text)
    post(client, "/similarity", inputs={"source_sentence": "good", "sentences": ["dog", "cat"]})
    client.post("/predict/none", json={"inputs": "good"})
    client.get("/nothing/a-secret")
    lines = client.get("/metrics").text.splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert values['compactlm_requests_total{route="/predict",status="200"}'] == "2.0"
    assert values['compactlm_requests_total{route="/predict/{task}",status="404"}'] == "1.0"
    assert values['compactlm_requests_total{route="other",status="404"}'] == "1.0"
    assert values['compactlm_queue_seconds_count{route="/similarity"}'] == "1.0"
    assert values['compactlm_batch_tokens_count{route="/predict"}'] == "3.0"  # with the probe before the first request
    assert float(values['compactlm_inference_seconds_sum{route="/predict"}']) > 0
    assert values["compactlm_queued_tokens"] == "0.0"
    assert "a-secret" not in "\n".join(lines)


def check_types(client, requests, task, missing=()):
    """Compare the answers, JSON that the routes write themselves, with the declared types; `requests` loses those that were sent."""
    import jsonschema_rs

    document = client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path in missing:
                continue
            answer = client.request(method, path.format(task=task, model="compactlm"), json=requests.pop(path, None))
            assert answer.status_code == 200, (path, answer.text)
            content = operation["responses"]["200"]["content"]
            if "application/json" in content:
                schema = {**content["application/json"]["schema"], "components": document["components"]}
                jsonschema_rs.validate(schema, answer.json())


def test_the_types_of_the_answers_are_those_of_the_document(client):
    requests = {
        "/predict": {"inputs": [TEXT, "dog"]},
        "/predict/{task}": {"inputs": TEXT},
        "/embed": {"inputs": TEXT},
        "/similarity": {"inputs": {"source_sentence": TEXT, "sentences": ["dog"]}},
        "/rerank": {"query": TEXT, "texts": ["dog"], "return_text": True},
        "/fill": {"inputs": "a [MASK]"},
        "/answer": {"question": TEXT},
        "/summarize": {"inputs": TEXT},
        "/tokenize": {"inputs": TEXT},
        "/v1/embeddings": {"input": TEXT, "encoding_format": "base64"},
    }
    check_types(client, requests, "sentiment", missing=("/tag", "/extract"))
    assert requests == {}


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        ("sentiment", "/predict", {"inputs": TEXT}),
        ("mlm", "/fill", {"inputs": "a [MASK]"}),
        ("embedding", "/embed", {"inputs": TEXT}),
    ],
)
def test_a_single_model_is_served(start, export_root, name, path, body):
    client = start(model=export_root / name, knowledge=None)
    assert client.get("/info").json()["models"] == [name]
    requests = {"/predict": {"inputs": TEXT}, "/fill": {"inputs": "a [MASK]"}, "/embed": {"inputs": TEXT}, "/summarize": {"inputs": TEXT}}
    works = {path, "/summarize"} if name == "embedding" else {path}
    for other, request in requests.items():
        answer = client.post(other, json=request)
        assert answer.status_code == (200 if other in works else 404)
        assert other in works or answer.json()["error"].startswith("the model has no ")
    assert client.get("/ready").status_code == 200


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"model": "nowhere"}, "there is no model in nowhere"),
        ({"threads": -1}, "threads is -1"),
        ({"wait_ms": float("nan")}, "wait_ms is nan"),
        ({"token": " "}, "the token is empty"),
        ({"name": ""}, "the name of the model is empty"),
    ],
)
def test_settings_that_cannot_work_are_one_sentence(settings, part, tmp_path, monkeypatch):
    from pathlib import Path

    monkeypatch.chdir(tmp_path)
    with pytest.raises(CompactLMError, match=part):
        create_service(Settings(**{name: Path(value) if name == "model" else value for name, value in settings.items()}))


def test_a_knowledge_file_needs_a_sentence_embedding(export_root, faq):
    with pytest.raises(CompactLMError, match="no sentence embedding"):
        create_service(Settings(model=export_root / "mlm", knowledge=faq))
