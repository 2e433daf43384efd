"""OpenAI's client works against the server."""

import openai
import pytest


@pytest.fixture
def connect(client):
    """OpenAI's client."""
    return openai.OpenAI(base_url="http://testserver/v1", api_key="none", http_client=client, max_retries=0)


def test_embeddings(connect, on_onnx, tiny_texts):
    # The client asks for base64 by default.
    expected = on_onnx.embed(tiny_texts[:3])
    for options in ({}, {"encoding_format": "float"}, {"encoding_format": "base64"}):
        found = connect.embeddings.create(model="compactlm", input=tiny_texts[:3], dimensions=32, user="somebody", **options)
        assert [one.index for one in found.data] == [0, 1, 2]
        if options != {"encoding_format": "base64"}:
            for one, vector in zip(found.data, expected, strict=True):
                assert one.embedding == pytest.approx(vector.tolist(), abs=1e-5)
        assert found.model == "compactlm"
        assert found.usage.prompt_tokens == found.usage.total_tokens == sum(map(len, on_onnx.task().tokenizer.encode(tiny_texts[:3])))
    assert len(connect.embeddings.create(model="compactlm", input="dog").data) == 1


def test_models(connect):
    [model] = connect.models.list().data
    assert model.id == "compactlm"
    assert connect.models.retrieve("compactlm") == model
    with pytest.raises(openai.NotFoundError, match="the model is compactlm"):
        connect.models.retrieve("another")


@pytest.mark.parametrize(
    ("options", "error", "part"),
    [
        ({"model": "another"}, openai.NotFoundError, "the model is compactlm"),
        ({"input": [101, 102]}, openai.UnprocessableEntityError, "input"),
        ({"input": [[101, 102]]}, openai.UnprocessableEntityError, "input"),
        ({"input": ""}, openai.UnprocessableEntityError, "has no words"),
        ({"dimensions": 16}, openai.UnprocessableEntityError, "32 numbers"),
    ],
)
def test_errors(connect, options, error, part):
    with pytest.raises(error) as caught:
        connect.embeddings.create(**{"model": "compactlm", "input": "dog", **options})
    assert part in caught.value.body["message"]
    assert set(caught.value.body) == {"message", "type", "param", "code"}


def test_a_token(start):
    client = start(token="a-token")  # noqa: S106
    right = openai.OpenAI(base_url="http://testserver/v1", api_key="a-token", http_client=client, max_retries=0)
    assert len(right.embeddings.create(model="compactlm", input="dog").data[0].embedding) == 32
    wrong = openai.OpenAI(base_url="http://testserver/v1", api_key="b", http_client=client, max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        wrong.embeddings.create(model="compactlm", input="dog")
