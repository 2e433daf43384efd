"""axe-core checks the page in a browser without a network: light and dark, on a phone and on a desktop."""

import html
import json
import re
import subprocess

import pytest

from compactlm.report.page import write_page

ASK = """
axe.run().then(found => {
  const problems = found.violations.map(one => [one.id, one.nodes.slice(0, 3).map(node => node.html)]);
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  const loaded = performance.getEntriesByType("resource").map(one => one.name);
  document.body.textContent = "found:" + JSON.stringify({problems, wide, loaded, passes: found.passes.length}) + ":found";
});
"""


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "size"), [(1, "390,844"), (0, "390,844"), (1, "1280,900"), (0, "1280,900")])
def test_axe_finds_no_problem(three_attributes, readers, browser, axe, tmp_path, scheme, size):
    page = tmp_path / "page.html"
    scripts = "".join("<script>" + text.replace("</script", "<\\/script") + "</script>" for text in (axe, ASK))
    page.write_text(write_page(three_attributes, readers).replace("</body>", f"{scripts}</body>"))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'user'}", f"--window-size={size}"]
    command += [f"--blink-settings=preferredColorScheme={scheme}", "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=20000"]
    done = subprocess.run([*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, check=True, timeout=300)
    answer = json.loads(html.unescape(re.search("found:(.*):found", done.stdout, re.DOTALL).group(1)))
    assert answer["problems"] == []
    assert answer["passes"] > 20
    assert answer["loaded"] == []
    assert answer["wide"] <= 0, "the page is wider than the window"
