"""Who may do what: tokens of people, and tokens of jobs with the rights that their workflow asks for."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Level = Literal["read", "take part", "write"]
"""``take part`` is what anybody may do in a public repository: comment, open pull requests."""
Rights = Mapping[str, str]
BOT = "github-actions[bot]"
SCOPES = (
    "actions",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "id-token",
    "issues",
    "models",
    "packages",
    "pages",
    "pull-requests",
    "security-events",
    "statuses",
)


@dataclass(frozen=True)
class Token:
    """What a request shows about who makes it."""

    value: str
    login: str
    repository: str | None = None
    """Of a job's token: the one repository for which it holds."""
    rights: Rights | None = None
    """Of a job's token: ``read`` or ``write`` for each scope; a scope that is not in it is closed."""

    def allows(self, repository: str, level: Level, *scopes: str) -> bool:
        """Return whether one of the scopes is open to the token in a repository.

        Repositories are public: people read everything, take part everywhere and write to what
        they own. A job has the rights it was given in its own repository, and reads the others.
        """
        owner = repository.split("/")[0]
        if self.rights is None:
            return level != "write" or owner == self.login
        if repository != self.repository:
            return level == "read"
        enough = {"write"} if level != "read" else {"read", "write"}
        return any(self.rights.get(scope) in enough for scope in scopes)


class Tokens:
    """All tokens that the forge has handed out."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    def for_person(self, login: str) -> Token:
        """Hand out a token that may do whatever a person may."""
        return self._keep(Token(f"ghp_{secrets.token_hex(18)}", login))

    def for_job(self, repository: str, rights: Rights) -> Token:
        """Hand out a token for the jobs of a run."""
        return self._keep(Token(f"ghs_{secrets.token_hex(18)}", BOT, repository, dict(rights)))

    def withdraw(self, token: Token) -> None:
        """Make a token worthless, as GitHub does when a job ends."""
        self._tokens.pop(token.value, None)

    def find(self, value: str) -> Token | None:
        """Return the token with that value."""
        return self._tokens.get(value)

    def _keep(self, token: Token) -> Token:
        self._tokens[token.value] = token
        return token
