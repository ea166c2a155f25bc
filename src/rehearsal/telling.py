"""The story of a rehearsal, as the forge remembers it, for the page."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, cast
from zipfile import ZipFile

from .forge import git
from .forge.merging import latest_checks, refresh
from .forge.records import Record
from .stage import Stage
from .story import Check, Comment, Conclusion, Issue, PullRequest, State, Story

# Beyond this a diff is data, and nobody reads it.
LONGEST = 200_000
# Artifacts that are pages: title, name and the page to begin with.
PAGES = [
    ("The last check of production", "monitoring", "monitoring.html"),
    ("The site about production", "site", "index.html"),
]


def tell_story(stage: Stage, folder: Path) -> Story:
    """Return all that happened on a stage; pages that its runs have made go into a folder."""
    return Story(
        project=stage.repository.name.split("/")[1],
        events=stage.timeline.events,
        pull_requests=[_tell_pull_request(stage, pull) for pull in stage.repository.list("pulls")],
        issues=[_tell_issue(stage, issue) for issue in stage.repository.list("issues")],
        pages=_keep_pages(stage, folder),
    )


def _keep_pages(stage: Stage, folder: Path) -> dict[str, str]:
    """Unpack the newest pages about production; return the address of each, by its title."""
    pages = {}
    for title, name, page in PAGES:
        shutil.rmtree(folder / name, ignore_errors=True)
        made = [one for one in stage.repository.list("artifacts") if one["name"] == name]
        if made:
            with ZipFile(stage.forge.files.path("artifacts", made[-1]["id"])) as archive:
                archive.extractall(folder / name)
            pages[title] = f"{name}/{page}"
    return pages


def _tell_pull_request(stage: Stage, pull: Record) -> PullRequest:
    pull = refresh(stage.forge, stage.repository, pull)
    path, base, head = stage.repository.path, pull["base_sha"], pull["head_sha"]
    commits = git.list_commits(path, base, head)
    diff = git.git(path, "diff", "--no-color", f"{base}...{head}")
    return PullRequest(
        number=pull["number"],
        title=pull["title"],
        body=pull["body"] or "",
        author=pull["login"],
        head=_name_head(stage, pull),
        base=pull["base"],
        state=cast(State, "merged" if pull["merged_at"] else pull["state"]),
        commits=[git.show_commit(path, sha).message.splitlines()[0] for sha in commits],
        diff=diff[:LONGEST],
        checks=[_tell_check(check) for check in latest_checks(stage.repository, head)],
        comments=_tell_comments(stage, pull["number"]),
    )


def _tell_issue(stage: Stage, issue: Record) -> Issue:
    kept = {key: issue[key] for key in ("number", "title", "state")}
    comments = _tell_comments(stage, issue["number"])
    return Issue(**kept, body=issue["body"] or "", author=issue["login"], comments=comments)


def _name_head(stage: Stage, pull: Record) -> str:
    owner, branch = pull["head"]["repository"].split("/")[0], pull["head"]["branch"]
    return branch if owner == stage.repository.owner else f"{owner}:{branch}"


def _tell_check(check: Record) -> Check:
    return Check(check["name"], cast(Conclusion, check["conclusion"]))


def _tell_comments(stage: Stage, number: int) -> list[Comment]:
    comments: list[dict[str, Any]] = stage.repository.list("comments")
    return [Comment(each["login"], each["body"]) for each in comments if each["issue"] == number]
