"""The body of a request to columns of plain values: JSON, Arrow IPC or CSV."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from .converters import FROM_TEXT
from .errors import Problem, Refusal, refuse_body, refuse_rows, show

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
CSV = "text/csv"
NAN = float("nan")
# Messages of an Arrow stream that hold values; the second by its number in Message.fbs.
HOLDING_ROWS = ("record batch", "dictionary")
DICTIONARY = 2

Kinds = dict[str, str]


class _Missing:
    def __repr__(self) -> str:
        return "missing"


# Stands where a record lacks a column, which is not the same as null.
MISSING = _Missing()


@dataclass(frozen=True)
class Table:
    """Records by column: plain Python values as JSON has them, times as ISO 8601 strings."""

    columns: dict[str, list[Any]]
    n_rows: int


def merge(tables: list[Table]) -> Table:
    """Return the records of several tables, all with the same columns, as one."""
    if len(tables) == 1:
        return tables[0]
    columns = {
        name: [value for table in tables for value in table.columns[name]] for name in tables[0].columns
    }
    return Table(columns, sum(table.n_rows for table in tables))


def read_table(content_type: str, body: bytes, kinds: Kinds, max_rows: int) -> Table:
    """Read the records of a request.

    Parameters
    ----------
    content_type : str
        Of the request; empty means JSON.
    body : bytes
    kinds : dict of str to str
        Columns to read, with how their values are written; others are dropped, as the contract does.
    max_rows : int
        The most records that one request may bring.

    Raises
    ------
    Refusal
        415 for another type, 413 for too many records, 422 for a body that cannot be read.
    """
    kind = content_type.partition(";")[0].strip().lower() or JSON
    if kind not in READERS:
        raise Refusal(415, f"Expected {JSON}, {CSV} or {ARROW}, got {show(kind)}.")
    table = READERS[kind](body, kinds, max_rows)
    if not table.n_rows:
        raise refuse_body("at least one record", [])
    return table


def _refuse_rows_above(n_rows: int, max_rows: int) -> None:
    if n_rows > max_rows:
        raise Refusal(413, f"Expected at most {max_rows} records in a request, got {n_rows}.")


def _read_json(body: bytes, kinds: Kinds, max_rows: int) -> Table:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise refuse_body("JSON", f"{error.msg} at byte {error.pos}") from None
    records = [content] if isinstance(content, dict) else content
    if not isinstance(records, list):
        raise refuse_body("one record or a list of records", content)
    _refuse_rows_above(len(records), max_rows)
    wrong = [(row, record) for row, record in enumerate(records) if not isinstance(record, dict)]
    if wrong:
        raise refuse_rows([Problem(row, None, "an object", show(record)) for row, record in wrong])
    return Table({name: [record.get(name, MISSING) for record in records] for name in kinds}, len(records))


def _read_csv(body: bytes, kinds: Kinds, max_rows: int) -> Table:
    names = [*kinds]
    # All text: what "1e3" or an empty field means is for the contract to say.
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        include_columns=names,
        include_missing_columns=True,
        null_values=[""],
        strings_can_be_null=True,
    )
    try:
        header = pyarrow.csv.open_csv(io.BytesIO(body)).schema.names
        table = pyarrow.csv.read_csv(io.BytesIO(body), convert_options=convert)
    except (pa.ArrowException, ValueError) as error:
        raise refuse_body("CSV with a header", _first_line(error)) from None
    _refuse_twice(header, names)
    _refuse_rows_above(table.num_rows, max_rows)
    columns = {
        name: _read_text(table[name].to_pylist(), kind) for name, kind in kinds.items() if name in header
    }
    return _fill(columns, names, table.num_rows)


def _read_text(texts: list[str | None], kind: str) -> list[Any]:
    """Return fields of a column as JSON would have them."""
    read = FROM_TEXT.get(kind)
    return [None if text is None else read(text) for text in texts] if read else texts


def _read_arrow(body: bytes, kinds: Kinds, max_rows: int) -> Table:
    names = [*kinds]
    batches, n_rows = [], 0
    try:
        _refuse_compressed(body)
        with pa.ipc.open_stream(body) as reader:
            schema = reader.schema
            _refuse_twice(schema.names, names)
            for batch in reader:
                # A run of equal values is short on the wire, however long it is.
                n_rows += batch.num_rows
                _refuse_rows_above(n_rows, max_rows)
                # Offsets that point elsewhere would be followed into memory that is not theirs.
                batch.validate(full=True)
                batches.append(batch.select([name for name in names if name in schema.names]))
        columns = {
            name: [value for batch in batches for value in _to_json(batch[name])]
            for name in names
            if name in schema.names
        }
    except (pa.ArrowException, ValueError, OverflowError, TypeError, IndexError, OSError) as error:
        raise refuse_body("an Arrow IPC stream", _first_line(error)) from None
    return _fill(columns, names, n_rows)


def _refuse_compressed(body: bytes) -> None:
    """Look at the headers alone: a small body may unfold to more than the memory holds."""
    for message in pa.ipc.MessageReader.open_stream(body):
        if message.type in HOLDING_ROWS and _is_compressed(message.metadata.to_pybytes()):
            raise refuse_body("an Arrow IPC stream", "one that is compressed")


def _is_compressed(metadata: bytes) -> bool:
    """Tell whether a message names a compression: Arrow's Message.fbs, read as FlatBuffers are laid out."""
    message = _follow(metadata, 0)
    header = _find_field(metadata, message, 2)
    batch = _follow(metadata, header) if header else 0
    if batch and metadata[_find_field(metadata, message, 1) or 0] == DICTIONARY:
        data = _find_field(metadata, batch, 1)
        batch = _follow(metadata, data) if data else 0
    return bool(batch and _find_field(metadata, batch, 3))


def _follow(buffer: bytes, place: int) -> int:
    """Return where the table lies that an offset leads to."""
    return place + int.from_bytes(buffer[place : place + 4], "little")


def _find_field(buffer: bytes, table: int, number: int) -> int | None:
    """Return where a field of a table lies; None where it is not set."""
    fields = table - int.from_bytes(buffer[table : table + 4], "little", signed=True)
    slot = 4 + 2 * number
    if slot >= int.from_bytes(buffer[fields : fields + 2], "little"):
        return None
    offset = int.from_bytes(buffer[fields + slot : fields + slot + 2], "little")
    return table + offset if offset else None


def _to_json(array: pa.Array) -> list[Any]:
    """Return the values of an Arrow column as JSON has them."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        text = pc.strftime(array.cast(pa.timestamp(kind.unit)), format="%Y-%m-%dT%H:%M:%S")
        return [value if value is None or kind.tz is None else value + "Z" for value in text.to_pylist()]
    if pa.types.is_duration(kind):
        return [None if value is None else pd.Timedelta(value).isoformat() for value in array.to_pylist()]
    return list(array.to_pylist())


def _fill(columns: dict[str, list[Any]], names: list[str], n_rows: int) -> Table:
    return Table({name: columns.get(name, [MISSING] * n_rows) for name in names}, n_rows)


def _refuse_twice(header: list[str], names: list[str]) -> None:
    twice = [name for name in names if header.count(name) > 1]
    if twice:
        raise refuse_rows([Problem(None, name, "one column of this name", "several") for name in twice])


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["nothing that can be read"])[0]


READERS: dict[str, Callable[[bytes, Kinds, int], Table]] = {
    JSON: _read_json,
    CSV: _read_csv,
    ARROW: _read_arrow,
}
