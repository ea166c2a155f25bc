"""Schema and encoding of the prediction log: JSON lines or Parquet, with the same records."""

from __future__ import annotations

import io
from collections.abc import Callable

import pyarrow as pa

from ..contract.export import Column, ContractRecord

# As JSON has them; what is not named here is text there.
TYPES = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}


def make_encoder(name: str, schema: pa.Schema) -> Callable[[bytes], bytes]:
    """Return what turns JSON lines into the content of a file.

    Parameters
    ----------
    name : {'jsonl', 'parquet'}
    schema : pyarrow.Schema
        Of ``make_log_schema``.
    """
    return {"jsonl": bytes, "parquet": lambda lines: _to_parquet(lines, schema)}[name]


def make_log_schema(contract: ContractRecord, exclude: list[str], has_probabilities: bool) -> pa.Schema:
    """Return the schema of the log, which follows from the contract: the same in every file.

    Parameters
    ----------
    contract : ContractRecord
    exclude : list of str
        Features that are left out.
    has_probabilities : bool
        Whether the model gives a probability for each class.
    """
    columns = {column.name: column for column in contract.columns}
    features = [(name, _find_type(columns[name])) for name in contract.features if name not in exclude]
    return pa.schema(
        {
            "id": pa.string(),
            "time": pa.timestamp("us", "UTC"),
            "version": pa.string(),
            # Parquet has no place for a struct without fields.
            **({"features": pa.struct(features)} if features else {}),
            "prediction": pa.struct(_list_answer_fields(contract, has_probabilities)),
        }
    )


def _find_type(column: Column) -> pa.DataType:
    return pa.uint64() if column.dtype.lower() == "uint64" else TYPES.get(column.kind, pa.string())


def _list_answer_fields(contract: ContractRecord, has_probabilities: bool) -> list[tuple[str, pa.DataType]]:
    if contract.problem == "regression":
        return [("value", pa.float64())]
    shares = pa.struct([(name, pa.float64()) for name in contract.classes])
    return [("label", pa.string()), *([("probabilities", shares)] if has_probabilities else [])]


def _to_parquet(lines: bytes, schema: pa.Schema) -> bytes:
    # Here, since a log of JSON lines does without.
    import pyarrow.json
    import pyarrow.parquet

    parse = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    # One block: a record must not straddle two.
    read = pyarrow.json.ReadOptions(block_size=len(lines) + 1, use_threads=False)
    table = pyarrow.json.read_json(io.BytesIO(lines), read_options=read, parse_options=parse)
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table.select(schema.names), sink, compression="zstd")
    return sink.getvalue()
