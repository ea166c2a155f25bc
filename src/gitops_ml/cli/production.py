"""From a finished run to a model that answers: package, prove, promote, roll back, serve."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from ..core.errors import LifecycleError
from .options import AsJson, Expect, Image, Package, Packages, Plan, Remote, To

app = typer.Typer()


@app.command()
def package() -> None:
    """Write the last run's bundle into one file, to be released, and what it is made of into another."""
    from ..bundle.archive import pack_bundle
    from ..bundle.sbom import SBOM, read_needs, write_sbom
    from ..core.layout import ARCHIVE, BUILD, BUNDLE

    build = Path(BUILD)
    bundle, path, bill = build / BUNDLE, build / ARCHIVE, build / SBOM
    needs = read_needs(bundle)
    digest = pack_bundle(bundle, path)
    write_sbom(bundle, digest, needs, bill)
    typer.echo(f"{digest}  {path.as_posix()}")
    typer.echo(f"{bill.as_posix()} lists what it needs.", err=True)


@app.command()
def smoke(package: Package = None, as_json: AsJson = False) -> None:
    """Prove that a package works: serve it in a clean environment, and ask what it was asked when made."""
    from ..core.layout import ARCHIVE, BUILD
    from ..production.smoke.smoke import smoke

    path = package or Path(BUILD) / ARCHIVE
    result = smoke(path, Path())
    seen = {"ready_seconds": round(result.ready_seconds, 2), "latency_ms": round(result.latency_ms, 2)}
    if as_json:
        typer.echo(json.dumps({"run_key": result.lineage.run_key, **seen}))
        return
    typer.echo(
        f"{path.as_posix()} works: {result.lineage.challenger} of commit "
        f"{(result.lineage.commit or 'unknown')[:12]}; its first start took {result.ready_seconds:.1f} s, "
        f"a row takes {result.latency_ms:.1f} ms."
    )


@app.command()
def promote(
    remote: Remote = "origin",
    image: Image = None,
    expect: Expect = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Put the last run's model into production: one commit on the branch production."""
    from ..production import promotion
    from ..production.branch import read_history

    root = Path()
    if plan:
        state = promotion.plan_promotion(root, read_history(root, remote))
    else:
        state = promotion.promote(root, remote, image, expect)
    if as_json:
        typer.echo(json.dumps(state.model_dump() if state else None))
    elif state is None:
        typer.echo("Nothing to deploy: production runs a model of the same run key.")
    else:
        typer.echo(f"Model {state.version} {'would be' if plan else 'is'} in production.")
        if not plan and image is None:
            typer.echo("No --image was named, so k8s/ and compose.yaml are left out.", err=True)


@app.command()
def rollback(to: To = None, remote: Remote = "origin", plan: Plan = False, as_json: AsJson = False) -> None:
    """Let an earlier version run again: one commit on the branch production."""
    from ..production import promotion
    from ..production.branch import read_history

    root = Path()
    if plan:
        state = promotion.find_target(read_history(root, remote), to).state
    else:
        state = promotion.rollback(root, remote, to)
    if as_json:
        typer.echo(json.dumps(state.model_dump()))
    else:
        typer.echo(f"Model {state.version} {'would be' if plan else 'is'} in production again.")


@app.command()
def register(
    packages: Packages = None, remote: Remote = "origin", plan: Plan = False, as_json: AsJson = False
) -> None:
    """Let MLflow's model registry say what production says; change nothing where it does."""
    from ..tracking.store import VARIABLE, is_named

    if not is_named():
        typer.echo("null" if as_json else f"Nothing to register: {VARIABLE} is not set.")
        return
    from ..tracking import registry

    act = registry.plan_registration if plan else registry.register
    registration = act(Path(), remote, packages or [])
    if as_json:
        typer.echo(json.dumps(registration.model_dump() if registration else None))
    elif registration is None:
        typer.echo("Nothing to register: nothing has been deployed yet.")
    else:
        typer.echo("\n".join(registry.describe_registration(registration, plan)))
    if registration and registration.missing and not plan:
        raise LifecycleError(registry.describe_missing(registration.missing))


@app.command()
def status(remote: Remote = "origin", as_json: AsJson = False) -> None:
    """Show what runs in production, since when, and what ran before."""
    from ..production.branch import describe_deployment, read_history

    history = read_history(Path(), remote)
    if as_json:
        typer.echo(json.dumps([deployment.model_dump() for deployment in history]))
        return
    if not history:
        typer.echo("Nothing has been deployed yet.")
    for place, deployment in enumerate(history):
        typer.echo(f"{' ' if place else '*'} {describe_deployment(deployment)}")
