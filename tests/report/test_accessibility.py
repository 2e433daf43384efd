"""axe-core checks the page in a browser without a network: light and dark, on a phone and on a desktop."""

import base64
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from compactlm.report.page import write_page

AXE = "axe-core-4.14.1"
AXE_SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
CACHE = Path(os.environ.get("COMPACTLM_CACHE") or Path(__file__).parents[2] / ".cache")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ASK = """
axe.run().then(found => {
  const problems = found.violations.map(one => [one.id, one.nodes.slice(0, 3).map(node => node.html)]);
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  const loaded = performance.getEntriesByType("resource").map(one => one.name);
  document.body.textContent = "found:" + JSON.stringify({problems, wide, loaded, passes: found.passes.length}) + ":found";
});
"""


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or pytest.skip("no Chromium on this machine; install Debian's package chromium to check the page in it")


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    kept = CACHE / f"{AXE}.js"
    if not kept.is_file():
        if not shutil.which("npm"):
            pytest.skip("npm cannot be found; install Node.js with npm to check the page with axe-core")
        scratch = tmp_path_factory.mktemp("axe")
        command = ["npm", "pack", AXE.replace("core-", "core@"), "--loglevel=error", "--pack-destination", str(scratch)]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("npm could not fetch axe-core; check the network")
        archive = scratch / f"{AXE}.tgz"
        assert base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() == AXE_SHA512
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as file:
            kept.write_bytes(file.extractfile("package/axe.min.js").read())
    return kept.read_text()


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "size"), [(1, "390,844"), (0, "390,844"), (1, "1280,900"), (0, "1280,900")])
def test_axe_finds_no_problem(found, readers, browser, axe, tmp_path, scheme, size):
    page = tmp_path / "page.html"
    scripts = "".join("<script>" + text.replace("</script", "<\\/script") + "</script>" for text in (axe, ASK))
    page.write_text(write_page(found, readers).replace("</body>", f"{scripts}</body>"))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'user'}", f"--window-size={size}"]
    command += [f"--blink-settings=preferredColorScheme={scheme}", "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=20000"]
    done = subprocess.run([*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, check=True, timeout=300)
    answer = json.loads(html.unescape(re.search("found:(.*):found", done.stdout, re.DOTALL).group(1)))
    assert answer["problems"] == []
    assert answer["passes"] > 20
    assert answer["loaded"] == []
    assert answer["wide"] <= 0, "the page is wider than the window"
