"""``python -m rehearsal.forge.description``: take the required fields from GitHub's own description."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .required import FILE, Shape

# Comes from npm, see ``src/rehearsal/npm``.
DESCRIPTION = Path(__file__).parents[1] / "npm/node_modules/@octokit/openapi/generated/api.github.com.json"
# GitHub's names of what the forge shows.
ANSWERS = (
    "artifact",
    "branch-with-protection",
    "check-run",
    "commit",
    "content-directory",
    "diff-entry",
    "full-repository",
    "git-ref",
    "issue",
    "issue-comment",
    "pull-request",
    "pull-request-minimal",
    "pull-request-simple",
    "release",
    "release-asset",
    "short-branch",
    "simple-user",
    "workflow",
    "workflow-run",
)
EMPTY = {"array": [], "boolean": False, "integer": 0, "string": ""}


def main() -> None:
    """Write the required fields down, an answer a line."""
    found = collect_required(json.loads(DESCRIPTION.read_text(encoding="utf-8")))
    lines = [f"{json.dumps(answer)}: {json.dumps(fields)}" for answer, fields in found.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def collect_required(description: Mapping[str, Any]) -> dict[str, Shape]:
    """Return the required fields of each answer, of a list those of its items, as empty as is allowed."""
    schemas = description["components"]["schemas"]
    found = {answer: schemas[answer] for answer in ANSWERS}
    return {answer: _empty(schema.get("items", schema), schemas) for answer, schema in found.items()}


def _empty(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _empty(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema.get("nullable"):
        return None
    if "properties" in schema:
        return {name: _empty(schema["properties"][name], schemas) for name in schema.get("required", [])}
    return schema["enum"][0] if "enum" in schema else EMPTY[schema["type"]]


if __name__ == "__main__":
    main()
