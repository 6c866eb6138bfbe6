"""Fuzzing: whatever is done to a valid scenario, loading gives a scenario or one clear line, nothing else."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios import Scenario, ScenarioError, load
from scenarios.strict_yaml.reading import read_bytes
from tests.support.scenario_files import VALID

TREE: dict[str, Any] = yaml.load(VALID, Loader=yaml.BaseLoader)  # every scalar as the text it was
FUZZ = settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["2014-01", "2014-13", "alpha", "speech", "world.law.tax_rate", "firms.rival", "a.b.c", "1e999"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def check_one_line(make: Any) -> None:
    """The call returns a scenario or raises a `ScenarioError` whose lines are single lines."""
    try:
        assert isinstance(make(), Scenario)
    except ScenarioError as error:
        for message in [str(error), *error.all]:
            assert message and "\n" not in message and message.isprintable()


def paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All places in the tree below the top."""
    items: list[tuple[Any, Any]] = []
    if isinstance(node, dict):
        items = list(node.items())
    elif isinstance(node, list):
        items = list(enumerate(node))
    return [p for key, value in items for p in [(*path, key), *paths(value, (*path, key))]]


def mutate(tree: Any, path: tuple[Any, ...], how: str, value: Any) -> None:
    """Replace, delete or rename what stands at a path, if it is still there."""
    for part in path[:-1]:
        if isinstance(tree, dict) and part in tree:
            tree = tree[part]
        elif isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            return
    if not isinstance(tree, dict) or path[-1] not in tree:
        return
    if how == "replace":
        tree[path[-1]] = value
    elif how == "delete":
        del tree[path[-1]]
    else:
        tree[str(value)] = tree.pop(path[-1])


mutations = st.lists(
    st.tuples(st.sampled_from(paths(TREE)), st.sampled_from(["replace", "delete", "rename"]), values),
    min_size=1,
    max_size=3,
)


@pytest.mark.slow
@FUZZ
@given(mutations)
def test_mutated_documents(changes: list[tuple[tuple[Any, ...], str, Any]]) -> None:
    tree = copy.deepcopy(TREE)
    for path, how, value in changes:
        mutate(tree, path, how, value)
    text = yaml.dump(tree, Dumper=_NoAliases, allow_unicode=True, sort_keys=False)
    check_one_line(lambda: Scenario.from_document(read_bytes(text.encode("utf-8", "replace"), "fuzz.yaml")))


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


@FUZZ
@given(st.integers(0, len(VALID)), st.integers(0, 30), st.text(max_size=12))
def test_text_with_a_passage_replaced(position: int, length: int, passage: str) -> None:
    text = VALID[:position] + passage + VALID[position + length :]
    check_one_line(lambda: Scenario.from_document(read_bytes(text.encode("utf-8", "replace"), "fuzz.yaml")))


@pytest.mark.slow
@FUZZ
@given(st.binary(max_size=60), st.integers(0, len(VALID)))
def test_bytes_thrown_in(junk: bytes, position: int) -> None:
    content = VALID.encode()[:position] + junk + VALID.encode()[position:]
    check_one_line(lambda: Scenario.from_document(read_bytes(content, "fuzz.yaml")))


@pytest.mark.slow
@FUZZ
@given(
    st.dictionaries(
        st.one_of(st.text(max_size=12), st.sampled_from([".".join(map(str, p)) for p in paths(TREE)])),
        values,
        max_size=3,
    )
)
def test_overrides(scenario_file: Path, overrides: dict[str, Any]) -> None:
    check_one_line(lambda: load(scenario_file, overrides))


@pytest.fixture(scope="module")
def scenario_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fuzz") / "my.yaml"
    path.write_text(VALID, encoding="utf-8")
    return path


def test_the_fuzzed_document_is_valid_to_begin_with() -> None:
    text = yaml.dump(yaml.safe_load(VALID), sort_keys=False, default_flow_style=False)
    assert Scenario.from_document(read_bytes(text.encode(), "fuzz.yaml")).focal == "alpha"
