"""Open pages in a headless browser, as far as this machine has one."""

from __future__ import annotations

import html
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

MERMAID = Path(__file__).parents[1] / "src/rehearsal/npm/node_modules/mermaid/dist/mermaid.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NEEDED = pytest.mark.skipif(
    CHROMIUM is None or not MERMAID.exists(),
    reason="needs chromium and npm, from which 'make test' installs mermaid",
)

# Elements that run, load or submit something, and attributes that name what is loaded.
ACTIVE = {"script", "iframe", "object", "embed", "form", "base", "frame", "audio", "video", "image"}
ADDRESSES = {"src", "href", "xlink:href", "srcset", "action", "formaction", "data", "poster", "background"}
# Frames with all pages, each as wide as asked for, and what is found in them.
FRAMES = """\
<meta name="color-scheme" content="light dark">
{frames}
<script>
onload = () => setTimeout(() => {{
  const found = [...document.querySelectorAll("iframe")].map((frame) => {{
    const page = frame.contentDocument;
    const colour = frame.contentWindow.getComputedStyle(page.body).backgroundColor;
    return [page.documentElement.scrollWidth, colour];
  }});
  document.documentElement.lang = JSON.stringify(found);
}}, 100);
</script>
"""
# Chromium's own windows are 500 pixels wide at least; a frame may be narrower.
FRAME = """\
<iframe style="border: 0; width: {width}px; height: 800px" srcdoc="{content}"></iframe>
<script>
onload = () => setTimeout(() => {{
  const page = document.querySelector("iframe").contentDocument.documentElement;
  document.documentElement.lang = page.dataset.charts + " " + page.scrollWidth;
}}, 5000);
</script>
"""


class Elements(HTMLParser):
    """The elements of a page in ``found``, each with its attributes; ``text`` is all there is to read."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, tag: str, name: str, value: str) -> int:
        """Return how many elements of a kind have an attribute that contains ``value``."""
        return sum(found == tag and value in attributes.get(name, "") for found, attributes in self.found)

    def list_active(self) -> list[tuple[str, dict[str, str]]]:
        """Return what could run, load or send something, but for links and the page's own scripts."""
        policy = "".join(each.get("content", "") for tag, each in self.found if tag == "meta")
        return [(tag, each) for tag, each in self.found if _is_active(tag, each, policy)]


def _is_active(tag: str, attributes: dict[str, str], policy: str) -> bool:
    if tag == "script" and f"'nonce-{attributes.get('nonce')}'" in policy:
        return attributes.get("src", "mermaid.min.js") != "mermaid.min.js"
    if tag in ACTIVE or attributes.get("http-equiv") == "refresh":
        return True
    if any(name.startswith("on") for name in attributes):
        return True
    harmless = ("#", "http:", "https:", "mailto:") if tag == "a" else ("#", "data:image/svg+xml,")
    targets = [value.strip().lower() for name, value in attributes.items() if name in ADDRESSES]
    return any(not target.startswith(harmless) for target in targets)


def run_browser(page: Path, home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Open a page in a headless browser, which keeps everything below ``home``."""
    home.mkdir(exist_ok=True)
    command = [
        str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--no-first-run", f"--user-data-dir={home}", "--virtual-time-budget=30000", *options, "--dump-dom",
        page.as_uri(),
    ]  # fmt: skip
    # The path of a socket may not be long: a relative one never is.
    environment = {"PATH": os.defpath, "HOME": str(home), "TMPDIR": "."}
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=120)
    assert "<html" in done.stdout, done.stderr
    return done


def browse(page: Path, home: Path) -> str:
    """Return the DOM of a page once its scripts have run."""
    return run_browser(page, home).stdout


def read_console(page: Path, home: Path) -> list[str]:
    """Return what a page has to say on the browser's console, refusals of its policy among them."""
    said = run_browser(page, home, "--enable-logging=stderr").stderr
    return [line for line in said.splitlines() if ":CONSOLE" in line]


def measure(page: Path, width: int, home: Path) -> int:
    """Return how wide a page gets in a window of ``width`` pixels, with all its folds open."""
    content = page.read_text(encoding="utf-8").replace("<details>", "<details open>")
    content = content.replace('<details class="box">', '<details class="box" open>')
    frame = page.with_name("frame.html")
    frame.write_text(FRAME.format(width=width, content=html.escape(content)), encoding="utf-8")
    charts, _, width_found = Elements(browse(frame, home)).found[0][1]["lang"].partition(" ")
    assert "done" == charts
    return int(width_found)


def measure_frames(
    pages: Sequence[Path], width: int, home: Path, scheme: str = "light"
) -> list[tuple[int, str]]:
    """Return how wide each page gets in a frame of ``width`` pixels, folds open, and its background.

    Parameters
    ----------
    scheme : {"light", "dark"}
        What the reader prefers.
    """
    contents = [page.read_text(encoding="utf-8").replace("<details>", "<details open>") for page in pages]
    style = f"border: 0; width: {width}px; height: 800px"
    frames = "".join(f'<iframe style="{style}" srcdoc="{html.escape(each)}"></iframe>' for each in contents)
    frame = home.with_suffix(".html")
    frame.write_text(FRAMES.format(frames=frames), encoding="utf-8")
    option = f"--blink-settings=preferredColorScheme={('dark', 'light').index(scheme)}"
    found = Elements(run_browser(frame, home, option).stdout).found[0][1]["lang"]
    return [(width, colour) for width, colour in json.loads(found)]


@contextmanager
def listen() -> Iterator[tuple[str, list[str]]]:
    """Listen on a loopback port; give its address, and a list of the paths that are asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
