"""The page in a browser: judged by the keyboard, without a network, and scored."""

import base64
import hashlib
import html
import json
import re
import subprocess

import pytest

from benchmarks.page.chromium import SIZES, Chromium
from compactlm.blind.page import write_page
from compactlm.blind.pairs import draw_comparison
from compactlm.blind.scores import score
from compactlm.blind.votes import read_votes
from tests.blind.conftest import LABELS
from tests.fixtures.compared import make_answers

# Answers of the judge: the left side is right, and the teacher's is the side that says "positive". The first pair is answered twice.
JUDGE = """
let refused = 0, saved = null;
document.addEventListener("securitypolicyviolation", () => { refused += 1; });
URL.createObjectURL = (blob) => { saved = blob; return "#saved"; };
const press = (key) => document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
addEventListener("load", async () => {
  await fetch("https://example.org/").catch(() => null);
  const begin = document.querySelector("#name-form");
  document.querySelector("#name").value = "Ann";
  begin.requestSubmit();
  press("ArrowDown"); press("Backspace"); press("ArrowDown"); press("ArrowDown"); press("Backspace"); press("Backspace");
  const seen = [];
  while (!document.querySelector("#judge").hidden) {
    seen.push([document.querySelector("#text").textContent, document.querySelector("#left").textContent]);
    press("ArrowLeft");
    press("ArrowUp");
    press(document.querySelector("#left").textContent.startsWith("positive") ? "ArrowLeft" : "ArrowRight");
  }
  document.querySelector("#end [data-save]").click();
  const loaded = performance.getEntriesByType("resource").map(one => one.name).filter(one => !one.startsWith("https://example.org"));
  const found = {votes: JSON.parse(await saved.text()), seen, refused, loaded};
  document.body.textContent = "found:" + JSON.stringify(found) + ":found";
});
"""


@pytest.fixture(scope="module")
def comparison():
    expected = [at % 2 for at in range(12)]
    teacher = [[0.7, 0.3] if at % 2 == 0 else [0.3, 0.7] for at in range(12)]
    texts = [f'text {at} </script><b>not bold</b> & "quoted" \u2028' for at in range(12)]
    answers = {"sentiment": make_answers(expected, teacher, [row[::-1] for row in teacher], texts)}
    return draw_comparison(answers, LABELS, 12, 4, 0.1, 17)


def test_the_page_holds_its_pairs_as_data_and_loads_nothing(comparison):
    page = write_page(comparison)
    assert page == write_page(comparison)
    data = re.search('<script type="application/json" id="content">(.*?)</script>', page, re.DOTALL).group(1)
    assert json.loads(data) == {"page": comparison.key.page, "pairs": comparison.shown}
    assert page.count("</script>") == 2
    assert not re.search(r"(src|href)=|https?://|@import|url\(", page)


def test_the_policy_allows_this_style_and_this_script_only(comparison):
    page = write_page(comparison)
    policy = re.search('Content-Security-Policy" content="(.*?)"', page).group(1)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for part in ("style", "script"):
        text = re.search(f"<{part}>(.*?)</{part}>", page, re.DOTALL).group(1)
        assert f"{part}-src 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy


@pytest.mark.slow
def test_a_judge_votes_by_keyboard_and_the_votes_are_scored(comparison, browser, tmp_path):
    allowed = base64.b64encode(hashlib.sha256(JUDGE.encode()).digest()).decode()
    page = (
        write_page(comparison)
        .replace("script-src ", f"script-src 'sha256-{allowed}' ")
        .replace("</body>", f"<script>{JUDGE}</script></body>")
    )
    path = tmp_path / "page.html"
    path.write_text(page)
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'user'}",
        "--virtual-time-budget=20000",
    ]
    done = subprocess.run([*command, "--dump-dom", path.as_uri()], capture_output=True, text=True, check=True, timeout=300)
    answer = json.loads(html.unescape(re.search("found:(.*):found", done.stdout, re.DOTALL).group(1)))
    assert answer["refused"] == 1, "the policy refuses a connection"
    assert answer["loaded"] == []
    shown = [[one["text"], f"{one['left']['label']}, {one['left']['percent']} % sure"] for one in comparison.shown]
    assert answer["seen"] == shown
    saved = tmp_path / "votes.json"
    saved.write_text(json.dumps(answer["votes"]))
    [votes] = read_votes([saved], comparison.key)
    assert votes.judge == "Ann"
    assert [vote.right for vote in votes.votes] == ["left"] * 16
    found = score(comparison.key, [votes])
    named = [comparison.shown[vote.pair][vote.teacher]["label"] for vote in votes.votes]
    assert set(named) == {"positive"}
    assert found["right"]["self_agreement"]["Ann"].value == 0.0
    assert found["teacher"]["self_agreement"]["Ann"].value == 1.0
    assert found["teacher"]["share"].rows == 12


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_axe_finds_no_problem(comparison, browser, axe, tmp_path, width, scheme):
    path = tmp_path / "page.html"
    path.write_text(write_page(comparison))
    tab = Chromium(browser, tmp_path / "profile")
    try:
        tab.show(path.as_uri(), width, scheme=scheme)
        assert tab.problems(axe) == []
        tab.run("document.querySelector('#name').value = 'Ann'; document.querySelector('#name-form').requestSubmit()")
        tab.wait_for("!document.querySelector('#judge').hidden")
        assert tab.problems(axe) == []
        assert tab.run("document.documentElement.scrollWidth - innerWidth") <= 0
        tab.run("""while (!document.querySelector('#judge').hidden) document.dispatchEvent(
            new KeyboardEvent('keydown', {key: 'ArrowLeft', bubbles: true, cancelable: true}))""")
        assert tab.problems(axe) == []
    finally:
        tab.close()
