import json


def test_complete(cli, on_onnx):
    expected = on_onnx.complete("the film", length=4, temperature=0.7, seed=3)[0]
    status, output, _ = cli("complete", "the film", "-n", "4", "--temperature", "0.7", "--seed", "3")
    assert (status, output) == (0, expected.text + "\n")
    found = json.loads(cli("complete", "the film", "-n", "4", "--beams", "2", "--json")[1])
    assert len(found) == 2
    assert len(found[0]["pieces"]) == 4
    assert cli("complete", "the film", "--beams", "2", "--temperature", "1")[0] == 1


def test_summarize(cli, tmp_path):
    path = tmp_path / "article.txt"
    path.write_text("The film was good. People loved the music! The actor was old. A dog played by the river.")
    status, output, _ = cli("summarize", path, "--sentences", "2")
    assert status == 0
    assert len(output.splitlines()) == 2
    assert len(json.loads(cli("summarize", "-", "--json", given=path.read_bytes())[1])) == 3
    assert cli("summarize", "-", given=b"")[0] == 1
