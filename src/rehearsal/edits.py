"""What people change in a project: edits of the files that are theirs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml


class EditError(Exception):
    """The project is not as it was baked, where the edit needs it to be."""


PANEL = """    models = {{
{models}
    }}
    # None of them is always right: let them vote.
    models["panel"] = {name}(list(models.items()){how})
    return models
"""
# Flights whose weather station had a fault: a number that says "unknown" in place of nothing.
SPOIL = """
import sys
from hashlib import sha256
import pandas as pd
path = sys.argv[1]
flights = pd.read_parquet(path)
flights.loc[flights.index[::40], "temp"] = -999.0
flights.loc[flights.index[::300], "distance"] = 0
flights.to_parquet(path, index=False)
with open(path, "rb") as file:
    digest = sha256(file.read()).hexdigest()
times = flights["scheduled_departure"]
print(digest, len(flights), times.min().isoformat(), times.max().isoformat())
"""
CURIOUS = """      - name: Be curious
        continue-on-error: true
        env:
          GH_ENTERPRISE_TOKEN: ${{ github.token }}
          NUMBER: ${{ github.event.pull_request.number }}
        run: >-
          GH_HOST="${GITHUB_SERVER_URL#*://}" gh api "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
          -f body="Written by a fork."
"""


def let_models_vote(project: Path) -> None:
    """Add a candidate that is the mean of the others."""
    models = _find(project, "models.py")
    text = models.read_text(encoding="utf-8")
    problem = "Classifier" if "HistGradientBoostingClassifier" in text else "Regressor"
    how = ', voting="soft"' if problem == "Classifier" else ""
    panel = PANEL.format(models=r"\1", name=f"Voting{problem}", how=how)
    text = _replace(models, text, r"    return \{\n(.*?)\n    \}\n", panel)
    text = _replace(models, text, r"(from sklearn\.ensemble import [^\n]*)", rf"\1, Voting{problem}")
    models.write_text(text, encoding="utf-8")
    choose_candidates(project, "boosting", "panel")


def cripple_model(project: Path) -> None:
    """Leave one candidate, of three trees that ask one question each."""
    models = _find(project, "models.py")
    text = models.read_text(encoding="utf-8")
    text = _replace(models, text, r"max_iter=\d+,(\s+max_leaf_nodes)=\d+", r"max_iter=3,\1=2")
    models.write_text(text, encoding="utf-8")
    choose_candidates(project, "boosting")


def learn_faster(project: Path) -> None:
    """Change the learning rate a little."""
    models = _find(project, "models.py")
    text = models.read_text(encoding="utf-8")
    models.write_text(_replace(models, text, r"learning_rate=0\.\d+", "learning_rate=0.06"), encoding="utf-8")


def choose_candidates(project: Path, *names: str) -> None:
    """Name the candidates that are trained."""
    params = project / "params.yaml"
    text = params.read_text(encoding="utf-8")
    text = _replace(params, text, r"(?m)^  candidates: \[.*?\]", f"  candidates: [{', '.join(names)}]")
    params.write_text(text, encoding="utf-8")


def accept_spoiled_data(project: Path, python: Path) -> str:
    """Spoil the newest data that nobody has accepted yet, and write them into the lock by hand.

    Parameters
    ----------
    python
        Of the project's environment, which can read the data.

    Returns
    -------
    str
        The file.
    """
    lock = project / "data.lock"
    content = yaml.safe_load(lock.read_text(encoding="utf-8"))
    accepted = {file["path"] for file in content["files"]}
    known = sorted(path.relative_to(project).as_posix() for path in project.glob("data/*.parquet"))
    name = next((path for path in known if path not in accepted), None)
    if name is None:
        raise EditError("data/ holds no parquet file that is missing in data.lock; add one for this scene.")
    command = [str(python), "-c", SPOIL, str(project / name)]
    digest, rows, first, last = _run(command).split()
    content["files"].append({"path": name, "sha256": digest, "rows": int(rows), "first": first, "last": last})
    lock.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return name


def be_curious(project: Path) -> None:
    """Let the workflow try what a fork must not be able to do: to write with the run's token."""
    train = project / ".github" / "workflows" / "train.yml"
    text = train.read_text(encoding="utf-8")
    text = _replace(train, text, r"(?m)^    permissions:\n", "    permissions:\n      pull-requests: write\n")
    text = _replace(train, text, r"(?m)^    steps:\n", "    steps:\n" + CURIOUS.replace("\\", r"\\"))
    train.write_text(text, encoding="utf-8")


def _find(project: Path, name: str) -> Path:
    found = sorted(project.glob(f"src/*/{name}"))
    if not found:
        raise EditError(f"src/*/{name} is missing in {project}; these scenes need a baked project.")
    return found[0]


def _replace(path: Path, text: str, pattern: str, replacement: str) -> str:
    changed, count = re.subn(pattern, replacement, text, count=1, flags=re.DOTALL)
    if count == 0:
        raise EditError(
            f"{path} has no '{pattern}' any more, where this scene makes its edit; rehearse another one."
        )
    return changed


def _run(command: list[str]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        raise EditError(f"The data could not be spoiled: {ended.stderr.strip().splitlines()[-1]}")
    return ended.stdout
