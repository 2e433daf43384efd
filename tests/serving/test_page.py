"""The page at /docs: it loads nothing from the network, and shows all routes."""

import re
import shutil
import subprocess

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def test_the_page_and_its_files_are_local(client):
    for path, kind in (("/docs", "text/html"), ("/docs/page.css", "text/css"), ("/docs/page.js", "text/javascript")):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "connect-src 'self'" in answer.headers["content-security-policy"]
        assert not re.search(r"//[a-z]|@import|url\(", re.sub(r"^\s*//.*$", "", answer.text, flags=re.MULTILINE))
    assert (client.get("/").status_code, client.get("/").headers["location"]) == (307, "/docs")


@pytest.mark.slow
def test_a_browser_shows_all_routes(serve_process, export_root, tmp_path):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium on this machine; install Debian's package chromium to check the page in it")
    with serve_process("--model", export_root) as server:
        url = server.wait_until_ready()
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000"]
        command = [browser, *options, "--enable-logging=stderr", "--dump-dom", f"{url}/docs"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    for route in ("/predict", "/embed", "/v1/embeddings", "/summarize", "/metrics"):
        assert f'"method">{"GET" if route == "/metrics" else "POST"}</span>{route}</h2>' in done.stdout
    assert "Content Security Policy" not in done.stderr  # what the policy blocks is reported there
    assert "openapi.json cannot be read" not in done.stdout
