"""Drive a headless Chromium by the DevTools protocol over two pipes; no driver has to be installed."""

import base64
import itertools
import json
import os
import select
import subprocess
import time

SIZES = [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]  # widths of a phone and a desk, in both colour schemes


class Chromium:
    """A browser with one tab and no network but the loopback address."""

    def __init__(self, program, profile):
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        options += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "about:blank"]
        command = ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{from_write}', "bash", program, *options]  # sh lacks numbers above 9
        self.process = subprocess.Popen(command, pass_fds=(to_read, from_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.to, self.back, self.buffer = to_write, from_read, b""
        self.numbers, self.session, self.events = itertools.count(1), None, []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method, session=None, **params):
        """Send a command to the tab, or to the session of a worker, and return its result."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if session or self.session:
            message["sessionId"] = session or self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data) :]
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)

    def _next(self, seconds=240):
        deadline = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.back], [], [], max(deadline - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            part = os.read(self.back, 1 << 16)
            assert part, "the browser has ended"
            self.buffer += part
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def show(self, url, width=1280, height=900, scheme="light"):
        """Open a page in a window of a size, with a colour scheme."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.send("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def run(self, code, session=None):
        """Return the value of an expression, awaited, in the page or in the session of a worker."""
        found = self.send("Runtime.evaluate", session, expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait_for(self, code, seconds=120):
        """Wait until an expression is true, and return its value."""
        deadline = time.monotonic() + seconds
        while not (value := self.run(code)):
            assert time.monotonic() < deadline, f"{code} stays false; the page says: {self.run('document.body.innerText.slice(0, 2000)')}"
            time.sleep(0.1)
        return value

    def fill(self, field, text):
        """Replace the text of a field as a person who types does."""
        self.run(f"(() => {{ const f = document.getElementById({field!r}); f.focus(); f.select(); }})()")
        self.send("Input.insertText", text=text)

    def problems(self, axe):
        """Return what axe-core, given as its script, finds wrong with the page."""
        self.run(f"{axe}; 0")
        found = self.run(
            "axe.run().then(({violations, passes}) => ({passes: passes.length, problems: violations.map(one => "
            "[one.id, one.nodes.slice(0, 3).map(node => node.html)])}))"
        )
        assert found["passes"] > 10, "axe-core has looked at nothing"
        return found["problems"]

    def picture(self, path):
        """Save a picture of the whole page."""
        height = self.run("document.documentElement.scrollHeight")
        width = self.run("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        found = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(found["data"]))

    def close(self):
        """End the browser."""
        self.process.terminate()
        self.process.wait(30)
        os.close(self.to)
        os.close(self.back)
