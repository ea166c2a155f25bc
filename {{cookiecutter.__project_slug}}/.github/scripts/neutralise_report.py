r"""Make the text of a report harmless, whoever wrote it.

Usage: ``neutralise_report.py {own,fork} < report.md > harmless.md``

The result looks like what came in, and nothing in it acts: no mention, link, image, issue number,
foreign HTML or foreign drawing. Whether a place is code is never asked, for a text can feign that:
an invisible joiner is put behind everything that could act, wherever it stands. The report of a
fork also loses its folds, and stands in a quotation, which nothing inside of it can end.
"""

from __future__ import annotations

import html
import re
import sys

JOINER = "\N{WORD JOINER}"
# GitHub refuses 65,536 characters; a few lines and a watermark come around this text.
LIMIT = 58_000
# However much comes in, this much of it is looked at.
MOST_BYTES = 1_000_000
# Stands first: at the end it might stand in a block of code that was cut.
CUT = "*The report is too long for a comment. Its end is left out here; it is in the run's artifact.*\n\n"

# Control characters, and those that hide text or turn its direction around.
_ILLEGIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
# A character by its number or name; a browser forgives a number that lacks its semicolon.
_ENTITY = re.compile(f"{JOINER}?(&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*(?=;)));?{JOINER}?")
_QUIET = frozenset("&<>\"'|")
# The tags of our own template, bare.
_TAG = re.compile(rf"<(?!{JOINER}|/?(?:details|summary|sub|code)>|br>)")
_ANY_TAG = re.compile(rf"<(?!{JOINER})")
_TITLE = re.compile(r"<summary>([^\n<]*)</summary>")
_FOLD = re.compile(r"</?(?:details|summary|sub|code)>|<br>")
# How a drawing of ours begins: that settles its kind, and one of this kind holds no link.
_SETTINGS = (
    r'%%\{init: \{"xyChart": \{"width": [0-9]+, "height": [0-9]+\}, '
    r'"themeVariables": \{"xyChart": \{"plotColorPalette": "[#0-9a-f, ]*"\}\}\}\}%%'
)
_LANGUAGE = (
    r"[ \t]*(?:diff|json|python|text|yaml)?[ \t]*$"
    rf"|mermaid\n{_SETTINGS}\nxychart-beta(?: horizontal)?$"
)
# A backslash may stand where it is not shown.
_ACTING = re.compile(
    "(?:"
    + "|".join(
        (
            "@",  # mentions, addresses
            r"(?<!&)#(?=[0-9]+(?![0-9A-Za-z_]))",  # issues, but neither characters nor colours
            r"\bGH(?=\\?-[0-9])",  # issues by their other name
            r":(?=\\?/\\?/)",  # links
            r"\bwww(?=\\?\.)",
            r"\](?=[(\[:])",  # links and images, and what they refer to
            r"!(?=\[)",
            r"\[(?=[ xX]\]|\^)",  # boxes to tick, footnotes
            r"(?<!`)`{3,}(?!`)" + f"(?!{_LANGUAGE})",  # blocks that GitHub draws
            r"(?<!~)~{3,}(?!~)" + f"(?!{_LANGUAGE})",
            f"(?!^{_SETTINGS}$)" + r"%%(?=\{)",  # settings of a drawing
            r"\$(?=[$`])",  # formulas
        )
    )
    + rf")(?!{JOINER})",
    re.IGNORECASE | re.MULTILINE,
)


def neutralise_own(report: bytes) -> str:
    """Return the report of a branch of this repository, harmless; its folds stay."""
    return _cut(_disarm(_TAG.sub(_join, _read(report))))


def neutralise_fork(report: bytes) -> str:
    """Return the report of a fork as a quotation without any HTML; titles of folds become bold lines."""
    text = _FOLD.sub(" ", _TITLE.sub(r"**\1**", _read(report)))
    lines = _disarm(_ANY_TAG.sub(_join, text)).split("\n")
    return _cut("\n".join(f"> {line}".rstrip() for line in lines))


def _read(report: bytes) -> str:
    text = report[:MOST_BYTES].decode("utf-8", errors="replace")
    return _ILLEGIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _disarm(text: str) -> str:
    return _ACTING.sub(_join, _ENTITY.sub(_separate, text))


def _join(found: re.Match[str]) -> str:
    return found[0] + JOINER


def _separate(found: re.Match[str]) -> str:
    """Part a character that is written by its number or name from its neighbours."""
    entity = f"{found[1]};"
    character = html.unescape(entity)
    if character in _QUIET:
        return found[0]
    if _ILLEGIBLE.search(character):
        return "\N{REPLACEMENT CHARACTER}"
    return f"{JOINER}{entity}{JOINER}"


def _cut(text: str) -> str:
    """Return the text, or as many whole lines of it as a comment holds."""
    if len(text) <= LIMIT:
        return text
    return CUT + text[: LIMIT - len(CUT)].rpartition("\n")[0]


def main() -> None:
    """Read a report from standard input and write it, harmless, to standard output."""
    neutralise = {"own": neutralise_own, "fork": neutralise_fork}[sys.argv[1]]
    text = neutralise(sys.stdin.buffer.read(MOST_BYTES))
    sys.stdout.buffer.write(text.encode("utf-8"))


if __name__ == "__main__":
    main()
