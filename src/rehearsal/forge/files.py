"""Archives and assets, and the addresses from which they are fetched for a while without a token."""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from .errors import not_found
from .shapes import Addresses

router = APIRouter()


class Files:
    """The contents of artifacts and assets, below a folder."""

    def __init__(self, folder: Path, addresses: Addresses) -> None:
        self._folder = folder
        self._addresses = addresses
        self._secret = secrets.token_bytes(16)

    def path(self, kind: str, key: int) -> Path:
        """Return where a file lies, or will lie."""
        path = self._folder / kind / str(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def address(self, kind: str, key: int) -> str:
        """Return a signed address of a file."""
        return f"{self._addresses.server}/_files/{kind}/{key}?signature={self._sign(kind, key)}"

    def check(self, kind: str, key: int, signature: str) -> bool:
        """Return whether a signature is the forge's own."""
        return hmac.compare_digest(self._sign(kind, key).encode(), signature.encode())

    def _sign(self, kind: str, key: int) -> str:
        return hmac.new(self._secret, f"{kind}/{key}".encode(), "sha256").hexdigest()


@router.get("/_files/{kind}/{key}")
def get_file(request: Request, kind: str, key: int, signature: str = "") -> FileResponse:
    """Send a file to whoever has its signed address."""
    files: Files = request.app.state.forge.files
    if not files.check(kind, key, signature):
        raise not_found()
    return FileResponse(files.path(kind, key), media_type="application/octet-stream")
