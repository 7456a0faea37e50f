"""Reads an export with other people's programs and tells as JSON what each of them found."""

import json
import sys

import numpy


def number(value):
    return float(f"{float(value):.3f}")


def by_pandas(path):
    import pandas

    frame = pandas.read_parquet(path, engine="pyarrow")
    words = frame.groupby("validity").size()
    known = frame[["parameter", "unit"]].drop_duplicates()
    return {
        "rows": len(frame),
        "values": int(frame["value"].notna().sum()),
        "sum": number(frame["value"].astype("float64").sum()),
        "first_ns": int(frame["time"].min().value),
        "last_ns": int(frame["time"].max().value),
        "is_utc": str(frame["time"].dtype) == "datetime64[ns, UTC]",
        "in_order": bool(frame["time"].is_monotonic_increasing),
        "validity": {str(word): int(count) for word, count in words.items()},
        "units": dict(zip(known["parameter"], known["unit"])),
        "boots": sorted({int(boot) for boot in frame["boot"]}),
        "late": int(frame["backfilled"].sum()),
    }


def by_polars(path):
    import polars

    frame = polars.read_parquet(path)
    words = frame.group_by("validity").len()
    known = frame.select("parameter", "unit").unique()
    whole = frame["time"].cast(polars.Int64)
    return {
        "rows": frame.height,
        "values": frame.height - frame["value"].null_count(),
        "sum": number(frame["value"].cast(polars.Float64).sum()),
        "first_ns": whole.min(),
        "last_ns": whole.max(),
        "is_utc": frame["time"].dtype == polars.Datetime("ns", "UTC"),
        "in_order": whole.is_sorted(),
        "validity": dict(words.iter_rows()),
        "units": dict(known.iter_rows()),
        "boots": sorted(frame["boot"].unique().to_list()),
        "late": int(frame["backfilled"].sum()),
    }


def by_duckdb(path):
    import duckdb

    ask = lambda what: duckdb.sql(f"SELECT {what} FROM '{path}'").fetchall()
    rows, values, total, first, last, late = ask(
        "count(*), count(value), sum(value::DOUBLE), epoch_ns(min(time)), epoch_ns(max(time)), "
        "count(*) FILTER (backfilled)"
    )[0]
    kind = ask("typeof(time)")[0][0]
    words = duckdb.sql(f"SELECT validity, count(*) FROM '{path}' GROUP BY validity").fetchall()
    apart = duckdb.sql(
        f"SELECT count(*) FROM (SELECT time < lag(time) OVER (ORDER BY file_row_number) AS back "
        f"FROM read_parquet('{path}', file_row_number = true)) WHERE back"
    ).fetchall()[0][0]
    return {
        "rows": rows,
        "values": values,
        "sum": number(total),
        "first_ns": first,
        "last_ns": last,
        # Before version 2 it had no type for nanoseconds with a zone; the numbers are those of UTC either way.
        "is_utc": kind in ("TIMESTAMPTZ_NS", "TIMESTAMP_NS"),
        "in_order": apart == 0,
        "validity": dict(words),
        "units": dict(ask("DISTINCT parameter, unit")),
        "boots": sorted(boot for (boot,) in ask("DISTINCT boot")),
        "late": late,
    }


def notes(path):
    import pyarrow.parquet

    kept = pyarrow.parquet.read_metadata(path).metadata
    return {key.decode(): value.decode() for key, value in kept.items() if key.startswith(b"ecmo.")}


def by_vitaldb(path):
    import vitaldb

    file = vitaldb.VitalFile(path)
    found = {}
    for name in file.get_track_names():
        track = file.trks[name]
        told = {"unit": track.unit, "rate": number(track.srate), "type": track.type}
        if track.type == 5:
            told["texts"] = [[number(one["dt"]), one["val"]] for one in track.recs]
        else:
            interval = 1 / track.srate if track.srate else 1
            values = file.to_numpy([name], interval)[:, 0].astype("float64")
            values = values[~numpy.isnan(values)]
            told |= {"values": len(values), "sum": number(values.sum())}
        found[name] = told
    return {"tracks": found, "from": number(file.dtstart), "to": number(file.dtend)}


def main():
    kind, path = sys.argv[1:]
    if kind == "vital":
        found = by_vitaldb(path)
    else:
        found = {
            "pandas": by_pandas(path),
            "polars": by_polars(path),
            "duckdb": by_duckdb(path),
            "notes": notes(path),
        }
    print(json.dumps(found))


main()
