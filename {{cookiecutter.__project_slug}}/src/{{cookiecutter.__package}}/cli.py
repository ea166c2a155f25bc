"""``mlops``: the lifecycle from the command line."""

from __future__ import annotations

import atexit
import gc
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from .pipeline.errors import LifecycleError

if TYPE_CHECKING:
    from .pipeline.records import Records
    from .pipeline.run import Run


class Verbs(TyperGroup):
    """Commands whose expected problems end in one sentence and exit status 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; say expected problems instead of showing a traceback."""
        try:
            return super().invoke(ctx)
        except LifecycleError as error:
            _say_error(str(error))
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo("Interrupted; build/ is as it was.", err=True)
            raise typer.Exit(130) from None


def _check_image(image: str | None) -> str | None:
    from .pipeline.manifests import IMAGE

    if image is not None and not IMAGE.fullmatch(image):
        raise typer.BadParameter(f"{image!r} is no image by digest; expected NAME@sha256:DIGEST.")
    return image


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From data to a model that can be trusted: validate, train, evaluate, compare, report.",
)
data_app = typer.Typer(no_args_is_help=True, help="See and accept data.")
app.add_typer(data_app, name="data")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
Champion = Annotated[
    Path | None,
    typer.Option(help="Folder of the champion's bundle; by default champion/, where it is there."),
]
Package = Annotated[Path | None, typer.Argument(help="By default build/bundle.tar.gz.")]
Packages = Annotated[
    list[Path] | None,
    typer.Argument(help="Packages of versions that MLflow may not know, besides build/bundle.tar.gz."),
]
Remote = Annotated[
    str, typer.Option(help="The repository, by name or address, that has the branch production.")
]
Image = Annotated[
    str | None,
    typer.Option(
        metavar="NAME@sha256:DIGEST",
        callback=_check_image,
        help="The image that serves the model; k8s/ and compose.yaml run it.",
    ),
]
Out = Annotated[Path, typer.Option(help="Folder to write; an earlier site in it is replaced.")]
Expect = Annotated[
    int | None, typer.Option(metavar="VERSION", help="Change nothing if it would become another version.")
]
Plan = Annotated[bool, typer.Option("--plan", help="Only say what would change.")]
To = Annotated[
    int | None, typer.Option(metavar="VERSION", help="Which; by default the one before what runs.")
]
Files = Annotated[list[str] | None, typer.Argument(help="Files; by default all new and changed ones.")]
Valid = Annotated[
    bool, typer.Option("--valid", help="Accept the new files that keep the contract; leave the others out.")
]
Replace = Annotated[bool, typer.Option("--replace", help="Forget all files accepted before.")]


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        name = (__package__ or "").partition(".")[0]
        typer.echo(f"{name} {version(name.replace('_', '-'))}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Read the options that come before the command."""


@app.command()
def run(as_json: AsJson = False, champion: Champion = None) -> None:
    """Do every stage; do nothing if nothing has changed."""
    from .pipeline.lifecycle import find_finished, perform
    from .pipeline.run import Run
    from .pipeline.settings import PARAMS, read_settings

    try:
        records = find_finished(Path(), read_settings(Path(PARAMS)), champion)
    except LifecycleError:
        records = None  # The run meets the same problem, and writes the report of it.
    unchanged = records is not None
    if records is None:
        _collect_rarely()
        records = perform(Path(), _open_console(), Run.run_all, champion)
    _print_outcome(records, unchanged, as_json)


@app.command()
def validate() -> None:
    """Hold the accepted data against the contract."""
    _perform(lambda run: run.validate())


@app.command()
def train() -> None:
    """Train the candidates and select the challenger."""
    _perform(lambda run: run.train(run.validate()))


@app.command()
def evaluate() -> None:
    """Measure the trained challenger on the test part, and write the bundle."""

    def stages(run: Run) -> None:
        split = run.validate()
        run.evaluate(split, run.recall())

    _perform(stages)


@app.command()
def compare(champion: Champion = None) -> None:
    """Compare with the champion again, with the gates as they are now in params.yaml."""

    def stages(run: Run) -> None:
        run.resume()
        split = run.validate()
        run.compare(split, run.recall())
        run.report()

    _perform(stages, champion)


@app.command()
def report() -> None:
    """Write report.md and report.html again."""

    def stages(run: Run) -> None:
        run.resume()
        run.report()

    _perform(stages)
    typer.echo("build/report.md, build/report.html")


@app.command()
def card() -> None:
    """Write the model card again, after its human sections have changed."""

    def stages(run: Run) -> None:
        run.resume()
        run.write_card(run.recall())

    _perform(stages)
    typer.echo("build/model_card.md")


@app.command()
def gate(as_json: AsJson = False) -> None:
    """Exit with status 1 unless the last run finished and every gate holds."""
    from .pipeline.build import BUILD
    from .pipeline.records import ComparisonRecord, RunRecord
    from .pipeline.summary import describe_failure, describe_success

    build = Path(BUILD)
    last = RunRecord.read(build)
    if last.status == "failed":
        raise LifecycleError(f"the run failed at stage {last.stage}: {last.error}")
    comparison = ComparisonRecord.read(build)
    if as_json:
        gates = [gate.model_dump() for gate in comparison.gates]
        typer.echo(json.dumps({"passed": comparison.passed, "gates": gates}))
    for failing in (gate for gate in comparison.gates if gate.blocks):
        _say_error(describe_failure(failing))
    if not comparison.passed:
        raise typer.Exit(1)
    if not as_json:
        typer.echo(describe_success(comparison))


@app.command()
def package() -> None:
    """Write the last run's bundle into one file, to be released, and what it is made of into another."""
    from .pipeline.build import BUILD
    from .pipeline.champion import BUNDLE
    from .pipeline.package import PACKAGE, pack_bundle
    from .pipeline.sbom import SBOM, read_needs, write_sbom

    build = Path(BUILD)
    bundle, path, bill = build / BUNDLE, build / PACKAGE, build / SBOM
    needs = read_needs(bundle)
    digest = pack_bundle(bundle, path)
    write_sbom(bundle, digest, needs, bill)
    typer.echo(f"{digest}  {path.as_posix()}")
    typer.echo(f"{bill.as_posix()} lists what it needs.", err=True)


@app.command()
def smoke(package: Package = None, as_json: AsJson = False) -> None:
    """Prove that a package works: serve it in a clean environment, and ask what it was asked when made."""
    from .pipeline.build import BUILD
    from .pipeline.package import PACKAGE
    from .pipeline.smoke import smoke

    path = package or Path(BUILD) / PACKAGE
    proof = smoke(path, Path())
    seen = {"ready_seconds": round(proof.ready_seconds, 2), "latency_ms": round(proof.latency_ms, 2)}
    if as_json:
        typer.echo(json.dumps({"run_key": proof.lineage.run_key, **seen}))
        return
    typer.echo(
        f"{path.as_posix()} works: {proof.lineage.challenger} of commit "
        f"{(proof.lineage.commit or 'unknown')[:12]}; its first start took {proof.ready_seconds:.1f} s, "
        f"a row takes {proof.latency_ms:.1f} ms."
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
    from .pipeline import production, promotion

    root = Path()
    if plan:
        state = promotion.plan_promotion(root, production.read_history(root, remote))
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
    from .pipeline import production, promotion

    root = Path()
    if plan:
        state = promotion.find_target(production.read_history(root, remote), to).state
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
    from .pipeline.store import VARIABLE, is_named

    if not is_named():
        typer.echo("null" if as_json else f"Nothing to register: {VARIABLE} is not set.")
        return
    from .pipeline import registry

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
    from .pipeline.production import describe_deployment, read_history

    history = read_history(Path(), remote)
    if as_json:
        typer.echo(json.dumps([deployment.model_dump() for deployment in history]))
        return
    if not history:
        typer.echo("Nothing has been deployed yet.")
    for place, deployment in enumerate(history):
        typer.echo(f"{' ' if place else '*'} {describe_deployment(deployment)}")


@app.command()
def site(out: Out = Path("site"), remote: Remote = "origin") -> None:
    """Write static pages about production: what runs, what ran, how it is doing."""
    from .monitoring.site import build_site

    pages = build_site(Path(), remote, out)
    count = "1 page" if len(pages) == 1 else f"{len(pages)} pages"
    typer.echo(f"{count} about production: open {(out / pages[0]).as_posix()}.")


@app.command()
def serve(
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle.")] = Path("build/bundle"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    check: Annotated[bool, typer.Option("--check", help="Only tell whether it could be served.")] = False,
) -> None:
    """Answer HTTP requests with the model of a bundle."""
    from .pipeline.settings import PARAMS, read_settings
    from .serving import server

    settings = read_settings(Path(PARAMS)).serve
    if check:
        server.check(bundle)
        typer.echo(f"{bundle.as_posix()} can be served.")
    else:
        server.serve(bundle, settings, host, port)


@app.command()
def monitor(champion: Champion = None, remote: Remote = "origin", as_json: AsJson = False) -> None:
    """Look at production: whether data are as they were, the model as good, and the service well."""
    from datetime import UTC, datetime

    from .monitoring.history import brief, read_looks_at
    from .monitoring.look import look
    from .monitoring.output import write_output
    from .monitoring.retraining import find_start
    from .monitoring.summary import describe_record
    from .monitoring.traffic import read_traffic
    from .pipeline.build import BUILD
    from .pipeline.champion import locate_champion, read_champion
    from .pipeline.production import Branch, read_branch
    from .pipeline.settings import PARAMS, read_settings

    root, now = Path(), datetime.now(UTC)
    settings, bundle = read_settings(Path(PARAMS)), locate_champion(root, champion)
    if bundle is None:
        raise LifecycleError(
            "champion/bundle is missing: no model to watch; fetch what runs in production to champion/, "
            "or name a bundle with 'mlops monitor --champion build/bundle'."
        )
    watched = read_champion(bundle)
    try:
        branch = read_branch(root, remote)
    except LifecycleError as problem:
        branch = Branch(tip=None, deployments=[])
        typer.echo(f"Looking without what was seen before. {problem}", err=True)
    looks = read_looks_at(root, branch.tip) if branch.tip else []
    traffic = read_traffic(settings, watched.contract, now)
    since = find_start(branch.deployments, watched.version)
    record = look(settings, root, watched, looks, now, since, traffic)
    folder = write_output(Path(BUILD), record, [*looks, brief(record)])
    typer.echo(record.model_dump_json() if as_json else "\n".join(describe_record(record)))
    typer.echo(f"{folder.as_posix()}/monitoring.html shows it in full.", err=True)


@app.command()
def record(remote: Remote = "origin") -> None:
    """Keep the last look on the branch production, for trends; nothing of what runs changes."""
    from .monitoring.history import FOLDER, brief, record_look
    from .monitoring.records import MonitoringRecord
    from .pipeline.build import BUILD

    last = MonitoringRecord.read(Path(BUILD) / FOLDER)
    record_look(Path(), remote, last, brief(last))
    typer.echo(f"The look of {last.time} is kept on the branch production.")


@app.command()
def ui() -> None:
    """Open MLflow's pages about the runs, on this machine only."""
    from .pipeline.store import start_ui

    start_ui(Path())


@data_app.command("status")
def data_status(as_json: AsJson = False) -> None:
    """Show which files are accepted, new, changed or missing."""
    from .pipeline.lock import inspect
    from .pipeline.settings import PARAMS, read_settings

    status = inspect(read_settings(Path(PARAMS)), Path())
    if as_json:
        typer.echo(status.model_dump_json())
        return
    for state, paths in status.model_dump().items():
        for path in paths:
            typer.echo(f"{state:<9} {path}")
    if status.new or status.changed or status.missing:
        typer.echo("\nAccept files with: mlops data accept FILE ...", err=True)


@data_app.command("fetch")
def data_fetch(as_json: AsJson = False) -> None:
    """Copy the new files that are delivered where data.fetch says, to where data.source names them."""
    from .pipeline.fetching import Fetched, fetch, find_obstacle
    from .pipeline.settings import PARAMS, read_settings

    data = read_settings(Path(PARAMS)).data
    obstacle = find_obstacle(data)
    fetched = Fetched(files=[], left={}) if obstacle else fetch(data, Path())
    if as_json:
        typer.echo(fetched.model_dump_json())
        return
    typer.echo(obstacle or "\n".join(fetched.files) or "Nothing new has been delivered.")
    for reason in fetched.left.values():
        typer.echo(f"Left for the next time: {reason}", err=True)


@data_app.command("accept")
def data_accept(
    files: Files = None, replace: Replace = False, valid: Valid = False, as_json: AsJson = False
) -> None:
    """Validate files against the contract and write data.lock."""
    from .pipeline import acceptance
    from .pipeline.lock import LOCK
    from .pipeline.settings import PARAMS, read_settings
    from .pipeline.validation import check

    if valid and (files or replace):
        raise typer.BadParameter("--valid looks at all new files; it goes with neither FILES nor --replace.")
    settings = read_settings(Path(PARAMS))

    def judge(frame: Any) -> Any:
        return check(frame, settings)

    if valid:
        done = acceptance.accept_valid(settings, Path(), judge)
    else:
        done = acceptance.accept(settings, Path(), files or [], replace, judge)
    if as_json:
        typer.echo(done.model_dump_json())
    for reason in [] if as_json else done.left_out.values():
        typer.echo(f"Left out: {reason}", err=True)
    if done.left_out and not done.accepted:
        raise LifecycleError(f"No new file keeps the contract; {LOCK} is as it was.")
    if as_json:
        return
    count = "1 file" if done.files == 1 else f"{done.files} files"
    typer.echo(f"{LOCK} lists {count} with {done.rows:,} rows; commit it to train on them.")


def _perform(stages: Callable[[Run], Any], champion: Path | None = None) -> Records:
    from .pipeline.lifecycle import perform

    _collect_rarely()
    return perform(Path(), _open_console(), stages, champion)


def _collect_rarely() -> None:
    """Spare the garbage collector, which takes a sixth of a run to walk what libraries have built up."""
    gc.set_threshold(200_000, 50, 100)
    atexit.register(gc.freeze)


def _open_console() -> Any:
    from .console import open_console

    return open_console()


def _print_outcome(records: Records, unchanged: bool, as_json: bool) -> None:
    from .pipeline.summary import describe_comparison

    assert records.comparison is not None
    if as_json:
        run, comparison = records.run.model_dump(), records.comparison.model_dump()
        typer.echo(json.dumps({"unchanged": unchanged, "run": run, "comparison": comparison}))
        return
    if unchanged:
        typer.echo(f"Nothing has changed since the run of {records.run.started}: reused build/ as it is.")
    typer.echo(f"Verdict: {describe_comparison(records.comparison)}")
    typer.echo("Report:  build/report.md, build/report.html")


def _say_error(sentence: str) -> None:
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from .console import escape_annotation

        sentence = f"::error title=mlops::{escape_annotation(sentence)}"
    else:
        sentence = f"Error: {sentence}"
    print(sentence, file=sys.stderr)
