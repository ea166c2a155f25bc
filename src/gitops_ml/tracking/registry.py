"""MLflow's model registry, made to agree with the branch ``production``.

Git is the truth, MLflow the notebook: nothing is ever deployed by reading an alias. So nobody has
to keep the two in step; whatever went missing is made up the next time.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..bundle.archive import unpack_bundle
from ..bundle.manifest import LineageRecord
from ..core.errors import LifecycleError
from ..core.layout import ARCHIVE, BUILD
from ..core.records import Part
from ..core.settings import PARAMS, Settings, read_settings
from ..production.branch import Deployment, State, read_history
from .models import Tracked, find_tracked, log_bundle
from .store import VARIABLE, explain_errors, find_uri, prepare_environment, require_unlocked

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
PREVIOUS = "previous"
# Tags that say which version of production a registered one is.
VERSION = "production_version"
DIGEST = "bundle_sha256"


class Registration(Part):
    """Changes of the registry, planned or made."""

    model: str
    """The name of the registered model."""
    registered: list[int]
    """Versions of production that are new there."""
    aliases: dict[str, int | None]
    """Which version of production each alias that moves names from now on; None where it goes."""
    missing: list[State]
    """What runs or ran before, and is neither tracked in MLflow nor in a package at hand."""


class Registry:
    """The registered model of a project, and what production says of it."""

    def __init__(
        self,
        client: MlflowClient,
        settings: Settings,
        root: Path,
        history: list[Deployment],
        bundles: dict[str, Path],
    ) -> None:
        """Take where it is, what ran (the newest first), and the bundles at hand by run key."""
        self._client = client
        self._experiment = settings.track.experiment
        self._name = name_model(settings)
        self._root = root
        self._bundles = bundles
        # A version ran more than once where there were rollbacks, and was always the same.
        self._states = {one.state.version: one.state for one in reversed(history)}
        running = history[0].state.version
        before = [one.state.version for one in history if one.state.version != running]
        self._wanted: dict[str, int | None] = {CHAMPION: running, PREVIOUS: before[0] if before else None}
        self._read()

    def plan(self) -> Registration:
        """Return what has to change, without changing it."""
        absent = sorted(self._states.keys() - self._registered.keys())
        possible = [number for number in absent if self._has_bundle(number) or self._find_tracked(number)]
        lost = set(absent) - set(possible)
        wanted = {alias: None if number in lost else number for alias, number in self._wanted.items()}
        return Registration(
            model=self._name,
            registered=possible,
            aliases={alias: number for alias, number in wanted.items() if self._moves(alias, number)},
            missing=[self._states[number] for number in self._wanted.values() if number in lost],
        )

    def carry_out(self, plan: Registration) -> None:
        """Make the changes of a plan, one call after the other; what is left undone, the next plan has."""
        for version in plan.registered:
            tracked = self._find_tracked(version) or self._log_bundle(version)
            self._registered[version] = self._add(self._states[version], tracked)
        for alias, target in plan.aliases.items():
            if target is None:
                self._client.delete_registered_model_alias(self._name, alias)
            else:
                self._client.set_registered_model_alias(self._name, alias, self._registered[target])

    def _read(self) -> None:
        """Read which versions of production are registered, and what the aliases name."""
        from mlflow.exceptions import MlflowException

        self._registered: dict[int, str] = {}
        self._aliases: dict[str, str] = {}
        self._exists = True
        try:
            aliases = self._client.get_registered_model(self._name).aliases
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            self._exists = False
            return
        # A database gives numbers where a server gives text.
        self._aliases = {alias: str(version) for alias, version in aliases.items()}
        states = {str(number): state for number, state in self._states.items()}
        for version in self._client.search_model_versions(f"name = '{self._name}'"):
            state = states.get(version.tags.get(VERSION, ""))
            # Of another history, where the branch was once begun anew, the digest differs.
            if state is not None and state.bundle_sha256 == version.tags.get(DIGEST):
                self._registered[state.version] = str(version.version)

    def _moves(self, alias: str, number: int | None) -> bool:
        """Return whether an alias names something else than this version of production."""
        now = self._aliases.get(alias)
        if number is None:
            return now is not None
        return now is None or now != self._registered.get(number)

    def _find_tracked(self, number: int) -> Tracked | None:
        return find_tracked(self._client, self._experiment, self._states[number])

    def _has_bundle(self, number: int) -> bool:
        return self._states[number].run_key in self._bundles

    def _log_bundle(self, number: int) -> Tracked:
        try:
            log_bundle(self._bundles[self._states[number].run_key], self._root)
        except LifecycleError as error:
            raise LifecycleError(f"Model {number} cannot be written down in MLflow: {error}") from None
        tracked = self._find_tracked(number)
        assert tracked is not None
        return tracked

    def _add(self, state: State, tracked: Tracked) -> str:
        """Register a model as the next version, and return the number that MLflow gives it."""
        if not self._exists:
            self._client.create_registered_model(self._name)
            self._exists = True
        created = self._client.create_model_version(
            self._name,
            source=tracked.source,
            run_id=tracked.run,
            model_id=tracked.model,
            tags=_tag(state),
        )
        return str(created.version)


def plan_registration(root: Path, remote: str, packages: list[Path]) -> Registration | None:
    """Return what ``register`` would change; otherwise as that."""
    with _open_registry(root, remote, packages) as registry:
        return registry.plan() if registry else None


def register(root: Path, remote: str, packages: list[Path]) -> Registration | None:
    """Register what runs in production and what ran, and let the aliases name them.

    Run again, it changes nothing.

    Parameters
    ----------
    root : Path
        The project.
    remote : str
        Name or address of the repository whose branch ``production`` says what runs.
    packages : list of Path
        Of versions that may never have been tracked in this MLflow, besides ``build/bundle.tar.gz``;
        where one is needed, a run is written down from it.

    Returns
    -------
    Registration or None
        What changed; None where nothing was ever deployed.

    Raises
    ------
    LifecycleError
        If the branch cannot be read, MLflow cannot be used, or a package is not whole.
    """
    with _open_registry(root, remote, packages) as registry:
        if registry is None:
            return None
        plan = registry.plan()
        registry.carry_out(plan)
        return plan


def name_model(settings: Settings) -> str:
    """Return the name of the registered model: that of the experiment, in letters that MLflow takes."""
    return re.sub(r"[^\w .-]", "-", settings.track.experiment).strip(" .")


def describe_registration(registration: Registration, planned: bool) -> list[str]:
    """Say what changed, or would change, one sentence each."""
    verb = "would be" if planned else "is"
    said = [f"Model {number} {verb} registered in MLflow." for number in registration.registered]
    for alias, number in registration.aliases.items():
        said.append(f"The alias {alias} {verb} {f'set to model {number}' if number else 'removed'}.")
    said += [f"Model {state.version} needs a package to be registered." for state in registration.missing]
    return said or [f"Nothing to change: {registration.model} in MLflow is what production says."]


def describe_missing(missing: list[State]) -> str:
    """Say which versions could not be registered, and what helps."""
    models = " and ".join(f"model {state.version}" for state in missing)
    releases = " and ".join(f"model-v{state.version}" for state in missing)
    return (
        f"{VARIABLE} has no run of {models}; fetch bundle.tar.gz of the release {releases} "
        "and name it: 'mlops register bundle.tar.gz'."
    )


@contextmanager
def _open_registry(root: Path, remote: str, packages: list[Path]) -> Iterator[Registry | None]:
    history = read_history(root, remote)
    if not history:
        yield None
        return
    settings, uri = read_settings(root / PARAMS), find_uri(root)
    require_unlocked(uri)
    prepare_environment()
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        bundles = _unpack([*_find_packages(root), *packages], Path(folder))
        with explain_errors(uri):
            from mlflow import MlflowClient

            yield Registry(MlflowClient(tracking_uri=uri), settings, root, history, bundles)


def _find_packages(root: Path) -> list[Path]:
    package = root / BUILD / ARCHIVE
    return [package] if package.is_file() else []


def _unpack(packages: list[Path], folder: Path) -> dict[str, Path]:
    """Return the bundles of packages, by their run keys."""
    bundles = {}
    for number, package in enumerate(packages):
        bundle = unpack_bundle(package, folder / str(number))
        bundles[LineageRecord.read(bundle).run_key] = bundle
    return bundles


def _tag(state: State) -> dict[str, str]:
    tags = {
        VERSION: str(state.version),
        DIGEST: state.bundle_sha256,
        "run_key": state.run_key,
        "verdict": state.verdict,
    }
    optional = {"commit": state.commit, "image": state.image}
    return tags | {name: value for name, value in optional.items() if value is not None}
