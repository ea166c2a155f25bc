"""A client of the forge's REST interface, for whoever is neither gh nor cml."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen


class ClientError(Exception):
    """The forge said no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{message} (HTTP {status})")
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Client:
    """Speaks for the holder of a token.

    Parameters
    ----------
    address
        Of the REST interface, or of something in it below which paths are meant.
    token
        Shown with each request.
    authority
        Who vouches for the server; by default whom the system trusts, or ``SSL_CERT_FILE`` names.
    """

    address: str
    token: str
    authority: Path | None = None
    context: ssl.SSLContext = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Read the certificate once."""
        object.__setattr__(self, "context", ssl.create_default_context(cafile=self.authority))

    def below(self, path: str) -> Client:
        """Return a client for which paths begin further down."""
        return Client(f"{self.address}/{path}", self.token, self.authority)

    def get(self, path: str = "") -> Any:
        """Ask for something."""
        return self.send("GET", path)

    def post(self, path: str, **body: Any) -> Any:
        """Make something."""
        return self.send("POST", path, body)

    def patch(self, path: str, **body: Any) -> Any:
        """Change something."""
        return self.send("PATCH", path, body)

    def put(self, path: str, **body: Any) -> Any:
        """Do what GitHub does with PUT."""
        return self.send("PUT", path, body)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a request and return the JSON of the answer, or nothing if it has none.

        Raises
        ------
        ClientError
            If the forge says no.
        """
        text = None if body is None else json.dumps(body).encode()
        answer = self.send_bytes(method, path, text, "application/json", "application/vnd.github+json")
        return json.loads(answer) if answer else None

    def download(self, path: str) -> bytes:
        """Return the content of a file, an archive or an asset."""
        return self.send_bytes(
            "GET", path, None, None, "application/octet-stream, application/vnd.github.raw"
        )

    def send_bytes(
        self, method: str, path: str, body: bytes | None, content_type: str | None, accept: str
    ) -> bytes:
        """Send a request and return the answer as it comes."""
        address = path if path.startswith("https://") else "/".join(filter(None, [self.address, path]))
        headers = {"Authorization": f"Bearer {self.token}", "Accept": accept}
        if content_type is not None:
            headers["Content-Type"] = content_type
        request = Request(address, body, headers, method=method)
        try:
            with urlopen(request, context=self.context) as answer:
                content: bytes = answer.read()
        except HTTPError as error:
            raise ClientError(error.code, _read_message(error)) from None
        return content


def _read_message(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read())["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)
