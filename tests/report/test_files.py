"""Files are written whole or not at all; graphs in three forms; traces survive being saved."""

from __future__ import annotations

import json
import os
from pathlib import Path

import networkx as nx
import pytest

import modelcheck
from modelcheck.diagnostics import SpecError
from modelcheck.report.graph import dot, graphml, node_link, save_graph
from modelcheck.report.saving import save
from modelcheck.report.trace_file import as_json, load_trace, saved_trace
from tests.checking import ABBA, checked


@pytest.fixture
def abba(tmp_path: Path) -> Path:
    path = tmp_path / "abba.mck"
    path.write_text(ABBA, encoding="utf-8")
    return path


def test_a_file_that_is_written_leaves_nothing_beside_it(tmp_path: Path) -> None:
    save(tmp_path / "a.txt", "one")
    save(tmp_path / "a.txt", "two")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "two"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_failure_leaves_the_old_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "a.txt", "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SpecError, match="No space left on device"):
        save(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_permissions_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    save(path, "one")
    path.chmod(0o604)
    save(path, "two")
    assert path.stat().st_mode & 0o777 == 0o604


@pytest.mark.parametrize("name", ["", ".", "no/folder/a.txt", "\0", "a" * 300])
def test_a_place_that_cannot_be_written_is_a_diagnostic(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError) as raised:
        save(name, "text")
    assert raised.value.diagnostics[0].code == "MC007"
    assert os.listdir(tmp_path) == []


def test_a_device_is_written_to() -> None:
    save(os.devnull, "text")
    assert not Path(os.devnull).is_file()


def test_graphml_can_be_read_again(abba: Path, tmp_path: Path) -> None:
    graph = modelcheck.explore(modelcheck.load(abba))
    save_graph(tmp_path / "g.graphml", graph)
    again = nx.read_graphml(tmp_path / "g.graphml", force_multigraph=True)
    assert (again.number_of_nodes(), again.number_of_edges()) == (19, 22)
    assert {data["thread"] for *_, data in again.edges(data=True)} == {"one", "two"}
    assert graphml(graph).startswith("<?xml")


def test_node_link_json_can_be_read_again(abba: Path) -> None:
    graph = modelcheck.explore(modelcheck.load(abba))
    again = nx.node_link_graph(json.loads(node_link(graph)), edges="edges")
    assert nx.utils.graphs_equal(graph, again)


def test_dot_has_a_line_a_state_and_a_line_a_step(abba: Path) -> None:
    text = dot(modelcheck.explore(modelcheck.load(abba)))
    assert text.count(" -> ") == 22
    assert '[label="one: mutex_lock(a)"]' in text


def test_dot_escapes_what_would_end_a_label() -> None:
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(name='a"b')
    graph.add_node(0, text='say "hi"\\', initial=True, errors="")
    assert '\\"hi\\"\\\\' in dot(graph)


def test_a_trace_survives_being_saved(abba: Path, tmp_path: Path) -> None:
    report = checked(ABBA)
    saved = saved_trace(report.explainer, report.violations[0], (), {"N": "3"})
    save(tmp_path / "t.json", as_json(saved))
    assert load_trace(tmp_path / "t.json") == saved
    assert abba.exists()
