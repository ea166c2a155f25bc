"""Puts a model into production as a deployment does: a release, and last of all one commit."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from hashlib import sha256
from typing import Any
from zipfile import ZipFile

from .forge import git
from .runner import Run
from .stage import Stage

BRANCH = "production"


def publish(stage: Stage, run: Run) -> int:
    """Release the bundle that a run on main has built, and name it on the branch ``production``.

    Returns
    -------
    int
        The version.
    """
    build = ZipFile(io.BytesIO(stage.download(run, "build")))
    bundle = pack_bundle(build)
    version = len(stage.client().get("releases?per_page=100")) + 1
    tag, commit = f"model-v{version}", run.record["head_sha"]
    release = stage.client().post("releases", tag_name=tag, target_commitish=commit, name=f"Model {version}")
    address = f"{release['upload_url'].partition('{')[0]}?name=bundle.tar.gz"
    stage.client().send_bytes("POST", address, bundle, "application/gzip", "application/json")
    model = {
        "version": version,
        "commit": commit,
        "run_key": _read(build, "bundle/lineage.json")["run_key"],
        "bundle_sha256": sha256(bundle).hexdigest(),
        "verdict": _read(build, "comparison.json")["verdict"],
    }
    _commit(stage, model)
    return version


def pack_bundle(build: ZipFile) -> bytes:
    """Return the archive of a bundle, whose members lie under ``bundle/``."""
    target = io.BytesIO()
    # The same bundle, the same bytes: gzip would note the time.
    with (
        gzip.GzipFile(fileobj=target, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name in sorted(build.namelist()):
            if name.startswith("bundle/"):
                content = build.read(name)
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


def _read(build: ZipFile, name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(build.read(name))
    return record


def _commit(stage: Stage, model: dict[str, Any]) -> None:
    """Commit ``model.json`` to the branch, which holds nothing but what is in production."""
    path = stage.repository.path
    blob = git.write(path, "hash-object", "-w", "--stdin", text=json.dumps(model, indent=2) + "\n")
    tree = git.write(path, "mktree", text=f"100644 blob {blob}\tmodel.json\n")
    parent = stage.repository.head(BRANCH)
    words = ["-p", parent] if parent else []
    subject = f"Deploy model {model['version']}"
    sha = git.git(path, "commit-tree", tree, *words, "-m", subject)
    git.git(path, "update-ref", f"refs/heads/{BRANCH}", sha)
    stage.forge.notice_pushes(stage.repository.owner)
