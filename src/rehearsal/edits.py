"""What people change in a project: edits of the files that are theirs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import yaml


class EditError(Exception):
    """The project is not as it was baked, where the edit needs it to be."""


PANEL = r"""    models = {
\1
    }
    # None of them is always right.
    models["panel"] = VotingClassifier(list(models.items()), voting="soft")
    return models
"""
WEEK = '''def week_parts(dates: pd.DataFrame) -> np.ndarray:
    """Split dates into day of week and minute of the day."""
    parts = calendar_parts(dates)
    return parts[:, np.arange(parts.shape[1]) % 3 > 0]


'''
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


def improve_model(project: Path) -> tuple[str, str]:
    """Make the model better, as it takes for the problem; return a title and a reason."""
    text = _find(project, "models.py").read_text(encoding="utf-8")
    if "Classifier" in text:
        let_models_vote(project)
        return "Let the models vote", "None of them is always right. Their mean should do better than each."
    leave_month_out(project)
    return "Leave the month out", "Half a year does not teach what the other half is like."


def let_models_vote(project: Path) -> None:
    """Add a candidate that is the mean of the others."""
    models = _find(project, "models.py")
    text = models.read_text(encoding="utf-8")
    text = _replace(models, text, r"    return \{\n(.*?)\n    \}\n", PANEL)
    text = _replace(models, text, r"(from sklearn\.ensemble import [^\n]*)", r"\1, VotingClassifier")
    models.write_text(text, encoding="utf-8")
    choose_candidates(project, "panel")


def leave_month_out(project: Path) -> None:
    """Let trees see the day of the week and the time of the day alone."""
    features = _find(project, "features.py")
    text = features.read_text(encoding="utf-8")
    text = _replace(
        features, text, r"FunctionTransformer\(calendar_parts\)", "FunctionTransformer(week_parts)"
    )
    text = _replace(features, text, r"(?m)^def calendar_cycles", WEEK + "def calendar_cycles")
    features.write_text(text, encoding="utf-8")
    choose_candidates(project, "boosting", "forest")


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


def improve_readme(project: Path) -> None:
    """Write a sentence that no model reads."""
    readme = project / "README.md"
    readme.write_text(
        readme.read_text(encoding="utf-8") + "\nAsk the owners before you rely on it.\n", encoding="utf-8"
    )


def allow_no_loss(project: Path) -> None:
    """Set the margin to nothing: then only a clear gain will do."""
    params = project / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(_replace(params, text, r"(?m)^  margin: \S+", "  margin: 0"), encoding="utf-8")


def waive_gates(project: Path, until: str) -> None:
    """Waive the gates that a worse model breaks, to the end of a day."""
    params = project / "params.yaml"
    text = params.read_text(encoding="utf-8")
    waivers = "".join(
        f"    - {{gate: {gate}, reason: it answers in time, until: {until}}}\n"
        for gate in ("no worse than champion", "slices", "beats baseline", "calibration", "error bound")
    )
    pattern = r"(?m)^gates:\n(  waive:\n(    [^\n]*\n)*)?"
    text = _replace(params, text, pattern, f"gates:\n  waive:\n{waivers}")
    params.write_text(text, encoding="utf-8")


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
    name = _list_new(project)[0]
    command = [str(python), "-c", SPOIL, str(project / name)]
    digest, rows, first, last = _run(command).split()
    content["files"].append({"path": name, "sha256": digest, "rows": int(rows), "first": first, "last": last})
    lock.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return name


def hold_data_back(project: Path, waiting: Path, delivery: Path) -> None:
    """Move the data that nobody has accepted out of the project, and say where they will be delivered."""
    for name in _list_new(project):
        waiting.mkdir(parents=True, exist_ok=True)
        shutil.move(project / name, waiting)
    delivery.mkdir(parents=True)
    params = project / "params.yaml"
    text = params.read_text(encoding="utf-8")
    line = f"data:\n  fetch: {delivery.as_posix()}/*.parquet\n"
    params.write_text(_replace(params, text, r"(?m)^data:\n", line), encoding="utf-8")


def deliver_data(waiting: Path, delivery: Path, count: int) -> list[str]:
    """Deliver the next files, and return their names."""
    files = sorted(waiting.glob("*"))[:count]
    return [Path(shutil.move(file, delivery)).name for file in files]


def take_data_back(delivery: Path) -> list[str]:
    """Let nothing be delivered any more, and return the names of what was."""
    files = sorted(delivery.glob("*"))
    for file in files:
        file.unlink()
    return [file.name for file in files]


def be_curious(project: Path) -> None:
    """Let the workflow try what a fork must not be able to do: to write with the run's token."""
    train = project / ".github" / "workflows" / "train.yml"
    text = train.read_text(encoding="utf-8")
    text = _replace(train, text, r"(?m)^    permissions:\n", "    permissions:\n      pull-requests: write\n")
    text = _replace(train, text, r"(?m)^    steps:\n", "    steps:\n" + CURIOUS.replace("\\", r"\\"))
    train.write_text(text, encoding="utf-8")


def _list_new(project: Path) -> list[str]:
    """Return the files of data that nobody has accepted yet, the oldest first."""
    content = yaml.safe_load((project / "data.lock").read_text(encoding="utf-8"))
    accepted = {file["path"] for file in content["files"]}
    known = sorted(path.relative_to(project).as_posix() for path in project.glob("data/*.parquet"))
    new = [path for path in known if path not in accepted]
    if not new:
        raise EditError("data/ holds no parquet file that is missing in data.lock; add one for this scene.")
    return new


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
