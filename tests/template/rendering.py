"""What GitHub and a browser make of a comment."""

from __future__ import annotations

import importlib.util
import re
from html.parser import HTMLParser
from types import ModuleType

from cmarkgfm import cmark

from rehearsal.bake import ROOT

SCRIPT = ROOT / "{{cookiecutter.__project_slug}}/.github/scripts/neutralise_report.py"
JOINER = "\N{WORD JOINER}"
# What Markdown itself makes; links, images and boxes to tick are not among it.
MARKDOWN = {"blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol"}
MARKDOWN |= {"p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"}
OWN = MARKDOWN | {"details", "summary", "sub"}
# The language of a block that GitHub would not draw: one of these, or one that does not exist.
ATTRIBUTE = re.compile(
    rf"align=(left|center|right)|start=[0-9]+|class=language-((diff|json|python|text|yaml)|{JOINER}.*)",
    re.DOTALL,
)
# What GitHub acts on in a text: mentions and addresses, issues, links, and unreadable characters.
ACTING = re.compile(
    r"@[0-9A-Za-z]|(?<!&)#[0-9]+(?![0-9A-Za-z_])|\bGH-[0-9]|://|\bwww\.|[\0\u202a-\u202e\u2066-\u2069]",
    re.IGNORECASE,
)
WATERMARK = re.compile(r'!\[\]\(https://cml\.dev/watermark\.png#[0-9a-fA-F]+ "CML watermark model report"\)')


class Page(HTMLParser):
    """What a browser would make of a comment."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.attributes: list[str] = []
        self.hidden: list[str] = []
        self.texts: list[str] = [""]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [f"{name}={value}" for name, value in attributes]
        self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        self.texts[-1] += data

    def handle_comment(self, data: str) -> None:
        self.hidden.append(data)

    def handle_decl(self, decl: str) -> None:
        self.hidden.append(decl)

    def handle_pi(self, data: str) -> None:
        self.hidden.append(data)

    def unknown_decl(self, data: str) -> None:
        self.hidden.append(data)


def render(text: str) -> str:
    """Return a comment as GitHub's own Markdown makes it, before anything is taken out of it."""
    options = cmark.Options.CMARK_OPT_UNSAFE | cmark.Options.CMARK_OPT_FOOTNOTES
    extensions = ["table", "autolink", "strikethrough", "tasklist"]
    return str(cmark.markdown_to_html_with_extensions(text, options=options, extensions=extensions))


def find_harm(text: str, allowed: set[str]) -> list[str]:
    """Return everything in a comment that acts."""
    page = Page(render(text))
    return [
        *(page.elements - allowed),
        *page.hidden,
        *(text for text in page.attributes if not ATTRIBUTE.fullmatch(text)),
        *(found for piece in page.texts for found in ACTING.findall(piece)),
        *WATERMARK.findall(text),
    ]


def look(text: str) -> list[str]:
    """Return the words that a reader sees."""
    return "".join(Page(render(text)).texts).replace(JOINER, "").split()


def load_script() -> ModuleType:
    """Import the script that makes reports harmless from where it stands."""
    specification = importlib.util.spec_from_file_location("neutralise_report", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
