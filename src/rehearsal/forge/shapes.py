"""GitHub's JSON for people, repositories and commits."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from . import git
from .records import Record

Shape = dict[str, Any]


@dataclass(frozen=True)
class Addresses:
    """Where things are found on the forge."""

    server: str

    @property
    def api(self) -> str:
        """The address of the REST interface."""
        return f"{self.server}/api/v3"

    def repository(self, name: str) -> str:
        """Return the address of a repository in the REST interface."""
        return f"{self.api}/repos/{name}"


def number_of(text: str) -> int:
    """Return an id that is always the same for a text."""
    return int(sha256(text.encode()).hexdigest()[:12], 16)


def node(kind: str, key: object) -> str:
    """Return what GitHub's other interface would call a thing."""
    return f"{kind}_{key}"


def show_user(at: Addresses, login: str) -> Shape:
    """Return a person or a bot."""
    url = f"{at.api}/users/{login}"
    lists = ("followers", "subscriptions", "organizations", "repos", "received_events")
    return {
        "login": login,
        "id": number_of(login),
        "node_id": node("U", login),
        "avatar_url": "",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{at.server}/{login}",
        **{f"{name}_url": f"{url}/{name}" for name in lists},
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "events_url": f"{url}/events{{/privacy}}",
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
    }


# What GitHub hangs on the address of a repository, by the name of the field.
LINKS = {
    "archive": "/{archive_format}{/ref}",
    "assignees": "/assignees{/user}",
    "blobs": "/git/blobs{/sha}",
    "branches": "/branches{/branch}",
    "collaborators": "/collaborators{/collaborator}",
    "comments": "/comments{/number}",
    "commits": "/commits{/sha}",
    "compare": "/compare/{base}...{head}",
    "contents": "/contents/{+path}",
    "contributors": "/contributors",
    "deployments": "/deployments",
    "downloads": "/downloads",
    "events": "/events",
    "forks": "/forks",
    "git_commits": "/git/commits{/sha}",
    "git_refs": "/git/refs{/sha}",
    "git_tags": "/git/tags{/sha}",
    "hooks": "/hooks",
    "issue_comment": "/issues/comments{/number}",
    "issue_events": "/issues/events{/number}",
    "issues": "/issues{/number}",
    "keys": "/keys{/key_id}",
    "labels": "/labels{/name}",
    "languages": "/languages",
    "merges": "/merges",
    "milestones": "/milestones{/number}",
    "notifications": "/notifications{?since,all,participating}",
    "pulls": "/pulls{/number}",
    "releases": "/releases{/id}",
    "stargazers": "/stargazers",
    "statuses": "/statuses/{sha}",
    "subscribers": "/subscribers",
    "subscription": "/subscription",
    "tags": "/tags",
    "teams": "/teams",
    "trees": "/git/trees{/sha}",
}
NOTHING = (
    "forks_count",
    "forks",
    "stargazers_count",
    "watchers_count",
    "watchers",
    "network_count",
    "subscribers_count",
    "open_issues_count",
    "open_issues",
    "size",
)


def show_short_repository(at: Addresses, record: Record) -> Shape:
    """Return a repository as other things refer to it."""
    name = record["full_name"]
    url = at.repository(name)
    return {
        "id": record["id"],
        "node_id": node("R", record["id"]),
        "name": name.split("/")[1],
        "full_name": name,
        "private": False,
        "owner": show_user(at, name.split("/")[0]),
        "html_url": f"{at.server}/{name}",
        "description": record["description"],
        "fork": record["parent"] is not None,
        "url": url,
        **{f"{key}_url": f"{url}{path}" for key, path in LINKS.items()},
        "default_branch": record["default_branch"],
    }


def show_repository(at: Addresses, record: Record) -> Shape:
    """Return a repository in full."""
    name = record["full_name"]
    has = ("has_issues", "has_projects", "has_downloads", "has_wiki", "has_pages", "has_discussions")
    merges = ("allow_merge_commit", "allow_squash_merge", "allow_rebase_merge", "allow_forking")
    return {
        **show_short_repository(at, record),
        "clone_url": f"{at.server}/{name}.git",
        "git_url": f"git://localhost/{name}.git",
        "ssh_url": f"git@localhost:{name}.git",
        "svn_url": f"{at.server}/{name}",
        "mirror_url": None,
        "homepage": None,
        "language": "Python",
        "license": None,
        "archived": False,
        "disabled": False,
        "visibility": "public",
        "topics": [],
        "is_template": False,
        "web_commit_signoff_required": False,
        **dict.fromkeys(NOTHING, 0),
        **{key: key == "has_issues" for key in has},
        **{key: key in ("allow_merge_commit", "allow_forking") for key in merges},
        "pushed_at": record["updated_at"],
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
    }


def show_person(person: tuple[str, str, str]) -> Shape:
    """Return the author or committer that a commit names."""
    name, email, date = person
    return {"name": name, "email": email, "date": date}


def show_commit(at: Addresses, repository: str, commit: git.Commit) -> Shape:
    """Return a commit in full."""
    url = at.repository(repository)
    page = f"{at.server}/{repository}/commit"
    return {
        "sha": commit.sha,
        "node_id": node("C", commit.sha),
        "commit": {
            "author": show_person(commit.author),
            "committer": show_person(commit.committer),
            "message": commit.message,
            "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
            "url": f"{url}/git/commits/{commit.sha}",
            "comment_count": 0,
        },
        "url": f"{url}/commits/{commit.sha}",
        "html_url": f"{page}/{commit.sha}",
        "comments_url": f"{url}/commits/{commit.sha}/comments",
        "author": None,
        "committer": None,
        "parents": [
            {"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{page}/{sha}"} for sha in commit.parents
        ],
    }
