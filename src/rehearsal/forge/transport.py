"""Git over HTTPS: anybody fetches, and whoever may write to the contents pushes."""

from __future__ import annotations

import base64
import binascii
import os
import subprocess
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from .tokens import Token

if TYPE_CHECKING:
    from .forge import Forge

router = APIRouter()
PUSH = "git-receive-pack"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="GitHub"'}


@router.api_route("/{owner}/{name}.git/{service:path}", methods=["GET", "POST"])
async def speak(request: Request, owner: str, name: str, service: str) -> Response:
    """Let Git's own server answer, if the token in the request may do what is asked for."""
    forge: Forge = request.app.state.forge
    repository = f"{owner}/{name}"
    given = request.headers.get("authorization")
    token = _find_token(forge, given)
    if given and token is None:
        return Response("Invalid username or token.", 401, CHALLENGE)
    if PUSH in (service, request.query_params.get("service")):
        if token is None:
            return Response("Authentication required.", 401, CHALLENGE)
        if not token.allows(repository, "write", "contents"):
            return Response(f"Permission to {repository}.git denied to {token.login}.", 403)
    try:
        forge.repository(repository)
    except KeyError:
        return Response("Repository not found.", 404)
    body = await request.body()
    return await run_in_threadpool(_answer, forge, request, token, body)


def _find_token(forge: Forge, header: str | None) -> Token | None:
    """Return the token that stands in for a password, whatever the name."""
    word, _, encoded = (header or "").partition(" ")
    if word.lower() != "basic":
        return None
    try:
        return forge.tokens.find(base64.b64decode(encoded).decode().partition(":")[2])
    except (binascii.Error, UnicodeDecodeError):
        return None


def _answer(forge: Forge, request: Request, token: Token | None, body: bytes) -> Response:
    """Call ``git http-backend`` as a web server would."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    asked = {
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROJECT_ROOT": str(forge.folder / "remotes"),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "GIT_CONFIG_NOSYSTEM": "1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "PATH_INFO": request.url.path,
        "QUERY_STRING": request.url.query,
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_USER": token.login if token else "",
        "REQUEST_METHOD": request.method,
    }
    command = ["git", "-c", "safe.directory=*", "http-backend"]
    ended = subprocess.run(command, env=kept | asked, input=body, capture_output=True, check=True)
    head, _, content = ended.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    status = int(headers.pop("Status", "200").split()[0])
    return Response(content, status, headers)
