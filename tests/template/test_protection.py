"""What a change is judged by, and who has to look when it changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import ValidationError

from baking import Bake
from gitops_ml.comparison.changes import PROTECTED
from openapi import check_request

RULESETS = "/repos/{owner}/{repo}/rulesets"


@pytest.fixture(scope="module")
def github(bake: Bake) -> Path:
    """The folder .github of a bake."""
    return bake(github_owner="ada") / ".github"


def test_owners(github: Path) -> None:
    """What the report calls protected has an owner, and nothing else has: other changes wait for nobody."""
    lines = (github / "CODEOWNERS").read_text().splitlines()
    owned = [line.split() for line in lines if not line.startswith("#")]
    assert [[f"/{folder}/", "@ada"] for folder in PROTECTED] == owned


def test_review_of_the_owner(github: Path) -> None:
    """The ruleset asks for the owner's review, and for no other."""
    rules = json.loads((github / "rulesets/main.json").read_text())["rules"]
    [review] = [rule["parameters"] for rule in rules if "pull_request" == rule["type"]]
    assert review["require_code_owner_review"]
    assert 0 == review["required_approving_review_count"]


@pytest.mark.parametrize("name", ["main", "production"])
def test_rulesets(github: Path, name: str) -> None:
    """GitHub takes the rulesets as they are."""
    ruleset = json.loads((github / f"rulesets/{name}.json").read_text())
    check_request("POST", RULESETS, ruleset)
    del ruleset["enforcement"]
    with pytest.raises(ValidationError, match="'enforcement' is a required property"):
        check_request("POST", RULESETS, ruleset)
