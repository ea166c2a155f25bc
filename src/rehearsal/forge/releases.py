"""Routes: releases and their assets, where bundles lie."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from . import git
from .errors import ApiError, invalid, not_found
from .paging import cut_page
from .records import Record, now
from .required import Shape, complete
from .shapes import show_user
from .visit import Body, Visit, needs

router = APIRouter()
uploads = APIRouter()
Reader = Annotated[Visit, needs("read", "contents")]
Writer = Annotated[Visit, needs("write", "contents")]


@router.get("/releases")
def list_releases(visit: Reader) -> list[Shape]:
    """Show releases, the newest first."""
    releases = list(reversed(visit.repository.list("releases")))
    return [_show(visit, record) for record in cut_page(visit.request, visit.response, releases)]


@router.post("/releases", status_code=201)
def create_release(visit: Writer, body: Body) -> Shape:
    """Release a commit; its tag is made unless it is there."""
    tag = str(body.get("tag_name", ""))
    if any(record["tag_name"] == tag for record in visit.repository.list("releases")):
        raise invalid("Release", "tag_name", "already_exists")
    target = str(body.get("target_commitish") or visit.repository.default_branch)
    if not body.get("draft"):
        _tag(visit, tag, target)
    record = {
        "tag_name": tag,
        "target_commitish": target,
        "name": body.get("name") or tag,
        "body": body.get("body") or "",
        "draft": bool(body.get("draft")),
        "prerelease": bool(body.get("prerelease")),
        "login": visit.token.login,
        "published_at": None if body.get("draft") else now(),
    }
    return _show(visit, visit.repository.add("releases", record))


def _tag(visit: Visit, tag: str, target: str) -> None:
    path = visit.repository.path
    if git.references(path, f"refs/tags/{tag}"):
        return
    sha = git.resolve(path, target)
    if sha is None:
        raise invalid("Release", "target_commitish", "invalid")
    try:
        git.git(path, "update-ref", "--", f"refs/tags/{tag}", sha, "")
    except git.GitError:
        raise invalid("Release", "tag_name", "custom", "tag_name is not a valid tag") from None


@router.get("/releases/latest")
def get_latest(visit: Reader) -> Shape:
    """Show the newest release that is neither a draft nor a preview."""
    for record in reversed(visit.repository.list("releases")):
        if not record["draft"] and not record["prerelease"]:
            return _show(visit, record)
    raise not_found()


# gh asks only whether it is there.
@router.api_route("/releases/tags/{tag:path}", methods=["GET", "HEAD"])
def get_tagged(visit: Reader, tag: str) -> Shape:
    """Show the release of a tag."""
    for record in visit.repository.list("releases"):
        if record["tag_name"] == tag and not record["draft"]:
            return _show(visit, record)
    raise not_found()


@router.get("/releases/assets/{key}")
def get_asset(visit: Reader, key: int) -> Any:
    """Show what is known of an asset, or send on to its content where that is asked for."""
    asset = visit.find("assets", key)
    if "application/octet-stream" in visit.request.headers.get("accept", ""):
        return RedirectResponse(visit.forge.files.address("assets", asset["id"]), 302)
    return _show_asset(visit, asset)


@router.get("/releases/{key}")
def get_release(visit: Reader, key: int) -> Shape:
    """Show a release."""
    return _show(visit, visit.find("releases", key))


@router.patch("/releases/{key}")
def edit_release(visit: Writer, key: int, body: Body) -> Shape:
    """Change what a release says; a draft that becomes none gets its tag."""
    record = visit.find("releases", key)
    known = ("tag_name", "target_commitish", "name", "body", "draft", "prerelease")
    changes = {name: body[name] for name in known if name in body}
    if record["draft"] and changes.get("draft") is False:
        merged = record | changes
        _tag(visit, merged["tag_name"], merged["target_commitish"])
        changes["published_at"] = now()
    return _show(visit, visit.repository.change("releases", key, **changes))


@router.delete("/releases/{key}", status_code=204)
def delete_release(visit: Writer, key: int) -> None:
    """Forget a release and its assets; its tag stays."""
    release = visit.find("releases", key)
    for asset in _find_assets(visit, release):
        visit.repository.remove("assets", asset["id"])
    visit.repository.remove("releases", key)


@router.get("/releases/{key}/assets")
def list_assets(visit: Reader, key: int) -> list[Shape]:
    """Show the assets of a release."""
    assets = _find_assets(visit, visit.find("releases", key))
    return [_show_asset(visit, record) for record in cut_page(visit.request, visit.response, assets)]


@uploads.post("/releases/{key}/assets", status_code=201)
async def upload_asset(visit: Writer, key: int, request: Request, name: str = "", label: str = "") -> Shape:
    """Take an asset, byte for byte."""
    release = visit.find("releases", key)
    if not name or "/" in name:
        raise ApiError(422, "Invalid name for request")
    if any(asset["name"] == name for asset in _find_assets(visit, release)):
        raise invalid("ReleaseAsset", "name", "already_exists")
    content = await request.body()
    record = {
        "release": release["id"],
        "name": name,
        "label": label,
        "content_type": request.headers.get("content-type", "application/octet-stream"),
        "size": len(content),
        "digest": f"sha256:{sha256(content).hexdigest()}",
        "login": visit.token.login,
    }
    asset = visit.repository.add("assets", record)
    visit.forge.files.path("assets", asset["id"]).write_bytes(content)
    return _show_asset(visit, asset)


def _find_assets(visit: Visit, release: Record) -> list[Record]:
    return [asset for asset in visit.repository.list("assets") if asset["release"] == release["id"]]


def _show(visit: Visit, record: Record) -> Shape:
    path = f"repos/{visit.repository.name}/releases/{record['id']}"
    return complete(
        "release",
        record,
        body=record["body"],
        url=f"{visit.at.api}/{path}",
        html_url=f"{visit.at.server}/{visit.repository.name}/releases/tag/{record['tag_name']}",
        upload_url=f"{visit.at.server}/api/uploads/{path}/assets{{?name,label}}",
        author=show_user(record["login"]),
        assets=[_show_asset(visit, asset) for asset in _find_assets(visit, record)],
    )


def _show_asset(visit: Visit, asset: Record) -> Shape:
    url = f"{visit.at.repository(visit.repository.name)}/releases/assets/{asset['id']}"
    return complete("release-asset", asset, url=url, uploader=show_user(asset["login"]))
