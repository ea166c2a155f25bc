"""The branch production says what runs; each change of it is one commit, or none."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_ml.core.errors import LifecycleError
from gitops_ml.production import promotion
from gitops_ml.production.branch import read_branch, read_history
from toys import deploy, git, make_next_model, mlops, run

IMAGE = "registry.example.org/me/model@sha256:" + 64 * "a"


def read_model(root: Path) -> dict[str, object]:
    """Return model.json as the remote has it."""
    model: dict[str, object] = json.loads(git(root / "remote.git", "show", "production:model.json"))
    return model


def list_files(root: Path) -> list[str]:
    """Return what the branch holds."""
    return git(root / "remote.git", "ls-tree", "-r", "--name-only", "production").split()


def list_versions(root: Path) -> list[int]:
    """Return the versions that ran, the newest first."""
    return [deployment.state.version for deployment in read_history(root, "origin")]


def test_first_deployment(deploying: Path) -> None:
    """Without a branch there is nothing before; what is committed names the package and has the card."""
    digest = run("package").output.split()[0]
    assert "Model 1 is in production.\n" == run("promote", "--image", IMAGE).output
    model = read_model(deploying)
    lineage = json.loads((deploying / "build/bundle/lineage.json").read_text())
    assert (1, digest, lineage["run_key"], IMAGE) == (
        model["version"],
        model["bundle_sha256"],
        model["run_key"],
        model["image"],
    )
    assert "Deploy model 1" == git(deploying / "remote.git", "log", "--format=%s", "production")


def test_manifests_are_in_production(deploying: Path) -> None:
    """With an image, the branch has what runs it; a rollback brings back what ran the version before."""
    base = {f"k8s/base/{path.name}" for path in (deploying / "deploy/k8s").iterdir()}
    make_next_model(deploying, "a")
    run("promote", "--image", IMAGE)
    expected = {"model.json", "model_cards/model_card.md", "compose.yaml", "k8s/kustomization.yaml", *base}
    assert expected == set(list_files(deploying))
    make_next_model(deploying, "b")
    run("promote", "--image", IMAGE.replace("a" * 64, "b" * 64))
    run("rollback")
    compose = git(deploying / "remote.git", "show", "production:compose.yaml")
    overlay = git(deploying / "remote.git", "show", "production:k8s/kustomization.yaml")
    assert (IMAGE in compose, "a" * 64 in overlay, "b" * 64 in overlay) == (True, True, False)
    assert [1, 2, 1] == list_versions(deploying)


def test_without_an_image_there_are_no_manifests(deploying: Path) -> None:
    """They could run nothing; it is said once."""
    said = "No --image was named, so k8s/ and compose.yaml are left out.\n"
    assert said == run("promote").stderr
    assert ["model.json", "model_cards/model_card.md"] == list_files(deploying)
    assert "" == run("promote").stderr


def test_image_without_a_digest(deploying: Path) -> None:
    """A tag could mean something else tomorrow: that is wrong usage, and nothing changes."""
    result = mlops("promote", "--image", "registry.example.org/me/model:1")
    assert 2 == result.exit_code
    assert "expected" in result.output
    assert "" == git(deploying, "ls-remote", "origin")


def test_same_run_key_deploys_nothing(deploying: Path) -> None:
    """A second time, or after a change of words alone, no commit and no version is made."""
    run("promote")
    assert "Nothing to deploy: production runs a model of the same run key.\n" == run("promote").output
    assert "null\n" == run("promote", "--json").output
    assert [1] == list_versions(deploying)


def test_versions_count_up(deploying: Path) -> None:
    """Without gaps and without repeats, whatever was rolled back in between."""
    deploy(deploying, "a", "b")
    run("rollback")
    make_next_model(deploying, "c")
    assert "Model 3 would be in production.\n" == run("promote", "--plan").output
    deploy(deploying, "c")
    assert [3, 1, 2, 1] == list_versions(deploying)


def test_plan_changes_nothing(deploying: Path) -> None:
    """A plan says which version it would be, and writes nothing."""
    state = json.loads(run("promote", "--plan", "--json").output)
    assert 1 == state["version"]
    assert "" == git(deploying, "ls-remote", "origin")


def test_rollback_and_forward(deploying: Path) -> None:
    """All that ran comes back, as a new commit; the way forward is the same."""
    deploy(deploying, "a", "b", "c")
    first = git(deploying / "remote.git", "rev-parse", "production~2^{tree}")
    assert "Model 2 would be in production again.\n" == run("rollback", "--plan").output
    assert "Model 1 is in production again.\n" == run("rollback", "--to", "1").output
    assert first == git(deploying / "remote.git", "rev-parse", "production^{tree}")
    assert 3 == json.loads(run("rollback", "--to", "3", "--json").output)["version"]
    assert [3, 1, 3, 2, 1] == list_versions(deploying)


def test_revert_by_hand(deploying: Path) -> None:
    """A commit that somebody reverted on the branch counts like any other."""
    deploy(deploying, "a", "b")
    git(deploying, "clone", "--quiet", "--branch", "production", "remote.git", "hand")
    git(deploying / "hand", "revert", "--no-edit", "HEAD")
    git(deploying / "hand", "push", "--quiet")
    lines = run("status").output.splitlines()
    assert [("*", "1"), (" ", "2"), (" ", "1")] == [(line[0], line.split("model ")[1][0]) for line in lines]


@pytest.mark.parametrize(
    ("deployed", "version", "expected"),
    [
        ([], None, "Nothing has been deployed yet"),
        (["a"], None, "Model 1 is the first version; there is none before it"),
        (["a", "b"], 2, "Model 2 is already what runs"),
        (["a", "b"], 7, "Model 7 was never in production; expected one of 1, 2"),
    ],
)
def test_rollback_refused(deploying: Path, deployed: list[str], version: int | None, expected: str) -> None:
    """Where nothing can be rolled back, one sentence says why, and nothing changes."""
    deploy(deploying, *deployed)
    before = git(deploying, "ls-remote", "origin")
    words = ["rollback"] if version is None else ["rollback", "--to", str(version)]
    result = mlops(*words)
    assert 1 == result.exit_code
    assert expected in result.output
    assert before == git(deploying, "ls-remote", "origin")


def test_failed_gate_is_not_promoted(deploying: Path) -> None:
    """On main the same gates guard production."""
    path = deploying / "build/comparison.json"
    comparison = json.loads(path.read_text())
    comparison["gates"][0]["passed"] = False
    path.write_text(json.dumps(comparison))
    result = mlops("promote")
    assert 1 == result.exit_code
    assert "cannot be promoted: gate 'contract holds' does not hold" in result.output
    assert "" == git(deploying, "ls-remote", "origin")


def test_stale_package_is_not_promoted(deploying: Path) -> None:
    """The digest in model.json is that of the bundle which was judged."""
    from gitops_ml.bundle.manifest import write_manifest

    (deploying / "build/bundle/model_card.md").write_text("another")
    write_manifest(deploying / "build/bundle")
    result = mlops("promote")
    assert "bundle.tar.gz is not of the last run's bundle; run 'mlops package' again." in result.output
    assert "" == git(deploying, "ls-remote", "origin")


def test_two_at_once(deploying: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two deployments that read the same state one comes first; the other changes nothing."""
    make_next_model(deploying, "a")
    stale = iter([read_branch(deploying, "origin")])
    run("promote")
    make_next_model(deploying, "b")
    with monkeypatch.context() as patch:
        real = read_branch
        patch.setattr(promotion, "read_branch", lambda *where: next(stale, None) or real(*where))
        with pytest.raises(LifecycleError, match="has moved since it was read"):
            promotion.promote(deploying, "origin", None)
    assert ("a", [1]) == (read_model(deploying)["run_key"], list_versions(deploying))
    run("promote")
    assert ("b", [2, 1]) == (read_model(deploying)["run_key"], list_versions(deploying))


def test_another_version_than_planned(deploying: Path) -> None:
    """What was released as one version does not run as another."""
    deploy(deploying, "a")
    make_next_model(deploying, "b")
    before = git(deploying / "remote.git", "rev-parse", "production")
    result = mlops("promote", "--expect", "1")
    assert 1 == result.exit_code
    assert "This would be model 2, but 1 was expected" in result.output
    assert before == git(deploying / "remote.git", "rev-parse", "production")
    assert "Model 2 is in production" in run("promote", "--expect", "2").output


def test_branch_that_says_nothing(deploying: Path) -> None:
    """A model.json that cannot be read is named, with what repairs it."""
    deploy(deploying, "a")
    git(deploying, "clone", "--quiet", "--branch", "production", "remote.git", "hand")
    (deploying / "hand/model.json").write_text("{}")
    git(deploying / "hand", "commit", "--quiet", "--all", "--message", "Break it")
    git(deploying / "hand", "push", "--quiet")
    result = mlops("status")
    assert 1 == result.exit_code
    assert "model.json of branch production does not say what is running" in result.output
    git(deploying / "hand", "revert", "--no-edit", "HEAD")
    git(deploying / "hand", "push", "--quiet")
    assert [1, 1] == list_versions(deploying)


def test_odd_subject(deploying: Path) -> None:
    """Whatever somebody writes into a commit of the branch, its history can be read."""
    deploy(deploying, "a")
    git(deploying, "clone", "--quiet", "--branch", "production", "remote.git", "hand")
    subject = "Say\u2028more\x0b: é"
    (deploying / "hand/note.txt").touch()
    git(deploying / "hand", "add", "--all")
    git(deploying / "hand", "commit", "--quiet", "--message", subject)
    git(deploying / "hand", "push", "--quiet")
    history = read_history(deploying, "origin")
    assert [subject, "Deploy model 1"] == [deployment.subject for deployment in history]


def test_branch_of_a_similar_name(deploying: Path) -> None:
    """Only the branch itself says what runs."""
    git(deploying, "commit", "--quiet", "--allow-empty", "--message", "Begin")
    git(deploying, "push", "--quiet", "origin", "HEAD:refs/heads/a/refs/heads/production")
    assert [] == read_history(deploying, "origin")


def test_no_such_remote(deploying: Path) -> None:
    """A repository that cannot be asked is not one without deployments."""
    result = mlops("status", "--remote", "nowhere")
    assert 1 == result.exit_code
    assert "There is no repository 'nowhere' that would have the branch production" in result.output


def test_status_says_how_good_it_is(deploying: Path) -> None:
    """The primary metric with its interval, as the bundle has it, follows the model into production."""
    run("promote")
    metrics = json.loads((deploying / "build/bundle/metrics.json").read_text())
    [primary] = [metric for metric in metrics["metrics"] if metric["name"] == metrics["primary"]]
    [deployment] = json.loads(run("status", "--json").output)
    assert {"metric": primary["name"], "estimate": primary["model"]} == deployment["state"]["score"]
    assert re.search(r"Deploy model 1  \w.* [0-9.]+ \[[0-9.]+, [0-9.]+\]$", run("status").output.strip())


def test_status_of_nothing(deploying: Path) -> None:
    """Before the first deployment, status says so."""
    assert "Nothing has been deployed yet.\n" == run("status").output
    assert [] == json.loads(run("status", "--json").output)


def test_worktree_is_left_alone(deploying: Path) -> None:
    """Neither index nor files of the project change when production does."""
    git(deploying, "add", "params.yaml")
    before = git(deploying, "status", "--porcelain")
    run("promote")
    assert before == git(deploying, "status", "--porcelain")


def test_what_only_moves_bundles_is_quick() -> None:
    """To promote, roll back, keep a look or build the site takes no model, nor the libraries that load it."""
    program = (
        "import sys;"
        "from gitops_ml.production import promotion;"
        "from gitops_ml.monitoring.check import history;"
        "from gitops_ml.monitoring.site import site;"
        "print(*{'numpy', 'pandas', 'sklearn', 'pyarrow', 'matplotlib', 'mlflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
    assert b"" == done.stdout.strip()
