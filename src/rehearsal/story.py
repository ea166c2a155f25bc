"""What a rehearsal leaves to be told: the story that the page shows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

State = Literal["open", "merged", "closed"]
Conclusion = Literal["success", "failure", "skipped", "cancelled"]


@dataclass(frozen=True)
class Comment:
    """One comment of a pull request; ``body`` is Markdown, as the forge holds it."""

    author: str
    body: str


@dataclass(frozen=True)
class Check:
    """How a check of a pull request's newest commit ended."""

    name: str
    conclusion: Conclusion


@dataclass(frozen=True)
class PullRequest:
    """A pull request as it stood when the rehearsal ended."""

    number: int
    title: str
    body: str
    """Markdown."""
    author: str
    head: str
    """The branch it comes from, ``owner:branch`` where that is a fork's."""
    base: str
    state: State
    commits: list[str]
    """Subjects, the oldest first."""
    diff: str
    """What ``git diff`` says between base and head."""
    checks: list[Check]
    comments: list[Comment]


@dataclass(frozen=True)
class Issue:
    """An issue as it stood when the rehearsal ended."""

    number: int
    title: str
    body: str
    """Markdown."""
    author: str
    state: Literal["open", "closed"]
    comments: list[Comment]


@dataclass(frozen=True)
class Event:
    """One thing that happened; ``#3`` in its text leads to that pull request or issue."""

    seconds: float
    """Since the beginning of the rehearsal."""
    scene: str
    text: str
    mark: str
    """One sign, such as ✅ or ❌, or nothing."""


@dataclass(frozen=True)
class Story:
    """All that happened to a project in one rehearsal."""

    project: str
    events: list[Event]
    pull_requests: list[PullRequest]
    issues: list[Issue] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    """What else there is to see, by its title: the address of a page, seen from this one."""


def dump_story(story: Story) -> str:
    """Return a story as JSON, the same text for the same story."""
    return json.dumps(asdict(story), indent=1, ensure_ascii=False) + "\n"


def write_story(story: Story, path: Path) -> None:
    """Keep a story as JSON, so that its page can be rendered again."""
    path.write_bytes(dump_story(story).encode("utf-8", "replace"))


def read_story(path: Path) -> Story:
    """Return the story that ``write_story`` has kept.

    Raises
    ------
    ValueError
        If the file holds something else.
    """
    try:
        return _to_story(json.loads(path.read_text(encoding="utf-8")))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} holds no story of a rehearsal ({error}); rehearse again to write it."
        ) from None


def _to_story(found: dict[str, Any]) -> Story:
    return Story(
        project=found["project"],
        events=[Event(**event) for event in found["events"]],
        pull_requests=[_to_pull_request(**each) for each in found["pull_requests"]],
        issues=[_to_issue(**each) for each in found["issues"]],
        pages=found["pages"],
    )


def _to_pull_request(checks: list[Any], comments: list[Any], **fields: Any) -> PullRequest:
    return PullRequest(
        checks=[Check(**check) for check in checks],
        comments=[Comment(**comment) for comment in comments],
        **fields,
    )


def _to_issue(comments: list[Any], **fields: Any) -> Issue:
    return Issue(comments=[Comment(**comment) for comment in comments], **fields)
