"""Answers that give no working project are refused, each with one sentence."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cookiecutter.exceptions import FailedHookException

from baking import Bake
from rehearsal.bake import ROOT
from rehearsal.bake import bake as bake_template

NAMES = {
    "": "is empty",
    "   ": "is empty",
    "!!!": "gives no Python package",
    "🛫": "gives no Python package",
    "2 Fast": "gives no Python package",
    "class": "a word of Python itself",
    "Import": "a word of Python itself",
    "email": "would hide another",
    "Test": "would hide another",
    "tests": "would hide another",
    "sklearn": "would hide another",
    "scikit-learn": "would hide another",
    "MLflow": "would hide another",
    "Typing Extensions": "would hide another",
    "GitOps ML": "would hide another",
    "x" * 41: "more than 40 letters",
    "Two\nLines": "invisible character U+000A",
    "Right\u202eLeft": "invisible character U+202E",
}
DESCRIPTIONS = {
    "": "is empty",
    "two\nlines": "invisible character U+000A",
    "a tab\t": "invisible character U+0009",
    "a bell \x07": "invisible character U+0007",
    "a line separator \u2028": "invisible character U+2028",
}
OWNERS = [
    "",
    "-octocat",
    "octocat-",
    "octo--cat",
    "octo cat",
    "octo/cat",
    "x" * 40,
    "öctocat",
    "octocat\n",
    "@octocat",
]
QUOTED = 'O\'Reilly "and" \\ Sons\\'


class Refuse:
    """Bakes, expects a refusal that leaves nothing behind, and returns what was said."""

    def __init__(self, template: Path, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.template, self.folder, self.capfd = template, folder, capfd

    def __call__(self, **answers: str) -> str:
        with pytest.raises(FailedHookException):
            bake_template(self.template, self.folder, **answers)
        assert [] == list(self.folder.iterdir())
        return self.capfd.readouterr().err


@pytest.fixture
def refuse(template: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Refuse:
    """Expect the hook to refuse some answers."""
    return Refuse(template, tmp_path, capfd)


@pytest.mark.parametrize(("name", "reason"), NAMES.items(), ids=map(ascii, NAMES))
def test_project_name(refuse: Refuse, name: str, reason: str) -> None:
    """A name must give an importable package that hides no other."""
    assert 1 == count_sentences(refuse(project_name=name), "project_name", reason)


@pytest.mark.parametrize(("text", "reason"), DESCRIPTIONS.items(), ids=map(ascii, DESCRIPTIONS))
def test_description(refuse: Refuse, text: str, reason: str) -> None:
    """A description is one line that shows all it holds."""
    assert 1 == count_sentences(refuse(description=text), "description", reason)


@pytest.mark.parametrize("owner", OWNERS, ids=map(ascii, OWNERS))
def test_github_owner(refuse: Refuse, owner: str) -> None:
    """An owner must be a name that GitHub would allow."""
    assert 1 == count_sentences(refuse(github_owner=owner), "github_owner", "GitHub account")


def test_quotes_and_backslashes(refuse: Refuse) -> None:
    """No answer can break out of the hook that checks it: the refusal quotes it whole."""
    said = refuse(project_name=QUOTED, github_owner=QUOTED)
    assert 1 == count_sentences(said, "github_owner", repr(QUOTED))


def count_sentences(said: str, question: str, reason: str) -> int:
    """Count the refusals that name a question and a reason; a crash counts for nothing."""
    assert "Traceback" not in said
    return len(re.findall(rf"^Error: {question} .*{re.escape(reason)}.*; .*\.$", said, flags=re.MULTILINE))


def test_command_line(template: Path, tmp_path: Path) -> None:
    """Somebody at a terminal sees the sentence first, and the exit status is 1."""
    config = tmp_path / "config.yaml"
    config.write_text(f"replay_dir: '{tmp_path}/replay'\ncookiecutters_dir: '{tmp_path}/templates'\n")
    command = [
        sys.executable,
        "-m",
        "cookiecutter",
        str(template),
        "--no-input",
        "--config-file",
        str(config),
    ]
    done = subprocess.run([*command, "project_name=email"], cwd=tmp_path, capture_output=True, text=True)
    assert 1 == done.returncode
    assert done.stderr.startswith("Error: project_name 'email' gives the package 'email', which would hide")
    assert [] == [path for path in tmp_path.iterdir() if path.name == "email"]


@pytest.mark.parametrize(("question", "choice"), [("problem", "clustering"), ("license", "GPL-3.0")])
def test_choices(template: Path, tmp_path: Path, question: str, choice: str) -> None:
    """Cookiecutter itself refuses what is not among the choices."""
    with pytest.raises(ValueError, match=f"{choice}.*{question}.*choices are"):
        bake_template(template, tmp_path, **{question: choice})
    assert [] == list(tmp_path.iterdir())


def test_all_installed_packages_are_reserved(template: Path) -> None:
    """Whatever a bake installs, no project can be named like it."""
    source = (ROOT / "hooks" / "pre_gen_project.py").read_text(encoding="utf-8")
    [names] = re.findall(r'INSTALLED = """(.*?)"""', source, flags=re.DOTALL)
    baked = template / "{{cookiecutter.__project_slug}}"
    lists = [
        (baked / name).read_text(encoding="utf-8") for name in ("requirements.txt", "vendor/requirements.txt")
    ]
    locked = set(re.findall(r"^([a-z0-9-]+)==", "\n".join(lists), flags=re.MULTILINE))
    assert "gitops-ml" in locked
    assert set() == locked - set(names.split())


@pytest.mark.parametrize("owner", ["octocat", "a", "Octo-Cat-9", "octo-cat_corp", "x" * 39])
def test_owners_that_github_allows(bake: Bake, owner: str) -> None:
    """The rule refuses nobody who exists."""
    assert owner in (bake(github_owner=owner) / ".github" / "CODEOWNERS").read_text()


@pytest.mark.parametrize("name", ["Café Über", "航班", "Match", "a", "x" * 40])
def test_unusual_names(bake: Bake, name: str) -> None:
    """Names in any script are transliterated; a package comes out that Python can find."""
    [package] = (bake(project_name=name) / "src").iterdir()
    assert package.name.isascii()
    assert importlib.util.spec_from_file_location(package.name, package / "__init__.py")
