"""Routes: the repository, its branches, commits and files."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Response

from . import git
from .errors import ApiError, not_found
from .paging import cut_page
from .repository import Repository
from .required import Shape, complete
from .shapes import show_commit, show_repository
from .visit import Anyone, Body, Visit, needs

router = APIRouter()
Reader = Annotated[Visit, needs("read", "contents")]
Writer = Annotated[Visit, needs("write", "contents")]
# GitHub leaves out the content of larger files, unless they are asked for raw.
INLINE = 1024 * 1024


@router.get("")
def get_repository(visit: Anyone) -> Shape:
    """Show the repository."""
    own = visit.token.allows(visit.repository.name, "write", "contents")
    rights = {"admin": own, "maintain": own, "push": own, "triage": own, "pull": True}
    return {**show_repository(visit.repository), "permissions": rights}


@router.get("/branches")
def list_branches(visit: Reader) -> list[Shape]:
    """Show all branches in short."""
    heads = git.references(visit.repository.path, "refs/heads/")
    shown = [
        complete("short-branch", name=name.removeprefix("refs/heads/"), commit={"sha": sha})
        for name, sha in heads.items()
    ]
    return list(cut_page(visit.request, visit.response, shown))


@router.get("/branches/{branch:path}")
def get_branch(visit: Reader, branch: str) -> Shape:
    """Show a branch and its newest commit."""
    sha = visit.repository.head(branch)
    if sha is None:
        raise ApiError(404, "Branch not found")
    commit = show_commit(git.show_commit(visit.repository.path, sha))
    return complete("branch-with-protection", name=branch, commit=commit)


@router.get("/git/ref/{ref:path}")
def get_reference(visit: Reader, ref: str) -> Shape:
    """Show what a reference such as ``heads/main`` points at."""
    found = git.references(visit.repository.path, f"refs/{ref}").get(f"refs/{ref}")
    if found is None:
        raise not_found()
    return _show_reference(visit, f"refs/{ref}", found)


@router.get("/git/matching-refs/{ref:path}")
def list_references(visit: Reader, ref: str) -> list[Shape]:
    """Show the references whose names begin with a text such as ``tags/v1``."""
    kind = ref.partition("/")[0]
    found = git.references(visit.repository.path, f"refs/{kind}/")
    return [
        _show_reference(visit, name, sha) for name, sha in found.items() if name.startswith(f"refs/{ref}")
    ]


@router.post("/git/refs", status_code=201)
def create_reference(visit: Writer, body: Body) -> Shape:
    """Make a branch or a tag."""
    ref, sha = str(body.get("ref")), str(body.get("sha"))
    if git.resolve(visit.repository.path, sha) != sha:
        raise ApiError(422, "Object does not exist")
    if git.references(visit.repository.path, ref):
        raise ApiError(422, "Reference already exists")
    try:
        git.git(visit.repository.path, "update-ref", "--", ref, sha, "")
    except git.GitError:
        raise ApiError(422, "Reference name is invalid") from None
    return _show_reference(visit, ref, sha)


@router.delete("/git/refs/{ref:path}", status_code=204)
def delete_reference(visit: Writer, ref: str) -> None:
    """Remove a branch or a tag."""
    if not git.references(visit.repository.path, f"refs/{ref}").get(f"refs/{ref}"):
        raise ApiError(422, "Reference does not exist")
    git.git(visit.repository.path, "update-ref", "-d", "--", f"refs/{ref}")


def _show_reference(visit: Visit, ref: str, sha: str) -> Shape:
    kind = git.git(visit.repository.path, "cat-file", "-t", sha)
    return complete("git-ref", ref=ref, object={"type": kind, "sha": sha})


@router.get("/git/trees/{ref:path}")
def get_tree(visit: Reader, ref: str, recursive: str | None = None) -> Shape:
    """Show what lies in a commit's folder, or in all its folders where that is asked for."""
    path = visit.repository.path
    commit = git.resolve(path, ref)
    if commit is None:
        raise not_found()
    entries = git.list_folder(path, commit, "") if recursive is None else git.list_tree(path, commit)
    kept = ("path", "mode", "sha")
    tree = [{name: getattr(entry, name) for name in kept} | {"type": entry.kind} for entry in entries]
    return {"sha": commit, "truncated": False, "tree": tree}


@router.get("/commits/{ref:path}")
def get_commit(visit: Reader, ref: str) -> Any:
    """Show a commit, or only its name where that is asked for."""
    sha = find_commit(visit.repository, ref)
    if "sha" in visit.request.headers.get("accept", ""):
        return Response(sha, media_type="application/vnd.github.sha")
    return show_commit(git.show_commit(visit.repository.path, sha))


def find_commit(repository: Repository, ref: str) -> str:
    """Return the commit that a reference names, or answer that there is none."""
    sha = git.resolve(repository.path, ref)
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {ref}")
    return sha


@router.get("/contents")
def get_root(visit: Reader, ref: str | None = None) -> Any:
    """Show what lies in the repository's own folder."""
    return get_contents(visit, "", ref)


@router.get("/contents/{path:path}")
def get_contents(visit: Reader, path: str, ref: str | None = None) -> Any:
    """Show a file or a folder, in JSON or raw."""
    repository, ref = visit.repository, ref or visit.repository.default_branch
    commit = git.resolve(repository.path, ref)
    if commit is None:
        raise ApiError(404, f"No commit found for the ref {ref}")
    path = path.strip("/")
    entry = git.find_entry(repository.path, commit, path)
    if entry is None:
        raise not_found()
    if entry.kind == "tree":
        entries = git.list_folder(repository.path, commit, path)
        return [_show_entry(entry) for entry in entries]
    content = git.read_blob(repository.path, entry.sha)
    if "raw" in visit.request.headers.get("accept", ""):
        return Response(content, media_type="application/vnd.github.raw; charset=utf-8")
    return _show_entry(entry) | _inline(content)


def _inline(content: bytes) -> Shape:
    if len(content) > INLINE:
        return {"content": "", "encoding": "none"}
    return {"content": base64.encodebytes(content).decode(), "encoding": "base64"}


def _show_entry(entry: git.Entry) -> Shape:
    kind = {"blob": "file", "tree": "dir", "commit": "submodule"}[entry.kind]
    known = {"name": entry.path.rpartition("/")[2], "path": entry.path, "sha": entry.sha, "size": entry.size}
    return complete("content-directory", **known, type=kind)
