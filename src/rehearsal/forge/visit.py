"""A request that has shown its token: who asks, for which repository, with which rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request, Response

from .errors import ApiError, not_accessible, not_found
from .records import Record
from .repository import Repository
from .shapes import Addresses
from .tokens import Level, Token

if TYPE_CHECKING:
    from .forge import Forge


@dataclass(frozen=True)
class Visit:
    """What a route needs to know."""

    forge: Forge
    repository: Repository
    token: Token
    request: Request
    response: Response

    @property
    def at(self) -> Addresses:
        """The forge's addresses."""
        return self.forge.addresses

    def demand(self, level: Level, *scopes: str) -> None:
        """Refuse unless one of the scopes is open to the token.

        Raises
        ------
        ApiError
            As GitHub words it, for jobs and for people.
        """
        if self.token.allows(self.repository.name, level, *scopes):
            return
        if self.token.rights is not None:
            raise not_accessible()
        raise ApiError(403, "Must have admin rights to Repository.")

    def find(self, kind: str, key: int) -> Record:
        """Return a thing of the repository, or answer that it is not there."""
        try:
            return self.repository.get(kind, key)
        except KeyError:
            raise not_found() from None

    async def read_json(self) -> dict[str, Any]:
        """Return the body of the request."""
        return await read_json(self.request)


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body of a request."""
    if not await request.body():
        return {}
    try:
        body = await request.json()
    except ValueError:
        raise ApiError(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise ApiError(422, "Invalid request.")
    return body


def enter(request: Request, response: Response, owner: str, repo: str) -> Visit:
    """Look at the token and for the repository of a request."""
    forge: Forge = request.app.state.forge
    word, _, value = request.headers.get("authorization", "").strip().partition(" ")
    if not value:
        raise ApiError(401, "Requires authentication")
    token = forge.tokens.find(value.strip()) if word.lower() in ("token", "bearer") else None
    if token is None:
        raise ApiError(401, "Bad credentials")
    try:
        repository = forge.repository(f"{owner}/{repo}")
    except KeyError:
        raise not_found() from None
    return Visit(forge, repository, token, request, response)


def needs(level: Level, *scopes: str) -> Any:
    """Let in only those to whom one of the scopes is open."""

    def check(visit: Annotated[Visit, Depends(enter)]) -> Visit:
        visit.demand(level, *scopes)
        return visit

    return Depends(check)


Anyone = Annotated[Visit, Depends(enter)]
"""A route that is open to each good token, or looks at the rights itself."""
Body = Annotated[dict[str, Any], Depends(read_json)]
