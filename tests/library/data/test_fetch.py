"""New data are copied to where they are looked for, whole or not at all."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.settings import DataSettings
from gitops_ml.data.fetch import fetch, find_obstacle
from toys import edit_params, mlops, run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a file, and a place where two are delivered, the same among them."""
    (tmp_path / "project/data").mkdir(parents=True)
    (tmp_path / "delivery").mkdir()
    write(tmp_path / "project/data/a.parquet", 1)
    write(tmp_path / "delivery/a.parquet", 9)
    write(tmp_path / "delivery/b.parquet", 2)
    return tmp_path / "project"


def write(path: Path, value: int) -> None:
    pd.DataFrame({"x": [value]}).to_parquet(path)


def make_settings(root: Path, **changes: str | None) -> DataSettings:
    """Return the settings of data that are delivered beside a project."""
    return DataSettings.model_validate(
        {"target": "y", "source": "data/*.parquet", "fetch": f"{root.parent}/delivery/*.parquet"} | changes
    )


def refuse(settings: DataSettings, root: Path) -> str:
    """Return why fetching is refused; the data must be as they were."""
    before = read(root)
    with pytest.raises(LifecycleError) as refused:
        fetch(settings, root)
    assert before == read(root)
    return str(refused.value)


def read(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "data").iterdir()}


def test_new_files_are_copied(root: Path) -> None:
    """What is new comes, what is there stays as it is, and the second time nothing comes."""
    before = read(root)
    assert ["data/b.parquet"] == fetch(make_settings(root), root).files
    expected = before | {"b.parquet": (root.parent / "delivery/b.parquet").read_bytes()}
    assert expected == read(root)
    assert [] == fetch(make_settings(root), root).files


def test_address(root: Path) -> None:
    """The place may be anywhere that fsspec knows."""
    address = (root.parent / "delivery").as_uri()
    assert ["data/b.parquet"] == fetch(make_settings(root, fetch=f"{address}/*.parquet"), root).files


def test_half_written_file_is_left(root: Path) -> None:
    """A file that cannot be read yet does not come, is named, and comes when it is whole."""
    path = root.parent / "delivery/c.parquet"
    write(path, 3)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    fetched = fetch(make_settings(root), root)
    assert (["data/b.parquet"], ["c.parquet"]) == (fetched.files, list(fetched.left))
    path.write_bytes(whole)
    assert ["data/c.parquet"] == fetch(make_settings(root), root).files


def test_file_that_has_only_begun(root: Path) -> None:
    """A file without a byte holds up nothing that comes after it."""
    (root.parent / "delivery/a1.parquet").touch()
    fetched = fetch(make_settings(root), root)
    assert (["data/b.parquet"], ["a1.parquet"]) == (fetched.files, list(fetched.left))


def test_two_files_of_one_name(root: Path) -> None:
    """The second would replace the first: nothing comes."""
    (root.parent / "delivery/more").mkdir()
    write(root.parent / "delivery/more/b.parquet", 3)
    sentence = refuse(make_settings(root, fetch=f"{root.parent}/delivery/**/*.parquet"), root)
    assert "data.fetch delivers 'b.parquet' twice; each file needs a name of its own." == sentence


@pytest.mark.parametrize(
    ("fetch", "expected"),
    [
        ("data", "data.fetch 'data' is a folder"),
        ("ftp://me:secret@example.org/*.parquet", "data.fetch holds a password"),
        ("nowhere://x/*.parquet", "data.fetch has the scheme 'nowhere'"),
    ],
)
def test_place_that_is_none(root: Path, fetch: str, expected: str) -> None:
    """The sentence names the setting that is wrong, and gives no secret away."""
    sentence = refuse(make_settings(root, fetch=fetch), root)
    assert (True, False) == (sentence.startswith(expected), "secret" in sentence)


def test_signed_address(root: Path) -> None:
    """A file is called what its address says before the question mark; what comes after stays secret."""
    address = "memory://signed/c.parquet?signature=secret"
    reason = fetch(make_settings(root, fetch=address), root).left["c.parquet"]
    assert "memory://signed/c.parquet?*** is missing" in reason


def test_nothing_is_delivered_yet(root: Path) -> None:
    """An empty place is no problem."""
    assert [] == fetch(make_settings(root, fetch=f"{root.parent}/nowhere/*.parquet"), root).files


def test_files_that_no_run_would_read(root: Path) -> None:
    """A name that the source does not match is refused, rather than copied for nobody."""
    (root.parent / "delivery/d.csv").write_text("x\n1\n")
    sentence = refuse(make_settings(root, fetch=f"{root.parent}/delivery/*.csv"), root)
    assert "data.fetch delivers 'd.csv', which data.source 'data/*.parquet' does not match" in sentence


@pytest.mark.parametrize("source", ["data/one.parquet", "data/*/x.parquet", "*/*.parquet"])
def test_source_without_a_folder(root: Path, source: str) -> None:
    """There must be one folder to which new files belong."""
    assert "does not say where new files go" in refuse(make_settings(root, source=source), root)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"fetch": None}, "data.fetch is not set in params.yaml"),
        ({"source": "s3://bucket/*.parquet"}, "data.source is not on this machine"),
        ({"source": "sqlite:///x.db", "query": "SELECT 1"}, "data.source is not on this machine"),
        ({}, None),
    ],
)
def test_nothing_to_fetch(root: Path, changes: dict[str, str | None], expected: str | None) -> None:
    """Where there is nothing to copy, one sentence says so."""
    obstacle = find_obstacle(make_settings(root, **changes))
    assert (expected or "") in (obstacle or "")
    assert (expected is None) == (obstacle is None)


DELIVERIES = """
import pandas as pd
def tables(present):
    yield "a.parquet", pd.DataFrame({"x": [9]})
    yield "z.parquet", pd.DataFrame({"x": [len(present)]})
def repeat(present):
    yield "z.parquet", pd.DataFrame({"x": [1]})
    yield "z.parquet", pd.DataFrame({"x": [2]})
def escape(present):
    yield "../evil.parquet", pd.DataFrame({"x": [1]})
"""


@pytest.fixture
def deliveries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module beside the package, with functions that fetch."""
    (tmp_path / "own_deliveries.py").write_text(DELIVERIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_deliveries", raising=False)


@pytest.mark.usefixtures("deliveries")
def test_function(root: Path) -> None:
    """A function is told what is there, and gives tables; what is there already is not replaced."""
    before = read(root)["a.parquet"]
    assert ["data/z.parquet"] == fetch(make_settings(root, fetch="own_deliveries:tables"), root).files
    assert [1] == pd.read_parquet(root / "data/z.parquet")["x"].tolist()
    assert before == read(root)["a.parquet"]


@pytest.mark.usefixtures("deliveries")
def test_function_that_repeats_itself(root: Path) -> None:
    """What has come once is not replaced."""
    with pytest.raises(LifecycleError, match=r"delivers 'z\.parquet' twice"):
        fetch(make_settings(root, fetch="own_deliveries:repeat"), root)
    assert [1] == pd.read_parquet(root / "data/z.parquet")["x"].tolist()


@pytest.mark.usefixtures("deliveries")
def test_function_that_leads_out(root: Path) -> None:
    """A name cannot leave the folder."""
    sentence = refuse(make_settings(root, fetch="own_deliveries:escape"), root)
    assert "data.fetch delivers '../evil.parquet'" in sentence


@pytest.mark.usefixtures("deliveries")
@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("own_deliveries:nothing", "'own_deliveries' has no function 'nothing'"),
        ("no_such_module:tables", "there is no module 'no_such_module'"),
    ],
)
def test_function_that_is_not_there(root: Path, reference: str, problem: str) -> None:
    """One sentence names it."""
    expected = f"data.fetch names '{reference}', but {problem}."
    assert expected == refuse(make_settings(root, fetch=reference), root)


def test_command(project: Path, tmp_path: Path) -> None:
    """The command says what came, and what to do with what does not keep the contract."""
    assert "data.fetch is not set" in run("data", "fetch").output
    delivery = tmp_path / "delivery"
    delivery.mkdir()
    first = sorted((project / "data").iterdir())[0]
    (delivery / "new.parquet").write_bytes(first.read_bytes())
    edit_params(project, data={"fetch": f"{delivery}/*.parquet"})
    assert "data/new.parquet\n" == run("data", "fetch").stdout
    assert "Nothing new has been delivered.\n" == run("data", "fetch").stdout
    (project / "data/broken.parquet").write_bytes(b"x")
    result = run("data", "accept", "--valid")
    assert "data.lock lists 3 files" in result.stdout
    assert "Left out: data/broken.parquet is not a parquet file" in result.stderr
    again = mlops("data", "accept", "--valid")
    assert (1, True) == (again.exit_code, "No new file keeps the contract" in again.stderr)
    assert 2 == mlops("data", "accept", "--valid", "--replace").exit_code
