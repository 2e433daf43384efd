"""The page at /docs: it loads nothing from the network, shows all routes, and sends requests."""

import re

import pytest

from benchmarks.page.chromium import SIZES, Chromium


def test_the_page_and_its_files_are_local(client):
    for path, kind in (("/docs", "text/html"), ("/docs/page.css", "text/css"), ("/docs/page.js", "text/javascript")):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "connect-src 'self'" in answer.headers["content-security-policy"]
        assert not re.search(r"//[a-z]|@import|url\(", re.sub(r"^\s*//.*$", "", answer.text, flags=re.MULTILINE))
    assert (client.get("/").status_code, client.get("/").headers["location"]) == (307, "/docs")


@pytest.fixture(scope="module")
def url(serve_process, export_root):
    """The address of a server with a token."""
    with serve_process("--model", export_root, COMPACTLM_TOKEN="secret") as server:  # noqa: S106 - of the test
        yield server.wait_until_ready()


@pytest.fixture
def tab(browser, tmp_path):
    tab = Chromium(browser, tmp_path / "profile")
    yield tab
    tab.close()


@pytest.mark.slow
def test_it_shows_all_routes_and_sends_requests(tab, url):
    tab.show(f"{url}/docs")
    tab.wait_for("document.querySelectorAll('#contents li').length > 10")
    shown = tab.run("[...document.querySelectorAll('h2')].map((one) => one.textContent)")
    assert {"POST/predict", "POST/embed", "POST/v1/embeddings", "POST/summarize", "GET/metrics"} <= set(shown)
    answer = "document.querySelector('#post-predict pre').textContent"
    tab.run("document.querySelector('#post-predict button').click()")
    assert tab.wait_for(f"{answer}.length > 3 && {answer}").startswith("401 in ")
    tab.run("document.getElementById('token').value = 'secret'; document.querySelector('#post-predict button').click()")
    tab.wait_for(f"{answer}.startsWith('200 in ')")
    assert '"score"' in tab.run(answer)
    assert tab.run("fetch('https://example.org/').then(() => 'sent', () => 'forbidden')") == "forbidden"
    asked = [one["params"]["request"]["url"] for one in tab.events if one["method"] == "Network.requestWillBeSent"]
    assert [one for one in asked if not one.startswith((url, "data:", "https://example.org/", "about:"))] == []


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_axe_finds_no_problem(tab, url, axe, width, scheme):
    tab.show(f"{url}/docs", width, scheme=scheme)
    tab.wait_for("document.querySelectorAll('#contents li').length > 10")
    tab.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tab.run("document.querySelector('#get-live button').click()")
    tab.wait_for("document.querySelector('#get-live pre').textContent.startsWith('200 in ')")
    assert tab.problems(axe) == []
    assert tab.run("document.documentElement.scrollWidth - innerWidth") <= 0
