"""GitHub's JSON for workflows, their runs, artifacts and checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import git
from .records import Record
from .repository import Repository
from .shapes import Addresses, Shape, node, number_of, show_short_repository, show_user

if TYPE_CHECKING:
    from .forge import Forge


def show_workflow(at: Addresses, repository: Repository, path: str, name: str) -> Shape:
    """Return a workflow, as the event of one of its runs carries it."""
    key = number_of(path)
    url = f"{at.repository(repository.name)}/actions/workflows/{key}"
    page = f"{at.server}/{repository.name}"
    return {
        "id": key,
        "node_id": node("W", key),
        "name": name,
        "path": path,
        "state": "active",
        "created_at": repository.record["created_at"],
        "updated_at": repository.record["updated_at"],
        "url": url,
        "html_url": f"{page}/blob/{repository.default_branch}/{path}",
        "badge_url": f"{page}/workflows/{name}/badge.svg",
    }


def show_run(forge: Forge, repository: Repository, run: Record) -> Shape:
    """Return a run of a workflow."""
    at = forge.addresses
    url = f"{at.repository(repository.name)}/actions/runs/{run['id']}"
    head = forge.repository(run["head_repository"])
    kept = ("id", "name", "head_branch", "head_sha", "run_number", "run_attempt", "event", "status")
    times = ("conclusion", "created_at", "updated_at", "run_started_at", "display_title")
    return {
        **{key: run[key] for key in (*kept, *times)},
        "node_id": node("WFR", run["id"]),
        "path": run["path"],
        "workflow_id": number_of(run["path"]),
        "check_suite_id": run["id"],
        "check_suite_node_id": node("CS", run["id"]),
        "url": url,
        "html_url": f"{at.server}/{repository.name}/actions/runs/{run['id']}",
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": None,
        "check_suite_url": f"{at.repository(repository.name)}/check-suites/{run['id']}",
        "workflow_url": f"{at.repository(repository.name)}/actions/workflows/{number_of(run['path'])}",
        "actor": show_user(at, run["actor"]),
        "triggering_actor": show_user(at, run["actor"]),
        "pull_requests": _show_pulls(at, repository, run),
        "head_commit": _show_head(repository, run["head_sha"]),
        "repository": show_short_repository(at, repository.record),
        "head_repository": show_short_repository(at, head.record),
    }


def _show_pulls(at: Addresses, repository: Repository, run: Record) -> list[Shape]:
    """Return the open pull requests of a run's branch; GitHub names none of a fork's."""
    head = {"repository": repository.name, "branch": run["head_branch"]}
    if run["head_repository"] != repository.name:
        return []
    pulls = [pull for pull in repository.list("pulls") if pull["state"] == "open" and pull["head"] == head]
    return [_show_pull(at, repository, pull) for pull in pulls]


def _show_pull(at: Addresses, repository: Repository, pull: Record) -> Shape:
    url = at.repository(repository.name)
    repo = {"id": repository.record["id"], "url": url, "name": repository.name.split("/")[1]}
    return {
        "id": pull["id"],
        "number": pull["number"],
        "url": f"{url}/pulls/{pull['number']}",
        "head": {"ref": pull["head"]["branch"], "sha": pull["head_sha"], "repo": repo},
        "base": {"ref": pull["base"], "sha": pull["base_sha"], "repo": repo},
    }


def _show_head(repository: Repository, sha: str) -> Shape:
    commit = git.show_commit(repository.path, sha)
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": commit.committer[2],
        "author": {"name": commit.author[0], "email": commit.author[1]},
        "committer": {"name": commit.committer[0], "email": commit.committer[1]},
    }


def show_artifact(at: Addresses, repository: Repository, artifact: Record, run: Record) -> Shape:
    """Return what is known of an artifact."""
    url = f"{at.repository(repository.name)}/actions/artifacts/{artifact['id']}"
    kept = ("id", "name", "size_in_bytes", "digest", "created_at", "updated_at")
    return {
        **{key: artifact[key] for key in kept},
        "node_id": node("A", artifact["id"]),
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": False,
        "expires_at": artifact["created_at"],
        "workflow_run": {
            "id": run["id"],
            "repository_id": repository.record["id"],
            "head_repository_id": repository.record["id"],
            "head_branch": run["head_branch"],
            "head_sha": run["head_sha"],
        },
    }


def show_check(at: Addresses, repository: Repository, check: Record) -> Shape:
    """Return the check that a job sets on a commit."""
    url = f"{at.repository(repository.name)}/check-runs/{check['id']}"
    page = f"{at.server}/{repository.name}/actions/runs/{check['run']}/job/{check['id']}"
    kept = ("id", "name", "head_sha", "status", "conclusion", "started_at", "completed_at")
    return {
        **{key: check[key] for key in kept},
        "node_id": node("CR", check["id"]),
        "external_id": str(check["id"]),
        "url": url,
        "html_url": page,
        "details_url": page,
        "check_suite": {"id": check["run"]},
        "pull_requests": [],
        "app": _show_app(at),
        "output": {
            "title": None,
            "summary": None,
            "text": None,
            "annotations_count": 0,
            "annotations_url": f"{url}/annotations",
        },
    }


def _show_app(at: Addresses) -> Shape:
    return {
        "id": 15368,
        "slug": "github-actions",
        "node_id": "APP_15368",
        "owner": show_user(at, "github"),
        "name": "GitHub Actions",
        "description": None,
        "external_url": at.server,
        "html_url": f"{at.server}/apps/github-actions",
        "created_at": "2018-07-30T09:30:17Z",
        "updated_at": "2018-07-30T09:30:17Z",
        "permissions": {},
        "events": [],
    }
