"""A file of records, by the adapter that the mapping names; without a mapping, a log in our own format."""

from __future__ import annotations

from modelcheck.diagnostics import Collector, near_miss
from modelcheck.logs import lock_rows, sysfs_rows
from modelcheck.logs.log import Lines, Log, read_log
from modelcheck.logs.mapping import Mapping, mapped, read_mapping
from modelcheck.source import Source, Span

ADAPTERS = {"locks": lock_rows.records_of, "sysfs": sysfs_rows.records_of}


def logs_of(source: Source, mapping: Source | None) -> tuple[Log, ...]:
    """Return the logs in a file. Raises SpecError (MC008) for what is wrong with it or with the mapping."""
    if mapping is None:
        return read_log(source)
    wanted = read_mapping(mapping)
    _check_format(wanted, mapping)
    runs = ADAPTERS[wanted.format](Lines(source))
    if not runs:
        problems = Collector()
        problems.error("MC008", Span(source, 0, 0), "there is no record in this file")
        problems.raise_errors()
    logs = mapped(wanted, source, runs)
    if not any(log.items for log in logs):
        problems = Collector()
        unmapped = [text for log in logs for text in log.unmapped]
        hint = f"no rule matches `{unmapped[0][:100]}`, for example" if unmapped else ""
        problems.error(
            "MC008", Span(mapping, 0, 0), "it makes no event of any record: nothing to compare", hint
        )
        problems.raise_errors()
    return logs


def _check_format(wanted: Mapping, mapping: Source) -> None:
    if wanted.format in ADAPTERS:
        return
    problems = Collector()
    hint = near_miss(wanted.format, ADAPTERS) or f"there are: {', '.join(sorted(ADAPTERS))}"
    problems.error("MC008", Span(mapping, 0, 0), f"there is no format `{wanted.format}`", hint)
    problems.raise_errors()
