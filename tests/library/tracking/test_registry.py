"""MLflow's registry says what the branch production says, whatever happened to either."""

from __future__ import annotations

import io
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitops_ml.core.settings import read_settings
from gitops_ml.tracking import models, registry, store, tracker
from servers import find_postgres, run_mlflow, run_postgres
from toys import deploy, edit_params, git, make_next_model, mlops, run

if TYPE_CHECKING:
    from mlflow import MlflowClient

NOTHING = "Nothing to change: {} in MLflow is what production says.\n"


@pytest.fixture
def mine(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose models are written down in its own process, which is quicker than in another."""
    monkeypatch.setattr(registry, "log_bundle", log_here)
    return deploying


def log_here(bundle: Path, root: Path) -> None:
    """Write a bundle down as a process of its own would, what MLflow prints left out."""
    from gitops_ml.bundle.bundle import load_bundle
    from gitops_ml.tracking.tracker import open_tracker

    with redirect_stdout(io.StringIO()):
        open_tracker(read_settings(root / "params.yaml"), root).log_bundle(load_bundle(bundle))


def connect() -> MlflowClient:
    """Return a client of the MLflow that the environment names."""
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=os.environ[store.VARIABLE])


def find_name(root: Path) -> str:
    """Return the name of the registered model."""
    return registry.name_model(read_settings(root / "params.yaml"))


def read_registry(root: Path) -> tuple[list[str], dict[str, str]]:
    """Return which versions of production are registered, in order, and which each alias names."""
    client, name = connect(), find_name(root)
    tags = {int(one.version): one.tags["production_version"] for one in list_versions(root)}
    aliases = client.get_registered_model(name).aliases
    ordered = [tags[version] for version in sorted(tags)]
    return ordered, {alias: tags[int(version)] for alias, version in aliases.items()}


def list_versions(root: Path) -> list[Any]:
    """Return the versions of the registered model."""
    return list(connect().search_model_versions(f"name = '{find_name(root)}'"))


def tell_story(root: Path) -> None:
    """Deploy, deploy another, roll back, and run again: the story of a registry."""
    deploy(root, "a")
    assert {"registered": [1], "aliases": {"champion": 1}} == register()
    deploy(root, "b")
    assert {"registered": [2], "aliases": {"champion": 2, "previous": 1}} == register()
    run("rollback")
    assert {"registered": [], "aliases": {"champion": 1, "previous": 2}} == register()
    assert NOTHING.format(find_name(root)) == run("register").output
    assert (["1", "2"], {"champion": "1", "previous": "2"}) == read_registry(root)
    check_answers(root)


def register(*words: str) -> dict[str, object]:
    """Return what changed."""
    said = json.loads(run("register", "--json", *words).output)
    return {"registered": said["registered"], "aliases": said["aliases"]}


def check_answers(root: Path) -> None:
    """Load the champion as anybody may, and let it answer ``golden.json``."""
    import mlflow

    from gitops_ml.bundle.golden import replay_golden
    from gitops_ml.contract.export import ContractRecord

    with tracker._use_store(os.environ[store.VARIABLE]):
        model = mlflow.sklearn.load_model(f"models:/{find_name(root)}@champion")
    contract = ContractRecord.read(root / "build/bundle")
    assert replay_golden(model, root / "build/bundle", contract)


def test_server_on_sqlite(mine: Path, accepted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The story on a server that anybody can start."""
    shutil.copy(accepted / "mlflow.db", mine / "server.db")
    with run_mlflow(mine, f"sqlite:///{mine}/server.db") as address:
        monkeypatch.setenv(store.VARIABLE, address)
        tell_story(mine)


@pytest.mark.skipif(find_postgres() is None, reason="PostgreSQL is not installed")
def test_server_on_postgresql(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The story on a server as teams have it."""
    programs = find_postgres()
    assert programs is not None
    with run_postgres(programs) as database, run_mlflow(mine, database) as address:
        monkeypatch.setenv(store.VARIABLE, address)
        tell_story(mine)


def test_tracked_model_is_registered(deploying: Path) -> None:
    """A model that `mlops run` logged is not logged again; its version leads to that run."""
    run("promote")
    run("register")
    [version] = list_versions(deploying)
    assert json.loads((deploying / "build/run.json").read_text())["mlflow_run"] == version.run_id
    check_answers(deploying)


def test_tags(mine: Path) -> None:
    """A version says which one of production it is, and where that came from."""
    make_next_model(mine, "a", commit="c0ffee")
    run("promote", "--image", "registry.example.org/me/model@sha256:" + 64 * "a")
    run("register")
    [version] = list_versions(mine)
    model = json.loads(git(mine / "remote.git", "show", "production:model.json"))
    names = ("commit", "run_key", "verdict", "bundle_sha256", "image")
    assert {name: model[name] for name in names} | {"production_version": "1"} == version.tags
    assert ("c0ffee", "a") == (version.tags["commit"], version.tags["run_key"])


def test_run_of_the_same_commit_is_preferred(deploying: Path) -> None:
    """Of many runs with one run key, the version leads to that of the deployed commit."""
    state = production_state(deploying, commit="c0ffee")
    client = connect()
    [mine] = [one for one in all_runs(client) if "run_key" in one.data.tags]
    experiment = read_settings(deploying / "params.yaml").track.experiment
    later = log_again(deploying)
    assert later == getattr(models.find_tracked(client, experiment, state), "run", None)
    client.set_tag(mine.info.run_id, "mlflow.source.git.commit", "c0ffee")
    assert mine.info.run_id == getattr(models.find_tracked(client, experiment, state), "run", None)


def production_state(root: Path, **changes: object) -> Any:
    """Return what production would say of the finished run."""
    from gitops_ml.production.promotion import plan_promotion

    state = plan_promotion(root, [])
    assert state is not None
    return state.model_copy(update=changes)


def all_runs(client: MlflowClient) -> list[Any]:
    """Return the runs of all experiments."""
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return list(client.search_runs(experiments))


def log_again(root: Path) -> str:
    """Write the finished run down once more, and return the id."""
    known = {one.info.run_id for one in all_runs(connect())}
    log_here(root / "build/bundle", root)
    [new] = {one.info.run_id for one in all_runs(connect())} - known
    return str(new)


def test_written_from_the_bundle(mine: Path) -> None:
    """A run that was never tracked is written down with its metrics, its parameters and its model."""
    deploy(mine, "a")
    run("register")
    [version] = list_versions(mine)
    written = connect().get_run(version.run_id)
    lineage = json.loads((mine / "build/bundle/lineage.json").read_text())
    metrics = json.loads((mine / "build/bundle/metrics.json").read_text())["metrics"]
    assert {"run_key": "a", "written_from": "bundle"}.items() <= written.data.tags.items()
    assert lineage["data_lock"] == written.data.params["data_lock"]
    assert metrics[0]["model"]["value"] == written.data.metrics[metrics[0]["name"]]
    assert "FINISHED" == written.info.status


def test_code_that_made_a_model(deploying: Path) -> None:
    """A model is written down with the code that its bundle keeps, not with today's."""
    imported = deploying / "imported"
    with (deploying / "build/bundle/code/toy_binary/features.py").open("a") as code:
        code.write(f"\nopen({str(imported)!r}, 'w').close()\n")
    deploy(deploying, "a")
    run("register")
    assert imported.exists()
    assert (["1"], {"champion": "1"}) == read_registry(deploying)


def test_model_that_cannot_be_loaded(deploying: Path) -> None:
    """One sentence says which and why, and nothing is registered."""
    (deploying / "build/bundle/model.skops").write_bytes(b"damaged")
    deploy(deploying, "a")
    result = mlops("register")
    assert 1 == result.exit_code
    assert "Error: Model 1 cannot be written down in MLflow: " in result.output
    assert "model.skops is not a whole skops file" in result.output
    assert [] == list(connect().search_registered_models())


def test_lost_registration_is_made_up(mine: Path) -> None:
    """What a deployment did not come to register, the next one does, in order."""
    run("promote")
    make_next_model(mine, "b")
    run("promote")
    assert {"registered": [1, 2], "aliases": {"champion": 2, "previous": 1}} == register()


def test_registration_that_died(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before or after any of its calls; run again, it comes to the same end."""
    run("promote")
    make_next_model(mine, "b")
    run("promote")
    for call, before in product(range(1, len(CHANGES) + 1), (True, False)):
        with monkeypatch.context() as patch:
            die_at(call, before, patch)
            assert f"died at {call}" in mlops("register").output
        run("register")
        assert (["1", "2"], {"champion": "2", "previous": "1"}) == read_registry(mine), (call, before)
        connect().delete_registered_model(find_name(mine))


# What two versions and two aliases take.
CHANGES = ["create_registered_model", *["create_model_version"] * 2, *["set_registered_model_alias"] * 2]


def die_at(call: int, before: bool, patch: pytest.MonkeyPatch) -> None:
    """Let the call of this number that changes something fail, before it did so or after."""
    from mlflow import MlflowClient

    calls = count(1)

    def wrap(real: Callable[..., Any]) -> Callable[..., Any]:
        def dying(*arguments: Any, **options: Any) -> Any:
            dies = next(calls) == call
            answer = None if dies and before else real(*arguments, **options)
            if dies:
                raise ConnectionError(f"died at {call}")
            return answer

        return dying

    for name in set(CHANGES):
        patch.setattr(MlflowClient, name, wrap(getattr(MlflowClient, name)))


def test_revert_by_hand(deploying: Path) -> None:
    """A commit that somebody reverted on the branch moves the aliases, too."""
    run("promote")
    run("register")
    git(deploying, "clone", "--quiet", "--branch", "production", "remote.git", "hand")
    model = json.loads((deploying / "hand/model.json").read_text())
    (deploying / "hand/model.json").write_text(json.dumps(model | {"version": 2, "bundle_sha256": "0" * 64}))
    git(deploying / "hand", "commit", "--quiet", "--all", "--message", "Deploy model 2")
    git(deploying / "hand", "push", "--quiet")
    assert {"registered": [2], "aliases": {"champion": 2, "previous": 1}} == register()
    git(deploying / "hand", "revert", "--no-edit", "HEAD")
    git(deploying / "hand", "push", "--quiet")
    assert {"registered": [], "aliases": {"champion": 1, "previous": 2}} == register()


def test_alias_that_somebody_moved(deploying: Path) -> None:
    """Git is the truth: what was changed by hand in MLflow is put right."""
    run("promote")
    run("register")
    connect().delete_registered_model_alias(find_name(deploying), "champion")
    connect().set_registered_model_alias(find_name(deploying), "previous", "1")
    assert {"registered": [], "aliases": {"champion": 1, "previous": None}} == register()
    assert (["1"], {"champion": "1"}) == read_registry(deploying)


def test_branch_that_was_begun_anew(deploying: Path) -> None:
    """The first version of another history is not the one that was registered before."""
    run("promote")
    run("register")
    git(deploying / "remote.git", "update-ref", "-d", "refs/heads/production")
    (deploying / "build/bundle/model_card.md").write_text("another")
    from gitops_ml.bundle.manifest import write_manifest

    write_manifest(deploying / "build/bundle")
    run("package")
    run("promote")
    assert {"registered": [1], "aliases": {"champion": 1}} == register()
    assert (["1", "1"], {"champion": "1"}) == read_registry(deploying)
    assert 2 == int(connect().get_registered_model(find_name(deploying)).aliases["champion"])


def test_version_that_cannot_be_had(mine: Path) -> None:
    """Without a run and without a package, a version is named; the others are registered all the same."""
    deploy(mine, "a")
    package = (mine / "build/bundle.tar.gz").rename(mine / "first.tar.gz")
    deploy(mine, "b")
    planned = json.loads(run("register", "--plan", "--json").output)
    assert [1] == [state["version"] for state in planned["missing"]]
    result = mlops("register")
    assert 1 == result.exit_code
    assert "has no run of model 1; fetch bundle.tar.gz of the release model-v1 and name it" in result.output
    assert (["2"], {"champion": "2"}) == read_registry(mine)
    assert {"registered": [1], "aliases": {"previous": 1}} == register(package.name)
    assert (["2", "1"], {"champion": "2", "previous": "1"}) == read_registry(mine)


def test_plan_changes_nothing(mine: Path) -> None:
    """A plan says what would change, and leaves MLflow as it is."""
    deploy(mine, "a")
    before = len(all_runs(connect()))
    expected = "Model 1 would be registered in MLflow.\nThe alias champion would be set to model 1.\n"
    assert expected == run("register", "--plan").output
    assert before == len(all_runs(connect()))
    assert [] == list(connect().search_registered_models())


def test_odd_name(deploying: Path) -> None:
    """An experiment may be named as nobody may name a registered model."""
    edit_params(deploying, track={"experiment": '/Users/Zoë "Z" O\'Neill: 100%_délais'})
    run("promote")
    log_here(deploying / "build/bundle", deploying)
    assert {"registered": [1], "aliases": {"champion": 1}} == register()
    assert "-Users-Zoë -Z- O-Neill- 100-_délais" == find_name(deploying)
    assert NOTHING.format(find_name(deploying)) == run("register").output


def test_nothing_deployed(deploying: Path) -> None:
    """Before the first deployment there is nothing to register."""
    assert "Nothing to register: nothing has been deployed yet.\n" == run("register").output
    assert "null\n" == run("register", "--json").output


def test_no_tracking_server(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody named an MLflow, nothing is asked and nothing is made."""
    monkeypatch.delenv(store.VARIABLE)
    expected = "Nothing to register: MLFLOW_TRACKING_URI is not set.\n"
    assert expected == run("register", "--remote", "nowhere").output


def test_server_that_is_down(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says so; production is as it was."""
    run("promote")
    monkeypatch.setenv(store.VARIABLE, "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    result = mlops("register")
    assert 1 == result.exit_code
    assert "Error: the MLflow store http://127.0.0.1:9 does not answer; start it" in result.output
    assert 1 == json.loads(run("status", "--json").output)[0]["state"]["version"]


class Doorkeeper(BaseHTTPRequestHandler):
    """Lets nobody in."""

    def do_GET(self) -> None:
        """Refuse."""
        self.send_response(401)
        self.end_headers()
        self.wfile.write(b"You are not authenticated.")

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def closed() -> Iterator[str]:
    """The address of a server that takes no token."""
    server = HTTPServer(("127.0.0.1", 0), Doorkeeper)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_token_that_is_refused(deploying: Path, closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence names the variable, and not the token."""
    run("promote")
    monkeypatch.setenv(store.VARIABLE, closed)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "hush")
    result = mlops("register")
    assert 1 == result.exit_code
    assert (
        f"Error: the MLflow store {closed} does not let you in; see MLFLOW_TRACKING_TOKEN." in result.output
    )
    assert "hush" not in result.output
