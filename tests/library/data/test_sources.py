"""Tests of what data.source can name, and of every way in which it can fail."""

from __future__ import annotations

import gzip
import http.server
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

import fsspec
import pandas as pd
import pytest
from fsspec.registry import known_implementations

from gitops_ml.core.errors import LifecycleError
from gitops_ml.core.settings import DataSettings
from gitops_ml.data import sources

FRAME = pd.DataFrame({"day": pd.to_datetime(["2024-01-02", "2024-01-01"]).as_unit("us"), "y": [1, 2]})


def source(url: str, query: str | None = None) -> DataSettings:
    return DataSettings(source=url, query=query, target="y", time="day")


@pytest.fixture
def parquet(tmp_path: Path) -> bytes:
    """The bytes of a small parquet file, ``a.parquet`` in the project."""
    FRAME.to_parquet(tmp_path / "a.parquet")
    return (tmp_path / "a.parquet").read_bytes()


@pytest.fixture
def website(tmp_path: Path) -> Iterator[str]:
    """The address of an HTTP server that lists and serves the project folder."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def database(tmp_path: Path) -> str:
    """The URL of a SQLite database in the project."""
    with sqlite3.connect(tmp_path / "flights.db") as connection:
        FRAME.astype({"day": str}).to_sql("flights", connection, index=False)
    connection.close()
    return "sqlite:///flights.db"


def refuse(call: Callable[[], object]) -> str:
    """Return the one sentence with which a call is refused."""
    with pytest.raises(LifecycleError) as refusal:
        call()
    sentence = str(refusal.value)
    assert "\n" not in sentence
    return sentence


def refuse_file(name: str, content: bytes, root: Path) -> str:
    (root / name).write_bytes(content)
    return refuse(lambda: sources.read_file(name, source(name), root))


def test_glob_lists_sorted_paths_below_the_project(tmp_path: Path) -> None:
    """Local paths are relative, with forward slashes, files only, hidden ones left out."""
    for name in ("b.csv", "sub/a.csv", "sub/.hidden.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("y\n1\n")
    (tmp_path / "folder.csv").mkdir()
    assert ["b.csv", "sub/a.csv"] == sources.list_files(source("**/*.csv"), tmp_path)


def test_absolute_glob(tmp_path: Path, parquet: bytes) -> None:
    """Data may lie outside the project."""
    path = f"{tmp_path}/a.parquet"
    assert [path] == sources.list_files(source(f"{tmp_path}/*.parquet"), tmp_path / "project")
    assert sha256(parquet).hexdigest() == sources.read_file(path, source(path), tmp_path / "project")[1]


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.csv.gz", "A.CSV"])
def test_same_table_from_any_format(tmp_path: Path, name: str) -> None:
    """Parquet, CSV and zipped CSV give the same frame, times included; digests are of the bytes."""
    FRAME.to_parquet(tmp_path / name) if "parquet" in name else FRAME.to_csv(tmp_path / name, index=False)
    frame, digest = sources.read_file(name, source(name), tmp_path)
    pd.testing.assert_frame_equal(FRAME, frame)
    assert sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    assert digest == sources.digest_file(name, source(name), tmp_path)


def test_named_index_becomes_a_column(tmp_path: Path) -> None:
    """What was written as the index of a frame is not lost."""
    FRAME.set_index("day").to_parquet(tmp_path / "a.parquet")
    frame, _ = sources.read_file("a.parquet", source("a.parquet"), tmp_path)
    pd.testing.assert_frame_equal(FRAME, frame)


def test_time_that_does_not_parse_is_left_to_the_contract(tmp_path: Path) -> None:
    """A bad date is a finding with a row, not an error without one."""
    (tmp_path / "a.csv").write_text("day,y\nyesterday,1\n")
    frame, _ = sources.read_file("a.csv", source("a.csv"), tmp_path)
    assert ["yesterday"] == frame["day"].tolist()


@pytest.mark.usefixtures("parquet")
def test_file_url(tmp_path: Path) -> None:
    """``file://`` URLs are listed, digested and read."""
    url = f"file://{tmp_path}/a.parquet"
    assert [url] == sources.list_files(source(f"file://{tmp_path}/*.parquet"), tmp_path)
    frame, digest = sources.read_file(url, source(url), tmp_path)
    pd.testing.assert_frame_equal(FRAME, frame)
    assert digest == sources.digest_file(url, source(url), tmp_path)


def test_memory_url(tmp_path: Path, parquet: bytes) -> None:
    """Any file system of fsspec works, here the one in memory."""
    fsspec.filesystem("memory").pipe_file("/shop/a.parquet", parquet)
    (url,) = sources.list_files(source("memory://shop/*.parquet"), tmp_path)
    pd.testing.assert_frame_equal(FRAME, sources.read_file(url, source(url), tmp_path)[0])
    fsspec.filesystem("memory").rm("/shop", recursive=True)


def test_http_glob(tmp_path: Path, parquet: bytes, website: str) -> None:
    """A web server that lists a folder can be globbed; digests are of what it sends."""
    url = f"{website}/a.parquet"
    assert [url] == sources.list_files(source(f"{website}/*.parquet"), tmp_path)
    frame, digest = sources.read_file(url, source(url), tmp_path)
    pd.testing.assert_frame_equal(FRAME, frame)
    assert sha256(parquet).hexdigest() == digest


@pytest.mark.usefixtures("parquet")
def test_http_file_with_a_token(tmp_path: Path, website: str) -> None:
    """A URL's query does not hide the type of its file."""
    url = f"{website}/a.parquet?version=3"
    assert [url] == sources.list_files(source(url), tmp_path)
    assert len(FRAME) == len(sources.read_file(url, source(url), tmp_path)[0])


def test_missing_on_the_web(tmp_path: Path, website: str) -> None:
    """A web server that answers 404 is told from one that does not answer."""
    assert "is missing" in refuse(lambda: sources.read_file(f"{website}/b.csv", source(website), tmp_path))


@pytest.mark.parametrize("name", ["a.csv", "*.csv"])
def test_unreachable_server(tmp_path: Path, name: str) -> None:
    """A server that cannot be reached is named, also where a glob would find nothing."""
    data = source(f"http://127.0.0.1:9/{name}")
    sentence = refuse(
        lambda: [sources.read_file(path, data, tmp_path) for path in sources.list_files(data, tmp_path)]
    )
    assert sentence.startswith(f"{data.source} cannot be read: Connect call failed")


def test_folder_that_may_not_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that refuses is told from one that has no such file, though fsspec's glob is silent."""

    def refuse_listing(*args: object, **options: object) -> None:
        raise PermissionError("no access")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "ls", refuse_listing)
    expected = "memory://shop/*.csv cannot be read: no access."
    assert expected == refuse(lambda: sources.list_files(source("memory://shop/*.csv"), tmp_path))


def test_missing_fsspec_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package of a file system, the sentence names it."""
    monkeypatch.setitem(known_implementations, "shop", {"class": "shopfs.Shop", "err": "Install shopfs"})
    expected = "shop://a/*.csv needs a package that is not installed: Install shopfs."
    assert expected == refuse(lambda: sources.list_files(source("shop://a/*.csv"), tmp_path))


def test_unknown_scheme(tmp_path: Path) -> None:
    """A SQL URL without a query is told what it lacks."""
    assert "data.query" in refuse(lambda: sources.list_files(source("sqlite:///flights.db"), tmp_path))


def test_password_in_a_remote_url(tmp_path: Path) -> None:
    """A password never gets as far as the lock."""
    sentence = refuse(lambda: sources.list_files(source("https://me:secret@host/a.csv"), tmp_path))
    assert "password" in sentence
    assert "secret" not in sentence


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.parquet", "matches no file"),
        ("data", "is a folder; name its files, such as 'data/*.parquet'"),
        ("*.txt", "a.txt is of an unknown type"),
    ],
)
def test_nothing_to_list(tmp_path: Path, pattern: str, expected: str) -> None:
    """A source that gives no data is refused when it is listed."""
    (tmp_path / "data").mkdir()
    (tmp_path / "a.txt").touch()
    assert expected in refuse(lambda: sources.list_files(source(pattern), tmp_path))


def test_missing_file(tmp_path: Path) -> None:
    """Reading and digesting say the same of a file that is gone."""
    expected = "a.csv is missing; restore it, or see 'mlops data status'."
    assert expected == refuse(lambda: sources.read_file("a.csv", source("a.csv"), tmp_path))
    assert expected == refuse(lambda: sources.digest_file("a.csv", source("a.csv"), tmp_path))


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.csv.gz"])
def test_empty_file(tmp_path: Path, name: str) -> None:
    """A file of no bytes is empty, whatever its type."""
    assert f"{name} is empty (0 bytes)" in refuse_file(name, b"", tmp_path)


def test_truncated_parquet(tmp_path: Path, parquet: bytes) -> None:
    """A parquet file without its end is truncated."""
    assert "a.parquet is truncated" in refuse_file("a.parquet", parquet[:-20], tmp_path)


def test_damaged_parquet(tmp_path: Path, parquet: bytes) -> None:
    """A parquet file with a hole in it is damaged."""
    damaged = parquet[:4] + bytes(len(parquet) - 8) + parquet[-4:]
    assert "a.parquet is a damaged parquet file" in refuse_file("a.parquet", damaged, tmp_path)


def test_truncated_gzip(tmp_path: Path) -> None:
    """A zipped CSV that ends early is refused, not read as far as it goes."""
    content = gzip.compress(b"day,y\n2024-01-01,1\n" * 50)
    assert "a.csv.gz is not a whole gzip file" in refuse_file("a.csv.gz", content[:-9], tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.parquet", b"day,y\n2024-01-01,1\n", "is not a parquet file"),
        ("a.csv", b"PAR1\0\1\2", "is not a CSV file: it holds bytes that are not text"),
        ("a.csv", "day,y\nM\xe4rz,1\n".encode("latin-1"), "is not UTF-8 text; save it as UTF-8"),
        ("a.csv", b"day,y\n1,2\n1,2,3\n", "is not a CSV file: Error tokenizing data"),
        ("a.csv", b"\n", "is not a CSV file: No columns to parse from file"),
        ("a.csv", b"day,y\n", "holds no rows"),
        ("a.csv.gz", b"day,y\n2024-01-01,1\n", "is not a whole gzip file"),
    ],
)
def test_wrong_content(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    """A file of another type than its name says is refused in one sentence."""
    assert f"{name} {expected}" in refuse_file(name, content, tmp_path)


def test_repeated_column(tmp_path: Path, database: str) -> None:
    """Two columns of one name cannot be told apart."""
    data = source(database, "SELECT y, y FROM flights")
    assert "has the column 'y' twice" in refuse(lambda: sources.read_file(database, data, tmp_path))


def test_query(tmp_path: Path, database: str) -> None:
    """A query is one entry, its path relative to the project, its times parsed."""
    data = source(database, "SELECT * FROM flights ORDER BY y")
    assert [database] == sources.list_files(data, tmp_path)
    pd.testing.assert_frame_equal(FRAME, sources.read_file(database, data, tmp_path)[0])


def test_digest_of_a_query_follows_its_rows(tmp_path: Path, database: str) -> None:
    """The same result has the same digest; a changed value, and a null for a text, another."""
    data = source(database, "SELECT * FROM flights ORDER BY y")
    digests = [sources.digest_file(database, data, tmp_path) for _ in range(2)]
    for value in ("''", "NULL"):
        with sqlite3.connect(tmp_path / "flights.db") as connection:
            connection.execute(f"UPDATE flights SET day = {value} WHERE y = 1")
        connection.close()
        digests.append(sources.digest_file(database, data, tmp_path))
    assert digests[0] == digests[1]
    assert 3 == len(set(digests))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT * FROM trains", "refused data.query: no such table: trains"),
        ("SELEC y", 'refused data.query: near "SELEC": syntax error'),
        ("SELECT * FROM flights WHERE y > 9", "holds no rows"),
        ("INSERT INTO flights VALUES ('2024-01-03', 3)", "refused data.query"),
    ],
)
def test_bad_query(tmp_path: Path, database: str, query: str, expected: str) -> None:
    """What the database says of a query is passed on."""
    sentence = refuse(lambda: sources.read_file(database, source(database, query), tmp_path))
    assert f"{database} {expected}" in sentence


def test_missing_database(tmp_path: Path) -> None:
    """SQLite would make an empty database of a wrong name; we do not let it."""
    data = source("sqlite:///trains.db", "SELECT 1")
    assert "is missing" in refuse(lambda: sources.read_file("", data, tmp_path))
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("nodialect://me:secret@host/flights", "nodialect://me@host/flights needs a SQLAlchemy dialect"),
        ("mysql+nodriver://me:secret@host/x?key=secret", "mysql+nodriver://me@host/x needs"),
        ("postgresql://me:secret@host:port/x", "postgresql://me@host:port/x is no SQL URL"),
        ("data/secret.csv", "data.query needs a SQL URL"),
    ],
)
def test_database_out_of_reach(tmp_path: Path, url: str, expected: str) -> None:
    """The sentence says what is missing, and never the password."""
    sentence = refuse(lambda: sources.read_file("", source(url, "SELECT 1"), tmp_path))
    assert sentence.startswith(expected)
    assert "secret" not in sentence


def test_driver_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database whose driver is missing names the package."""
    monkeypatch.setitem(sys.modules, "pymysql", None)
    sentence = refuse(
        lambda: sources.read_file("", source("mysql+pymysql://me:secret@host/x", "SELECT 1"), tmp_path)
    )
    assert "mysql+pymysql://me@host/x needs the package 'pymysql'; add it to pyproject.toml." == sentence


@pytest.mark.parametrize("password", ["secret", "sec:ret", "sec/ret", "sec?ret", "sec@ret", "$SECRET"])
def test_path_of_a_database_holds_no_password(tmp_path: Path, password: str) -> None:
    """What the lock and the messages show has neither password nor options, however they look."""
    data = source(f"postgresql://me:{password}@host:5432/flights?sslpassword=secret", "SELECT 1")
    assert ["postgresql://me@host:5432/flights"] == sources.list_files(data, tmp_path)


@pytest.mark.usefixtures("database")
def test_names_in_a_database_url_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password can be set outside params.yaml; the path in the lock keeps the name."""
    monkeypatch.setenv("SHOP", "flights")
    data = source("sqlite:///$SHOP.db", "SELECT y FROM flights")
    assert ["sqlite:///$SHOP.db"] == sources.list_files(data, tmp_path)
    assert [1, 2] == sources.read_file("sqlite:///$SHOP.db", data, tmp_path)[0]["y"].tolist()
