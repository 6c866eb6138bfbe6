"""Files of `ventures train --grid FILE.yaml`: whatever stands in one, it is a grid or gets one short line."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.cli.main import run_command
from analysis.errors import AnalysisError
from analysis.training.plans import FIELDS, product_of, read_grid
from scenarios import ScenarioError

MOST_SAID = 700
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Write a grid and train it; returns the one line with which that is refused. Nothing is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VENTURES_LEDGER", str(tmp_path / "ledger.sqlite"))

    def call(content: str | bytes, *options: str) -> str:
        Path("grid.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
        capfd.readouterr()
        code = run_command(("train", "--grid", "grid.yaml", *options))
        out, err = capfd.readouterr()
        assert (code, out) == (2, "") and [path.name for path in tmp_path.iterdir()] == ["grid.yaml"]
        assert err.count("\n") == 1 and len(err) < MOST_SAID and "Traceback" not in err
        assert err.startswith(("ventures: grid.yaml: ", "ventures: grid.yaml:")) or options
        return err

    return call


def bomb() -> str:
    """Nine levels of nine aliases: a few hundred bytes that stand for 387 million items."""
    text = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for one, below in zip("bcdefghi", "abcdefgh", strict=True):
        text += f"{one}: &{one} [{', '.join([f'*{below}'] * 9)}]\n"
    return text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (bomb(), "anchors and aliases ('&a') are not allowed"),
        ("task: [speech, &a digits, *a]", "anchors and aliases"),
        ("base: &base {rows: 64}\n<<: *base", "anchors and aliases"),
        ("rows: " + "[" * 20_000 + "]" * 20_000, "nested deeper than 40 levels"),
        ("[" * 20_000, "nested deeper than 40 levels"),
        ("{a: " * 20_000, "nested deeper than 40 levels"),
        ("rows: [64]\nrows: [128]", "grid.yaml:2: duplicate key 'rows', first on line 1"),
        ("rows: [64, 64]", "rows[1] = 64: stands there already"),
        ("label_noise: [0, 0.0]", "label_noise[1] = 0.0: stands there already"),
        ("rows: !!python/object/apply:os.system ['touch owned']", "the tag"),
        ("'" + "x" * 900 + "': [1]", "unknown key"),
        ("task: [" + "x" * 500_000 + "]", "task must be one of"),
        ("task: [" + ", ".join(f"x{number}" for number in range(3_000)) + "]", "and 2999 more problems"),
        ("".join(f"x{number}: 1\n" for number in range(3_000)), "and 2999 more problems"),
        ("seed: [" + ", ".join(map(str, range(30_000))) + "]", "has more than 20000 entries; no grid has"),
        ("rows: [64] # " + "x" * 2_000_000, "is larger than 1 MB; no grid is"),
        ("rows: [" + "9" * 5000 + "]", "at most 30 digits"),
        ("rows: [.nan]", "must be a finite number"),
        ("label_noise: [1e999]", "must be a finite number"),
        ("rows: [true]", "must be a whole number in [64, 8192], not True"),
        ("augmentation: [1]", "augmentation must be true or false, not 1"),
        ("rows: [[64]]", "rows[0] = [64]: must be a single value"),
        ("rows: {a: 1}", "must be a single value"),
        ("rows:", "rows has no value; give a list as in rows: [64, 512]"),
        ("rows: []", "rows has no value"),
        ("recipe: {optimizer: adam}", "unknown key 'recipe' in the grid"),
        ("task: [spech]", "did you mean 'speech'?"),
        ("kind: [linear, mlp]\ndp_noise: [0, 1]", "grid.yaml: --dp-noise needs one of the kinds"),
        ("rows: [64]\n---\nrows: [128]", "a second document begins here; a grid is one document"),
        ("", "is empty"),
        (b"task: [sp\xe9ech]", "is not UTF-8 text"),
        (b"rows: [64\x00]", "contains a control character"),
        ('task: ["a\\e[31mred"]', "task must be one of"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_grid_gets_one_short_line(refused: Callable[..., str], content: str, says: str) -> None:
    err = refused(content)
    assert says in err and "\x1b" not in err


@pytest.mark.parametrize("option", ["--rung 0", "--seed 0", "--label-noise 0", "--task speech", "--kind mlp"])
def test_what_stands_in_the_file_is_not_said_again(refused: Callable[..., str], option: str) -> None:
    name, value = option.split()
    field = name.removeprefix("--").replace("-", "_")
    assert f"{name} stands in grid.yaml too; say it once" in refused(f"{field}: [{value}]", name, value)


def test_what_is_no_file_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="is a directory"):
        read_grid(tmp_path)
    with pytest.raises(ScenarioError, match="no such file"):
        read_grid(tmp_path / "none.yaml")


def mutated(text: str, rng: random.Random) -> bytes:
    """The text with some bytes changed, lost, doubled or replaced by what YAML gives a meaning."""
    content = bytearray(text.encode())
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(content) + 1)
        what = rng.randrange(5)
        if what == 0 and at < len(content):
            content[at] = rng.randrange(256)
        elif what == 1:
            del content[at : at + rng.randint(1, 8)]
        elif what == 2:
            content[at:at] = content[at : at + rng.randint(1, 40)]
        elif what == 3:
            content[at:at] = rng.choice((b" ", b"\n", b"0", b"1", b",", b"#"))
        else:
            content[at:at] = rng.choice((b"&a ", b"*a", b"- ", b"[", b"{", b": ", b"\n", b"\t", b"!!", b"1e999", b"'"))
    return bytes(content)


def test_a_grid_changed_at_random_is_a_grid_or_gets_one_short_line(tmp_path: Path) -> None:
    whole = (
        "task: [speech, digits]\nkind: [linear, mlp]\nrows: [64, 512]\nlabel_noise: [0, 0.2]\n"
        "optimizer: [adam]\naugmentation: [true, false]\nseed: [0, 1]\n"
    )
    rng, file = random.Random(11), tmp_path / "grid.yaml"
    n_grids = n_refused = 0
    for _ in range(600):
        file.write_bytes(mutated(whole, rng))
        try:
            lists = read_grid(file)
            plans = product_of(lists, {}, 1)
        except (ScenarioError, AnalysisError) as error:
            n_refused += 1
            assert "\n" not in str(error) and len(str(error)) < MOST_SAID + len(str(tmp_path))
        else:
            n_grids += 1
            assert lists.keys() <= set(FIELDS) and len({plan.key() for plan in plans}) == len(plans)
    assert n_grids >= 20 and n_refused >= 300, (n_grids, n_refused)
