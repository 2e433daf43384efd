import re

import pytest


def test_page_writes_one_file(cli, export_root, tmp_path):
    status, _, said = cli(
        "page", "--model", export_root, "--output", tmp_path / "deep/page.html", "--only", "sentiment", "--title", "A & B"
    )
    assert status == 0
    text = (tmp_path / "deep/page.html").read_text()
    assert "<title>A &amp; B</title>" in text
    assert "{{" not in text
    assert re.search(r"MB and the models sentiment; open it", said)
    assert not re.search(r'(src|href)="(?!#|data:)', text)


def test_a_title_with_invalid_utf_8_is_written(cli, export_root, tmp_path):
    status, _, said = cli("page", "--model", export_root, "--output", tmp_path / "p.html", "--only", "sentiment", "--title", "a\udcff")
    assert (status, "open it in a browser" in said) == (0, True)
    assert "<title>a\ufffd</title>" in (tmp_path / "p.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--only", "nothing"], "there is no task 'nothing'"),
        (["--card", "/nowhere/card.md"], "pass another file with --card"),
        (["--output", "/dev/null/page.html"], "pass another file with --output"),
    ],
)
def test_failures_are_sentences(cli, export_root, arguments, sentence):
    status, _, said = cli("page", "--model", export_root, *arguments)
    assert status == 1
    assert sentence in said


def test_a_single_model_is_refused(cli, export_root):
    status, _, said = cli("page", "--model", export_root / "mlm")
    assert status == 1
    assert "pass the directory above it" in said


def test_pages_are_byte_stable(cli, export_root, tmp_path):
    for name in ("a", "b"):
        cli("page", "--model", export_root, "--output", tmp_path / name, "--only", "mlm")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_page_writes_a_folder_and_replaces_only_its_own(cli, export_root, tmp_path, monkeypatch):
    from compactlm.serving.browser import wasm_runtime

    files = dict.fromkeys(wasm_runtime.DIGESTS, b"runtime")
    monkeypatch.setattr(wasm_runtime, "load_runtime", lambda given: files)
    folder = tmp_path / "site"
    for title in ("First", "Second"):
        status, _, said = cli("page", "--model", export_root, "--folder", folder, "--only", "sentiment", "--title", title)
        assert (status, "MB and the models sentiment; copy it to a web server" in said) == (0, True)
        assert f"<title>{title}</title>" in (folder / "index.html").read_text()
    assert "connect-src 'self'" in (folder / "index.html").read_text()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    status, _, said = cli("page", "--model", export_root, "--folder", tmp_path / "mine")
    assert (status, "holds something else than a page" in said) == (1, True)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "site"]


def test_a_runtime_without_a_folder_is_refused(cli, export_root, tmp_path):
    status, _, said = cli("page", "--model", export_root, "--runtime", tmp_path)
    assert (status, "--runtime is only for --folder" in said) == (1, True)
