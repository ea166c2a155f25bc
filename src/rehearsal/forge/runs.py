"""Routes: runs of workflows, what they leave behind, and starting them by hand."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from . import events, git
from .errors import ApiError, not_found
from .merging import latest_checks
from .paging import cut_page
from .records import Record
from .required import Shape, complete
from .shapes import number_of, show_run
from .visit import Body, Visit, needs
from .workflows import FOLDER, read_workflow

router = APIRouter()
Reader = Annotated[Visit, needs("read", "actions")]
FILTERS = {"branch": "head_branch", "event": "event", "head_sha": "head_sha", "actor": "actor"}


@router.get("/actions/runs")
def list_runs(visit: Reader) -> Shape:
    """Show runs, the newest first."""
    return _show_runs(visit, visit.repository.list("runs"))


@router.get("/actions/workflows/{workflow}/runs")
def list_runs_of(visit: Reader, workflow: str) -> Shape:
    """Show the runs of one workflow, which is named by its file or its id."""
    runs = visit.repository.list("runs")
    return _show_runs(visit, [run for run in runs if workflow in _names(run["path"])])


def _names(path: str) -> set[str]:
    return {PurePosixPath(path).name, str(number_of(path))}


def _show_runs(visit: Visit, runs: list[Record]) -> Shape:
    asked = visit.request.query_params
    runs = [run for run in reversed(runs) if all(asked.get(a, run[b]) == run[b] for a, b in FILTERS.items())]
    if "status" in asked:
        runs = [run for run in runs if asked["status"] in (run["status"], run["conclusion"])]
    shown = cut_page(visit.request, visit.response, runs)
    return {
        "total_count": len(runs),
        "workflow_runs": [_show_run(visit, run) for run in shown],
    }


@router.get("/actions/runs/{key}")
def get_run(visit: Reader, key: int) -> Shape:
    """Show a run."""
    return _show_run(visit, visit.find("runs", key))


def _show_run(visit: Visit, run: Record) -> Shape:
    return show_run(visit.repository, visit.forge.repository(run["head_repository"]), run)


@router.get("/actions/runs/{key}/artifacts")
def list_artifacts_of(visit: Reader, key: int, name: str | None = None) -> Shape:
    """Show the artifacts of a run."""
    run = visit.find("runs", key)
    artifacts = [record for record in visit.repository.list("artifacts") if record["run"] == run["id"]]
    return _show_artifacts(visit, artifacts, name)


@router.get("/actions/artifacts")
def list_artifacts(visit: Reader, name: str | None = None) -> Shape:
    """Show all artifacts."""
    return _show_artifacts(visit, visit.repository.list("artifacts"), name)


def _show_artifacts(visit: Visit, artifacts: list[Record], name: str | None) -> Shape:
    artifacts = [record for record in reversed(artifacts) if name in (None, record["name"])]
    shown = cut_page(visit.request, visit.response, artifacts)
    return {"total_count": len(artifacts), "artifacts": [_show_artifact(visit, record) for record in shown]}


@router.get("/actions/artifacts/{key}")
def get_artifact(visit: Reader, key: int) -> Shape:
    """Show what is known of an artifact."""
    return _show_artifact(visit, visit.find("artifacts", key))


def _show_artifact(visit: Visit, artifact: Record) -> Shape:
    url = f"{visit.at.repository(visit.repository.name)}/actions/artifacts/{artifact['id']}/zip"
    return complete("artifact", artifact, archive_download_url=url, digest=artifact["digest"])


@router.get("/actions/artifacts/{key}/{form}")
def download_artifact(visit: Reader, key: int, form: str) -> Response:
    """Send on to where the archive lies."""
    if form != "zip":
        raise not_found()
    artifact = visit.find("artifacts", key)
    return RedirectResponse(visit.forge.files.address("artifacts", artifact["id"]), 302)


@router.post("/actions/workflows/{workflow}/dispatches", status_code=204)
def dispatch(visit: Annotated[Visit, needs("write", "actions")], workflow: str, body: Body) -> Response:
    """Start a workflow that allows it, on a branch."""
    repository, branch = visit.repository, str(body.get("ref", "")).removeprefix("refs/heads/")
    sha = repository.head(branch)
    if sha is None:
        raise ApiError(422, f"No ref found for: {branch}")
    path = _find_workflow(visit, workflow)
    if "workflow_dispatch" not in read_workflow(repository.path, sha, path).events:
        raise ApiError(422, "Workflow does not have 'workflow_dispatch' trigger")
    events.workflow_dispatch(visit.forge, repository, path, branch, body.get("inputs", {}), visit.token.login)
    return Response(status_code=204)


def _find_workflow(visit: Visit, workflow: str) -> str:
    """Return the path of a workflow; GitHub knows those of the default branch."""
    head = visit.repository.head(visit.repository.default_branch)
    entries = git.list_folder(visit.repository.path, head, FOLDER) if head else []
    for entry in entries:
        if workflow in _names(entry.path):
            return entry.path
    raise not_found()


@router.get("/commits/{ref:path}/check-runs")
def list_checks(
    visit: Annotated[Visit, needs("read", "checks")], ref: str, check_name: str | None = None
) -> Shape:
    """Show the newest check of each name on a commit."""
    sha = git.resolve(visit.repository.path, ref)
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {ref}")
    checks = [check for check in latest_checks(visit.repository, sha) if check_name in (None, check["name"])]
    shown = cut_page(visit.request, visit.response, checks)
    return {
        "total_count": len(checks),
        "check_runs": [complete("check-run", check) for check in shown],
    }
