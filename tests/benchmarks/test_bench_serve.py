"""The client of the load test against a server that is slow, refuses and closes connections."""

import asyncio
import json

import pytest

from benchmarks.bench_serve import TOKENS, bare, mixed_texts, texts_of
from benchmarks.serve.client import RESET, Job, measure
from benchmarks.serve.report import MARKS, aims_of, best, fill
from compactlm import CompactLM


def load(answer, **options):
    """Run a load on a server that gives each request to `answer(number)`: bytes, or None to close the connection."""
    seen = []

    async def handle(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                seen.append(await reader.readexactly(length))
                found = answer(len(seen))
                if found is None:
                    break
                await asyncio.sleep(0.001)
                writer.write(found)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def run():
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        async with server:
            return await measure(
                Job(server.sockets[0].getsockname()[1], "/predict", [json.dumps({"inputs": text}) for text in "ab"], **options)
            )

    return asyncio.run(asyncio.wait_for(run(), 60)), seen


def http(status, body=b"[]"):
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_answers_are_counted_by_status():
    found, seen = load(lambda number: http(429 if number % 2 else 200), connections=4, seconds=0.3)
    assert set(seen) == {b'{"inputs": "a"}', b'{"inputs": "b"}'}
    assert sum(found["statuses"].values()) == len(seen)
    assert abs(found["statuses"]["429"] - found["statuses"]["200"]) <= 1
    assert found["a_second"] == pytest.approx(found["statuses"]["200"] / found["seconds"])
    assert 1 <= found["p50_ms"] <= found["p99_ms"]


def test_a_closed_connection_is_no_answer_and_is_opened_again():
    found, _ = load(lambda number: None if number % 3 == 0 else http(200), connections=2, seconds=0.3)
    assert found["statuses"][RESET] > 1
    assert found["statuses"]["200"] > 1


def test_a_rate_is_kept():
    found, seen = load(lambda _: http(200), connections=8, seconds=0.5, rate=40.0)
    assert len(seen) == 20
    assert found["statuses"] == {"200": 20}


def test_a_load_ends_after_a_number_of_requests():
    found, seen = load(lambda _: http(200), connections=3, seconds=60, requests=7)
    assert len(seen) == found["statuses"]["200"] == 7


def loads(**changes):
    return [{"requests_a_second": 10.0, "p99_ms": 9.0, "failed": 0, "reset": 0, "requests": 50_000, **changes}]


def test_aims():
    found = {"one_text": loads(), "texts_32": loads(), "half_of_saturation": loads(), "overloaded": loads()}
    found |= {"share_one_text": 0.81, "share_32_texts": 0.6, "memory": loads() * 2, "growth": 0.01}
    assert [row[1:] for row in aims_of(found)] == [["81%", "yes"], ["60%", "yes"], ["9.0 ms", "yes"], ["0", "yes"], ["1.0%", "yes"]]
    assert "to request 100,000" in aims_of(found)[-1][0]
    found |= {"share_one_text": 0.79, "share_32_texts": 0.59, "half_of_saturation": loads(p99_ms=25.0), "growth": 0.06}
    found |= {"overloaded": loads(reset=1), "texts_32": loads(failed=2)}
    assert [row[1:] for row in aims_of(found)] == [["79%", "no"], ["59%", "no"], ["25.0 ms", "no"], ["3", "no"], ["6.0%", "no"]]


def test_the_tables_of_a_page_are_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{MARKS[0]}\nold\n{MARKS[1]}\nafter\n")
    for _ in range(2):
        fill(page, ["## Aims\n\ntable", "words"])
        assert page.read_text() == f"before\n\n{MARKS[0]}\n\n### Aims\n\ntable\n\nwords\n\n{MARKS[1]}\nafter\n"


def test_texts_of_many_lengths(export_root):
    lengths = {len(text.split()) for text in mixed_texts(CompactLM(export_root, backend="onnx", threads=1), "sentiment", 300)}
    assert (min(lengths), max(lengths) > 150) == (1, True)


def test_texts_and_the_bare_runtime(export_root):
    texts = texts_of(CompactLM(export_root, backend="onnx", threads=1), "sentiment", 8)
    assert len(set(texts)) == 8
    assert {len(ids) for ids in CompactLM(export_root, backend="onnx").task().tokenizer.encode(texts)} == {TOKENS}
    assert bare(export_root, "sentiment", texts, 4, 1, 2, 0.1) > 0
    assert best([{"requests_a_second": 3.0}, {"requests_a_second": 7.5}]) == 7.5
