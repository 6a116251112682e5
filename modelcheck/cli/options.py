"""Options that several commands share, and the values that they take."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


class Parameter(click.ParamType[tuple[str, str]]):
    """NAME=VALUE."""

    name = "NAME=VALUE"

    def convert(
        self,
        value: Any,  # noqa: ANN401  (click's signature)
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, str]:
        """Return the name and the text of the value."""
        if isinstance(value, tuple):
            return value
        name, equals, text = (part.strip() for part in str(value).partition("="))
        if not equals:
            guess = re.match(r"(\w+)\s*(?::|\s)\s*(\w+)$", str(value))
            hint = f": did you mean `{guess[1]}={guess[2]}`?" if guess else ""
            self.fail(f"`{value}` has no `=`: a parameter is set as NAME=VALUE{hint}", param, ctx)
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            self.fail(
                f"`{name}` is not the name of a parameter: write NAME=VALUE, without spaces", param, ctx
            )
        if not text:
            self.fail(f"`{name}` has no value: write {name}=VALUE", param, ctx)
        return name, text


class Size(click.ParamType[int]):
    """An amount of memory: a number with K, M, G or T."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        """Return the number of bytes."""
        found = _SIZE.fullmatch(str(value).strip())
        if found is None or not float(found[1]):
            self.fail(f"`{value}` is not an amount of memory: write for example 500M or 2G", param, ctx)
        return int(float(found[1]) * _UNITS[found[2].lower()])


class Seconds(click.ParamType[float]):
    """A time."""

    name = "SECONDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401
        """Return the number of seconds."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < math.inf:
            self.fail(f"`{value}` is not a time: write a number of seconds above 0", param, ctx)
        return seconds


class Workers(click.ParamType[int | None]):
    """A number of workers, or auto."""

    name = "N"

    def convert(
        self,
        value: Any,  # noqa: ANN401  (click's signature)
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int | None:
        """Return the number, None for auto."""
        from modelcheck.engine.engine import MOST_WORKERS

        text = str(value).strip()
        if text == "auto":
            return None
        if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MOST_WORKERS:
            self.fail(f"`{value}` is not a number from 1 to {MOST_WORKERS}, nor auto", param, ctx)
        return int(text)


def model_options(command: Command) -> Command:
    """Add the options that choose what is looked at in a file."""
    scenario = click.option("--scenario", metavar="NAME", help="Only this scenario.")
    parameters = click.option(
        "-p",
        "--param",
        "parameters",
        type=Parameter(),
        multiple=True,
        help="Set a parameter; the scenarios are then left out.",
    )
    return parameters(scenario(command))


def limit_options(command: Command) -> Command:
    """Add the options that say when to give up."""
    states = click.option(
        "--max-states", type=click.IntRange(min=1), metavar="N", help="Give up after N states."
    )
    memory = click.option(
        "--max-memory",
        type=Size(),
        metavar="SIZE",
        help="Give up at this much memory (default: 70% of what is free).",
    )
    seconds = click.option("--time-limit", type=Seconds(), metavar="SECONDS", help="Give up after this time.")
    workers = click.option(
        "--workers",
        type=Workers(),
        metavar="N",
        help="Search with N workers (default: auto, one for each CPU); the answers are the same.",
    )
    return states(memory(seconds(workers(command))))


def given(parameters: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return the parameters that were set; one that was set to two values is a mistake."""
    chosen: dict[str, str] = {}
    for name, value in parameters:
        if chosen.setdefault(name, value) != value:
            raise click.UsageError(f"parameter `{name}` is set twice: to {chosen[name]} and to {value}")
    return chosen


def free_memory() -> int | None:
    """Return 70% of the memory that is free now (SEMANTICS H17); None where that is not known."""
    from modelcheck.engine.memory import free_memory as free

    size = free()
    return None if size is None else size * 7 // 10
