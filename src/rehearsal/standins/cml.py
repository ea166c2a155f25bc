"""Stands in for CML 0.20.6: ``cml comment create`` and ``update``, with the same requests.

It has CML's options, chooses the comment as CML does, from the first page of the list, and refuses
what it cannot do: above all to publish files, for which CML asks a public server.
"""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from ..client import Client, ClientError
from .errors import StandInError

PICTURE = "https://cml.dev/watermark.png"
TOKENS = ("REPO_TOKEN", "repo_token", "GITHUB_TOKEN", "GITLAB_TOKEN", "BITBUCKET_TOKEN")
ESCAPED = re.compile(r"[_*\[<]")


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise StandInError(message)


def main(arguments: list[str]) -> None:
    """Create or update a comment, and print its address."""
    options = _parse(arguments)
    _refuse(options)
    client = _connect(options)
    number = _read_target(options.target)
    watermark = _make_title(options.watermark_title)
    update = options.command == "update" or options.update
    try:
        text = Path(options.markdown).read_text(encoding="utf-8")
        print(_post(client, number, f"{text}\n\n{_show_watermark(watermark)}", watermark, update))
    except (ClientError, OSError) as error:
        raise StandInError(str(error)) from None


def _parse(arguments: list[str]) -> Namespace:
    parser = _Parser(prog="cml", allow_abbrev=False)
    parser.add_argument("group", choices=["comment"])
    parser.add_argument("command", choices=["create", "update"])
    parser.add_argument("markdown")
    parser.add_argument("--log", choices=["error", "warn", "info", "debug"], default="info")
    parser.add_argument("--driver", choices=["github", "gitlab", "bitbucket"])
    parser.add_argument("--repo")
    parser.add_argument("--driver-token", "--token")
    parser.add_argument("--target", default="auto")
    parser.add_argument("--watermark-title", default="")
    parser.add_argument("--commit-sha", "--head-sha")
    parser.add_argument("--trigger-file")
    parser.add_argument("--publish-url", default="https://asset.cml.dev")
    parser.add_argument("--no-publish", dest="publish", action="store_const", const=False)
    for name in ("publish", "pr", "watch", "publish-native", "update", "rm-watermark"):
        parser.add_argument(f"--{name}", nargs="?", type=_to_flag, const=True, default=name == "publish")
    return parser.parse_args(_from_environment() + arguments)


def _from_environment() -> list[str]:
    """Return the options that variables such as ``CML_COMMENT_TARGET`` set."""
    found = {
        name.removeprefix("CML_COMMENT_"): value
        for name, value in os.environ.items()
        if name.startswith("CML_COMMENT_")
    }
    for name in ("DRIVER", "DRIVER_TOKEN", "LOG", "REPO", "TOKEN"):
        if f"CML_{name}" in os.environ:
            found.setdefault(name, os.environ[f"CML_{name}"])
    return [f"--{name.lower().replace('_', '-')}={value}" for name, value in found.items()]


def _to_flag(text: str) -> bool:
    return text == "true"


def _refuse(options: Namespace) -> None:
    """Refuse what the real one refuses, and what this one leaves to it."""
    if options.rm_watermark:
        raise StandInError("Arguments watermark-title and rmWatermark are mutually exclusive")
    if options.publish:
        raise StandInError("without --publish=false CML uploads linked files to a public server")
    for name in ("pr", "watch", "commit_sha", "trigger_file", "publish_native"):
        if getattr(options, name):
            raise StandInError(
                f"the stand-in has no --{name.replace('_', '-')}; put the real cml on the PATH"
            )
    if options.driver != "github":
        raise StandInError("the stand-in has only --driver github; put the real cml on the PATH")


def _connect(options: Namespace) -> Client:
    token = options.driver_token or next(filter(None, map(os.environ.get, TOKENS)), None)
    if not token:
        raise StandInError("token not found")
    if not options.repo:
        raise StandInError("the stand-in needs --repo")
    address = urlsplit(options.repo.removesuffix("/").removesuffix(".git"))
    return Client(f"https://{address.netloc}/api/v3/repos{address.path}/issues", token)


def _read_target(target: str) -> str:
    kind, _, number = target.partition("/")
    if kind.lower() not in ("pr", "issue") or not number:
        raise StandInError(f'the stand-in has no --target="{target}", only pr/N and issue/N')
    return number


def _make_title(label: str) -> str:
    known = {
        "{workflow}": os.environ.get("GITHUB_WORKFLOW", ""),
        "{run}": os.environ.get("GITHUB_RUN_ID", ""),
    }
    for word, value in known.items():
        label = label.replace(word, value, 1)
    return ESCAPED.sub(lambda found: f"\\{found[0]}", f"CML watermark {label}".strip())


def _show_watermark(title: str) -> str:
    return f'![]({PICTURE}#{os.environ.get("GITHUB_SHA", "")} "{title}")'


def _post(client: Client, number: str, body: str, title: str, update: bool) -> str:
    if update:
        comment = _choose(client.get(f"{number}/comments"), title)
        if comment is not None:
            return str(client.patch(f"comments/{comment['id']}", body=body)["html_url"])
    return str(client.post(f"{number}/comments", body=body)["html_url"])


def _choose(comments: Sequence[dict[str, Any]], title: str) -> dict[str, Any] | None:
    """Return the last comment that bears the watermark, whoever wrote it."""
    mark = re.compile(rf'!\[\]\({re.escape(PICTURE)}#[0-9a-fA-F]+ "{re.escape(title)}"\)')
    return next((comment for comment in reversed(comments) if mark.search(comment["body"])), None)
