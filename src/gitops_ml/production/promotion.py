"""Promotion and rollback: which version runs in production."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

from ..bundle.archive import is_packed
from ..bundle.manifest import LineageRecord, MetricsRecord, verify_bundle
from ..comparison.compare import read_comparison
from ..core.errors import LifecycleError
from ..core.layout import ARCHIVE, BUILD, BUNDLE, CARD, STATE
from ..report.console_lines import describe_failure
from .branch import (
    Branch,
    BranchMovedError,
    Deployment,
    Score,
    State,
    commit_files,
    commit_state,
    read_branch,
)
from .manifests import write_manifests


def plan_promotion(root: Path, history: list[Deployment]) -> State | None:
    """Return what production should become; None where it runs a model of the same run key.

    Parameters
    ----------
    root : Path
        The project, with a finished run and its package in ``build/``.
    history : list of Deployment
        The newest first.

    Raises
    ------
    LifecycleError
        If the run failed, a gate stands in the way, or the package is not that of the run's bundle.
    """
    build = root / BUILD
    comparison = read_comparison(build)
    failing = [describe_failure(gate) for gate in comparison.gates if gate.blocks]
    if failing:
        raise LifecycleError(f"{build} cannot be promoted: {'; '.join(failing)}.")
    verify_bundle(build / BUNDLE)
    lineage = LineageRecord.read(build / BUNDLE)
    if history and history[0].state.run_key == lineage.run_key:
        return None
    return State(
        version=max((deployment.state.version for deployment in history), default=0) + 1,
        commit=lineage.commit,
        run_key=lineage.run_key,
        bundle_sha256=_digest_package(build / ARCHIVE, build / BUNDLE),
        verdict=comparison.verdict,
        score=_read_score(build / BUNDLE),
    )


def promote(root: Path, remote: str, image: str | None, expected: int | None = None) -> State | None:
    """Put the last run's model into production, with one commit.

    Parameters
    ----------
    root : Path
        The project.
    remote : str
        Name or address of the repository whose branch ``production`` says what runs.
    image : str or None
        Name and digest of the image that serves the model. Without one, the manifests that would
        run it are left out.
    expected : int or None
        The version that it must become, as what was released and built is named after it.

    Returns
    -------
    State or None
        What runs now; None where nothing had to change.

    Raises
    ------
    LifecycleError
        As ``plan_promotion``, and if the branch cannot be read or written, a manifest is missing, or
        it would become another version. Production is as it was.
    """
    branch = read_branch(root, remote)
    planned = plan_promotion(root, branch.deployments)
    if planned is None:
        return None
    if expected not in (None, planned.version):
        raise LifecycleError(
            f"This would be model {planned.version}, but {expected} was expected: production has moved on "
            "since it was planned; deploy once more."
        )
    state = planned.model_copy(update={"image": image})
    card = (root / BUILD / BUNDLE / CARD).read_bytes()
    files = {STATE: _write(state), f"model_cards/{CARD}": card}
    if image is not None:
        files |= write_manifests(root, image, state.version)
    subject = f"Deploy model {state.version}"
    _commit(root, remote, branch, partial(commit_files, root, remote, files, subject))
    return state


def rollback(root: Path, remote: str, version: int | None) -> State:
    """Let an earlier version run again, with one commit.

    Parameters
    ----------
    root, remote
        As for ``promote``.
    version : int or None
        Which; by default the one before what runs.

    Raises
    ------
    LifecycleError
        If there is no such version, or it runs already. Production is as it was.
    """
    branch = read_branch(root, remote)
    target = find_target(branch.deployments, version)
    subject = f"Roll back to model {target.state.version}"
    _commit(root, remote, branch, partial(commit_state, root, remote, target.sha, subject))
    return target.state


def find_target(history: list[Deployment], version: int | None) -> Deployment:
    """Return the newest deployment of a version, by default of the one before what runs.

    Raises
    ------
    LifecycleError
        If there is no such version, or it runs already.
    """
    if not history:
        raise LifecycleError("Nothing has been deployed yet, so there is nothing to roll back.")
    running = history[0].state.version
    known = sorted({deployment.state.version for deployment in history})
    if version is None:
        earlier = [number for number in known if number < running]
        if not earlier:
            raise LifecycleError(f"Model {running} is the first version; there is none before it to run.")
        version = earlier[-1]
    if version == running:
        raise LifecycleError(f"Model {version} is already what runs in production.")
    if version not in known:
        raise LifecycleError(
            f"Model {version} was never in production; expected one of {', '.join(map(str, known))}."
        )
    return next(deployment for deployment in history if deployment.state.version == version)


def _commit(root: Path, remote: str, branch: Branch, commit: Callable[[str | None], None]) -> None:
    """Commit on what the branch was read to be at, or on a check of production that came since."""
    try:
        commit(branch.tip)
    except BranchMovedError:
        now = read_branch(root, remote)
        if now.deployments != branch.deployments:
            raise
        commit(now.tip)


def _read_score(bundle: Path) -> Score:
    metrics = MetricsRecord.read(bundle)
    [primary] = [metric for metric in metrics.metrics if metric.name == metrics.primary]
    return Score(metric=primary.name, estimate=primary.model)


def _digest_package(package: Path, bundle: Path) -> str:
    if not is_packed(bundle, package):
        raise LifecycleError(f"{package} is not of the last run's bundle; run 'mlops package' again.")
    return sha256(package.read_bytes()).hexdigest()


def _write(state: State) -> bytes:
    return (json.dumps(state.model_dump(), indent=2) + "\n").encode()
