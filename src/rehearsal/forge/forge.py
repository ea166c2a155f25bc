"""The forge itself: repositories, tokens, a server, and the news for the runner."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from . import events, git
from .app import make_app
from .files import Files
from .merging import refresh
from .records import Record, Records
from .repository import Repository
from .server import make_certificate, reserve_port, serve
from .shapes import Addresses
from .tokens import Tokens


class Forge:
    """A small GitHub, which answers while its ``with`` block lasts.

    Parameters
    ----------
    folder
        Where everything lies: ``remotes/OWNER/NAME.git``, ``records/OWNER/NAME/KIND/ID.json``,
        ``files/``, and the certificate ``authority.pem`` that clients are to trust.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._socket = reserve_port()
        self.host = f"localhost:{self._socket.getsockname()[1]}"
        self.addresses = Addresses(f"https://{self.host}")
        self.authority = self.folder / "authority.pem"
        self.records = Records(self.folder / "records")
        self.files = Files(self.folder / "files", self.addresses)
        self.tokens = Tokens()
        self.events: deque[events.Event] = deque()
        self._stack = ExitStack()

    def __enter__(self) -> Forge:
        """Start to answer."""
        make_certificate(self.folder)
        self._stack.enter_context(serve(make_app(self), self._socket, self.folder / "server.pem"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Answer no more; the folder stays."""
        self._stack.close()

    def create(self, name: str, required_checks: Sequence[str] = ()) -> Repository:
        """Make an empty repository ``OWNER/NAME`` whose pull requests need some checks."""
        git.create(self._path(name))
        return self._register(name, parent=None, required_checks=list(required_checks))

    def fork(self, name: str, owner: str) -> Repository:
        """Make another person's copy of a repository."""
        copy = f"{owner}/{name.split('/')[1]}"
        self._path(copy).parent.mkdir(parents=True, exist_ok=True)
        git.git(self.folder, "clone", "--quiet", "--bare", str(self._path(name)), str(self._path(copy)))
        return self._register(copy, parent=name, required_checks=[])

    def repository(self, name: str) -> Repository:
        """Return a repository; KeyError if there is none of that name."""
        if not self.records.list(name, "repository"):
            raise KeyError(name)
        return Repository(name, self._path(name), self.records)

    def repositories(self) -> list[Repository]:
        """Return all repositories."""
        paths = sorted(self.records.folder.glob("*/*/repository"))
        return [self.repository(f"{path.parents[1].name}/{path.parent.name}") for path in paths]

    def notice_pushes(self, actor: str) -> None:
        """Look which branches have moved since the last time, and tell of it as a push of ``actor``."""
        for repository in self.repositories():
            for branch, before in self._moved(repository):
                events.push(self, repository, branch, before, actor)
                self._notice_commits(repository, branch, actor)

    def overlook_pushes(self) -> None:
        """Take the branches as they are: what a job pushes starts nothing, on GitHub either."""
        for repository in self.repositories():
            self._moved(repository)

    def _moved(self, repository: Repository) -> list[tuple[str, str | None]]:
        """Return the branches that moved, each with where it was, and remember where they are."""
        seen: dict[str, str] = repository.record["branches"]
        heads = git.references(repository.path, "refs/heads/")
        branches = {name.removeprefix("refs/heads/"): sha for name, sha in heads.items()}
        if branches != seen:
            repository.change_itself(branches=branches)
        moved = [(name, seen.get(name)) for name, sha in branches.items() if seen.get(name) != sha]
        return sorted(moved, key=lambda branch: branch[0] != repository.default_branch)

    def _notice_commits(self, source: Repository, branch: str, actor: str) -> None:
        """Tell of new commits in open pull requests, whichever repository they are for."""
        head = {"repository": source.name, "branch": branch}
        for repository in self.repositories():
            for pull in repository.list("pulls"):
                if pull["state"] == "open" and pull["head"] == head:
                    fresh = refresh(self, repository, pull)
                    events.pull_request(self, repository, fresh, "synchronize", actor)

    def _register(self, name: str, parent: str | None, required_checks: list[str]) -> Repository:
        record: Record = {
            "full_name": name,
            "parent": parent,
            "description": None,
            "default_branch": "main",
            "required_checks": required_checks,
            # A setting that is off in a fresh repository of a person.
            "workflows_open_pulls": True,
            "branches": {},
        }
        self.records.add(name, "repository", record)
        repository = self.repository(name)
        self._moved(repository)
        return repository

    def _path(self, name: str) -> Path:
        return self.folder / "remotes" / f"{name}.git"
