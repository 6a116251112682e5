"""What `modelcheck profile` prints: states by depth, what each component adds, pairs of threads, places, advice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelcheck.analysis.advice import Advice
from modelcheck.analysis.finding import listed
from modelcheck.analysis.profile import Profile, Spread
from modelcheck.report.contents import ProfileReport
from modelcheck.report.text import model_shown, statistics_line
from modelcheck.semantics.questions import Size

ROWS, BAR = 12, 40
COMPONENTS, PLACES, PAIRS = 16, 8, 5
"""So many are shown; the JSON has all."""

_ADDS = 1.005
"""What adds less is printed as x1.00, and follows from the rest, or nearly."""


def profile_text(report: ProfileReport) -> str:
    """Return the profile as text."""
    profile = report.profile
    size = statistics_line(profile.statistics, profile.stopped)
    lines = [model_shown(profile.model), *(f"  {line}" for line in size.splitlines())]
    if profile.levels:
        for part in (_levels(profile), _components(profile), _pairs(profile), _places(profile)):
            lines += ["", *(f"  {line}".rstrip() for line in part)]
    elif profile.statistics.states:
        lines += ["", "  there was no memory left to count what the states consist of"]
    if profile.statistics.states:
        lines += ["", *(f"  {line}" for line in _advice(report))]
    return "\n".join(lines)


def number(size: Size) -> str:
    """Return a size with commas; one that is not exact to three digits."""
    if size.exact:
        return f"{size.count:,}"
    unit = 10 ** max(len(str(size.count)) - 3, 0)
    return f"~{round(size.count / unit) * unit:,}"


# --- levels --------------------------------------------------------------------------------------


def _levels(profile: Profile) -> Iterator[str]:
    levels = profile.levels
    yield f"states by distance from the start: {_growth(profile)}"
    per_row = -(-len(levels) // ROWS)
    rows = [levels[n : n + per_row] for n in range(0, len(levels), per_row)]
    most = max(map(sum, rows))
    for n, row in enumerate(rows):
        first, last = n * per_row, n * per_row + len(row) - 1
        depth = f"{first}" if first == last else f"{first}-{last}"
        bar = "#" * round(BAR * sum(row) / most)
        yield f"  {depth:>9}  {sum(row):>13,}  {bar}"


def _growth(profile: Profile) -> str:
    levels = profile.complete_levels
    widest = max(levels, default=0)
    where = f"the widest level has {widest:,}, at {levels.index(widest)}" if levels else "none is complete"
    if not profile.stopped or len(levels) < 2:
        return where
    last = f"the last complete one has {levels[-1] / levels[-2]:.2f} times the states of the one before it"
    return f"still growing, {last}" if levels[-1] == widest else f"{where}; {last}"


# --- components ----------------------------------------------------------------------------------


def _components(profile: Profile) -> Iterator[str]:
    yield "what a state consists of, by how many times the states it adds:"
    spreads = list(_one_of_a_kind(profile))
    moving = [(each, alike) for each, alike in spreads if each.distinct.count > 1]
    yield from _table(
        [
            ("adds", "values", "", ""),
            *(
                (f"x{each.factor:.2f}", number(each.distinct), _named(each, alike), _seen(each))
                for each, alike in moving[:COMPONENTS]
            ),
        ]
    )
    if len(moving) > COMPONENTS:
        yield f"  and {len(moving) - COMPONENTS} more (--json has all)"
    fixed = [f"`{each.component.name}`" for each, _ in spreads if each.distinct.count <= 1]
    if fixed:
        yield f"  one value only: {listed(fixed[:COMPONENTS])}{', ...' * (len(fixed) > COMPONENTS)}"


def _one_of_a_kind(profile: Profile) -> Iterator[tuple[Spread, int]]:
    """Yield the components, of threads of one declaration the one that adds most, with how many there are."""
    threads = profile.model.threads
    count: dict[str, int] = {}
    for thread in threads:
        count[thread.declaration] = count.get(thread.declaration, 0) + 1
    for each in profile.spreads:
        if each.component.kind != "thread":
            yield each, 1
            continue
        assert each.component.thread is not None
        alike = count.pop(threads[each.component.thread].declaration, 0)
        if alike:
            yield each, alike


def _named(spread: Spread, alike: int) -> str:
    return f"{spread.component.kind} {spread.component.name}" + (f", one of {alike}" if alike > 1 else "")


def _seen(spread: Spread) -> str:
    parts = [spread.values] if spread.values else []
    if spread.follows:
        parts.append(f"follows from {spread.follows}")
    elif spread.factor < _ADDS:
        parts.append("follows from the others")
    return "; ".join(parts)


def _pairs(profile: Profile) -> Iterator[str]:
    if not profile.pairs:
        yield "one thread: there is nothing that it is multiplied by"
        return
    yield "pairs of threads: how many of the pairs of their own states occur together:"
    yield from _table(
        [
            (
                f"{100 * pair.share:.0f}%",
                f"{number(pair.distinct)} of {pair.product:,}",
                " and ".join(pair.names),
            )
            for pair in profile.pairs[:PAIRS]
        ]
    )


def _places(profile: Profile) -> Iterator[str]:
    whole = profile.sample == profile.statistics.states
    yield f"where threads stand, in how many of the states{'' if whole else f' (of {profile.sample:,} of them)'}:"
    yield from _table(
        [
            (f"{100 * each.share:.0f}%", each.declaration, str(each.span), each.text)
            for each in profile.standings[:PLACES]
        ]
    )


# --- advice --------------------------------------------------------------------------------------


def _advice(report: ProfileReport) -> Iterator[str]:
    if report.advice:
        yield "what would make it smaller, and how many times:"
    elif not report.interrupted:
        yield "nothing was found that would make it much smaller"
    for each in report.advice:
        place = f" ({each.span})" if each.span.source.text else ""
        yield f"  {_measured(each):>15}  {each.message}{place}"
    if report.interrupted:
        yield "interrupted: smaller models were not searched, or not all"


def _measured(advice: Advice) -> str:
    match advice.measure:
        case "searched":
            return f"{advice.factor:.1f}, searched"
        case "about":
            return f"about {advice.factor:.1f}"
        case "at most":
            return f"at most {advice.factor:.1f}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the rows with their columns one under the other; the first two flush right."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = [
            f"{cell:>{w}}" if n < 2 else f"{cell:<{w}}"
            for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        yield f"  {'  '.join(cells)}"
