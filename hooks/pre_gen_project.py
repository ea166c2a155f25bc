"""Refuse answers that give no working project, each with one sentence."""

from __future__ import annotations

import json
import keyword
import re
import sys
import unicodedata

# Twice encoded: the outer text is a Python literal whatever the answer holds, the inner one JSON.
PROJECT_NAME = json.loads({{cookiecutter.project_name | jsonify | jsonify}})  # noqa: F821
DESCRIPTION = json.loads({{cookiecutter.description | jsonify | jsonify}})  # noqa: F821
GITHUB_OWNER = json.loads({{cookiecutter.github_owner | jsonify | jsonify}})  # noqa: F821
SLUG = json.loads({{cookiecutter.__project_slug | jsonify | jsonify}})  # noqa: F821
PACKAGE = json.loads({{cookiecutter.__package | jsonify | jsonify}})  # noqa: F821

# Longer names make lines of code longer than the project's linter allows.
LONGEST_SLUG = 40
# Packages and modules that the project installs; tests compare this with its requirements.txt.
INSTALLED = """
aiohappyeyeballs aiohttp aiosignal alembic annotated-doc annotated-types anyio ast-serialize attr attrs
blinker cachetools certifi cffi charset-normalizer check-jsonschema click cloudpickle colorama contourpy
cryptography cycler databricks databricks-sdk dateutil docker dotenv fastapi filelock flask flask-cors
fonttools frozenlist fsspec git gitdb gitops-ml gitpython google google-auth graphene graphql
graphql-core graphql-relay gunicorn h11 httptools huey idna importlib-metadata iniconfig itsdangerous
jinja2 joblib jsonschema jsonschema-specifications kiwisolver librt mako markdown-it markdown-it-py
markupsafe matplotlib mdurl mlflow mlflow-skinny mlflow-tracing mpl-toolkits multidict mypy
mypy-extensions mypyc narwhals nh3 numpy opentelemetry opentelemetry-api opentelemetry-proto
opentelemetry-sdk opentelemetry-semantic-conventions orjson packaging pandas pandera pathspec pebble pil
pillow pip pkg-resources pluggy prettytable prometheus-client propcache protobuf py pyarrow pyasn1
pyasn1-modules pycparser pydantic pydantic-core pygments pylab pyparsing pytest python-dateutil
python-dotenv pywin32 pyyaml referencing regress requests rich rpds rpds-py ruamel ruamel-yaml ruff
scikit-learn scipy setuptools shellingham sklearn skops smmap sqlalchemy sqlparse starlette
threadpoolctl typeguard typer typing-extensions typing-inspect typing-inspection tzdata urllib3 uv
uvicorn uvloop waitress wcwidth werkzeug yaml yarl zipp zizmor
""".split()
# Modules of the project itself and of the standard library that it does not list.
OTHERS = ["build", "conftest", "data", "src", "test", "tests"]
# Letters that change the direction of the text after them, and so hide what a file says.
BIDI = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def refuse_name() -> str | None:
    """Return why the project cannot have this name, if it cannot."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", SLUG) or not re.fullmatch(
        r"[a-z]\w*", PACKAGE, re.ASCII
    ):
        return f"gives no Python package ('{PACKAGE}'), which starts with a letter"
    if keyword.iskeyword(PACKAGE):
        return f"gives the package '{PACKAGE}', which is a word of Python itself"
    if PACKAGE in {*sys.stdlib_module_names, *OTHERS} or PACKAGE.replace("_", "-") in INSTALLED:
        return f"gives the package '{PACKAGE}', which would hide another one of that name"
    if max(len(SLUG), len(PACKAGE)) > LONGEST_SLUG:
        return f"gives the package '{PACKAGE}', which has more than {LONGEST_SLUG} letters"
    return None


def refuse_text(answer: str) -> str | None:
    """Return why a free text cannot be used, if it cannot."""
    if not answer.strip():
        return "is empty"
    for character in answer:
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in BIDI:
            return f"holds the invisible character U+{ord(character):04X}"
    return None


def refuse_owner() -> str | None:
    """Return why no account on GitHub has this name, if none has."""
    # What follows an underscore is the short code of an enterprise with managed users.
    if re.fullmatch(r"(?=.{1,39}$)[A-Za-z0-9]+(-[A-Za-z0-9]+)*(_[A-Za-z0-9]+)?", GITHUB_OWNER):
        return None
    return "is no name of a GitHub account: letters, digits and single hyphens, at most 39"


for question, answer, reason, advice in (
    ("project_name", PROJECT_NAME, refuse_text(PROJECT_NAME), "answer with one line such as 'Flight Delays'"),
    ("description", DESCRIPTION, refuse_text(DESCRIPTION), "answer with one line of plain text"),
    ("project_name", PROJECT_NAME, refuse_name(), "choose another name, such as 'Flight Delays'"),
    (
        "github_owner",
        GITHUB_OWNER,
        refuse_owner(),
        "answer with the name of a user or organisation, such as 'octocat'",
    ),
):
    if reason:
        sys.exit(f"Error: {question} {answer!r} {reason}; {advice}.")
