"""A specification against what a running system has recorded: logs, and records of locks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from modelcheck.analysis.conformity import ConformReport, LogReport, conforming
from modelcheck.analysis.lock_events import LARGEST_RECORD, rows_of
from modelcheck.analysis.lock_sequences import OrderReport, compared
from modelcheck.analysis.log_names import check_names
from modelcheck.analysis.order_records import RecordedOrder, recorded_order
from modelcheck.language.elaborate import elaborate
from modelcheck.language.loading import read as read_source
from modelcheck.language.model import Model
from modelcheck.logs.log import LARGEST_LOG, Log
from modelcheck.logs.reading import logs_of
from modelcheck.pipeline import Options, Value, load


def conform(
    specification: str | Path,
    file: str | Path,
    mapping: str | Path | None = None,
    options: Options | None = None,
) -> ConformReport:
    """Say of each log in a file whether some run of the specification produces it. Raises SpecError.

    An interrupt ends it with what is known of the logs before.
    """
    options = options or Options()
    found: list[LogReport] = []
    pairs = list(logs(specification, file, mapping, options))
    with contextlib.suppress(KeyboardInterrupt):
        for model, log in pairs:
            found.append(conforming(model, log, options.limits))
    return ConformReport(str(specification), str(file), tuple(found), len(pairs) - len(found))


def compared_order(
    specification: str | Path,
    file: str | Path,
    mapping: str | Path | None = None,
    options: Options | None = None,
) -> OrderReport:
    """Compare lock sequences and lock-order edges of the logs in a file with the specification's. Raises SpecError."""
    pairs = list(logs(specification, file, mapping, options or Options()))
    for model, log in pairs:
        check_names(model, log)
    return compared(pairs[0][0], tuple(log for _, log in pairs))


def logs(
    specification: str | Path, file: str | Path, mapping: str | Path | None, options: Options
) -> Iterator[tuple[Model, Log]]:
    """Yield the logs of a file, each with the model of its parameters; those of the options go before."""
    specs = load(specification)
    logs = logs_of(
        read_source(file, LARGEST_LOG), None if mapping is None else read_source(mapping, LARGEST_LOG)
    )
    models_: dict[tuple[tuple[str, Value], ...], Model] = {}
    for log in logs:
        given = {**log.parameters, **options.parameters}
        key = tuple(sorted(given.items(), key=str))
        if key not in models_:
            models_[key] = elaborate(specs, given, options.scenario)
        yield models_[key], log


def locks_of_records(path: str | Path) -> RecordedOrder:
    """Return the lock order that a file of lock records shows. Raises SpecError."""
    source = read_source(path, LARGEST_RECORD)
    return recorded_order(source.name, rows_of(source))
