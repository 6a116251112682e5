"""What `conform` prints with --json: the report's envelope, with one entry of its own."""

from __future__ import annotations

from modelcheck.analysis.conformity import ConformReport, Ending, LogReport
from modelcheck.analysis.lock_sequences import Edge, OrderReport
from modelcheck.logs.log import Item
from modelcheck.report.json_report import Json, run_json


def conform_json(report: ConformReport) -> str:
    """Return what is known of each log."""
    content: Json = {
        "specification": report.specification,
        "log": report.file,
        "logs": [_log(each) for each in report.logs],
        "left": report.left,
        "never": [{"place": place, "statement": text} for place, text in report.never],
    }
    return run_json("conformance", content, report.exit_code)


def _log(each: LogReport) -> Json:
    return {
        "name": each.log.name,
        "model": each.model.name,
        "parameters": {key: str(value) for key, value in each.log.parameters.items()},
        "verdict": each.verdict,
        "items": each.events,
        "explained": each.explained,
        "visited": each.visited,
        "steps": each.steps,
        "stopped": each.stopped,
        "next": [_item(item) for item in each.next_items],
        "allowed": list(each.allowed),
        "endings": [_ending(ending) for ending in each.endings],
        "statements": len(each.statements),
        "taken": len(each.taken),
        "ignored": each.log.ignored,
        "left_out": each.log.left_out,
        "unmapped": dict(each.log.unmapped),
    }


def _item(item: Item) -> Json:
    return {"line": item.line, "thread": item.thread, "event": item.event, "values": dict(item.values)}


def _ending(ending: Ending) -> Json:
    return {
        "values": dict(ending.values),
        "wrong": [{"name": name, "model": model, "log": log} for name, model, log in ending.wrong],
        "threads": dict(ending.doing),
    }


def order_json(specification: str, file: str, report: OrderReport) -> str:
    """Return the comparison of lock sequences and lock order."""
    content: Json = {
        "specification": specification,
        "log": file,
        "logs": report.logs,
        "events": report.events,
        "mismatches": [
            {
                "thread": each.thread,
                "line": each.line,
                "times": times,
                "events": list(each.events),
                "allowed": list(each.allowed),
            }
            for each, times in zip(report.mismatches, report.times, strict=True)
        ],
        "both": _edges(report.edges),
        "only_log": _edges(report.only_log),
        "only_model": _edges(report.only_model),
    }
    return run_json("lock_comparison", content, report.exit_code)


def _edges(edges: tuple[Edge, ...]) -> list[list[str]]:
    return [list(edge) for edge in edges]
