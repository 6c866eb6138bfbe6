"""Plots can be read: any text is drawn without a warning, no two lines, endings or rows look alike."""

from __future__ import annotations

import itertools
import json
import logging
import warnings
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import get_args

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.cli.main import run_command
from analysis.plots import file_names
from analysis.plots.base_rates import COLOURS, MARKERS
from analysis.plots.effects import plot_differences
from analysis.plots.endings import plot_endings
from analysis.plots.marks import Label, Mark, apart, draw_marks
from analysis.plots.sectors import MOST_BANDS, plot_sectors
from analysis.plots.style import BAD, ENDING_COLOURS, FOCAL, GOOD, MUTED, RIVALS, canvas, ink_on, line_styles
from analysis.plots.text import NOTE, labels, make_drawable, one_line, signs_of
from analysis.runs.months import RunMonths
from analysis.runs.names import MOST_BYTES
from analysis.statistics.intervals import Interval
from simulation.records.endings import EndingKind
from tests.support.explain_fakes import ENGINE
from tests.support.quick_cli import SMALL

HOSTILE = (
    "costs $5 and $6",
    "$\\frac{a}{b}$ and \\$x",
    "语音市场：便宜的云",
    "a\tb \x07 \u202e c",
    "👍 ᚠ \U000e0041",
    "_hidden",
    "long " * 60,
    "x" * 240,
    "%s {braces} #1 & ~",
)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Figure]]:
    """Figures as they were saved; any warning or complaint of a library on the way fails the test."""
    figures: list[Figure] = []
    save = Figure.savefig

    def kept(figure: Figure, *arguments: object, **options: object) -> None:
        figures.append(figure)
        save(figure, *arguments, **options)  # type: ignore[arg-type]

    complaints: list[logging.LogRecord] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = complaints.append  # type: ignore[method-assign]
    logging.getLogger("matplotlib").addHandler(handler)
    monkeypatch.setattr(Figure, "savefig", kept)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield figures
    logging.getLogger("matplotlib").removeHandler(handler)
    assert not [one.getMessage() for one in complaints]


def words(figure: Figure) -> list[str]:
    """All texts of a figure, each in one line."""
    return [" ".join(text.get_text().split()) for text in figure.findobj(Text) if text.get_text()]


# -- texts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_drawn_in_every_place_without_a_warning(text: str, drawn: list[Figure], tmp_path: Path) -> None:
    effect = Interval(1.0, 0.5, 1.5, 10)
    plot_differences([(text[:80], text[:80], [(text, effect), (f"{text}!", effect)])], text, tmp_path / "d.png")
    shares = {name: pd.Series({"alive": 0.5, "bankrupt": 0.5}) for name in (text, f"{text}!")}
    plot_endings(shares, text, tmp_path / "e.png")
    assert len(drawn) == 2 and all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.glob("*"))
    for figure in drawn:
        axes = figure.axes[0]
        assert axes.get_position().width > 0.3, "texts leave room for the picture"
        rows = [tick.get_text() for tick in axes.get_yticklabels()]
        assert len(set(rows)) == len(rows) == 2


def test_a_dollar_is_a_dollar(drawn: list[Figure], tmp_path: Path) -> None:
    """Two of them are no formula, with or without a person's own settings."""
    with mpl.rc_context({"text.parse_math": True, "axes.formatter.use_mathtext": True}):
        plot_endings({"from $5 to $6": pd.Series({"alive": 1.0})}, "$x$", tmp_path / "e.png")
    (figure,) = drawn
    assert {"from $5 to $6", "$x$"} <= set(words(figure))
    assert not any(text.get_parse_math() for text in figure.findobj(Text) if text.get_text())


def test_a_logarithmic_axis_has_powers_and_no_formulae(drawn: list[Figure], tmp_path: Path) -> None:
    with canvas(tmp_path / "l.png", 6, 4) as figure:
        axes = figure.subplots()
        axes.plot([1e-3, 1e3], [1, 64])
        axes.set_xscale("log")
        axes.set_yscale("log", base=2)
    told = words(drawn[0])
    assert {"10⁻²", "10⁰", "2⁴"} <= set(told) and not any("$" in text or "mathdefault" in text for text in told)


def test_signs_without_a_font_are_told_by_their_code_points_with_a_note(drawn: list[Figure], tmp_path: Path) -> None:
    """Hieroglyphs of the last resort: no usual font has them. Different names stay different."""
    first, second = "\U00014400\U00014401", "\U00014400\U00014402"
    assert not any(
        first[0] in signs_of(font.name) for font in font_manager.fontManager.ttflist if "Last" not in font.name
    )
    plot_endings({f"{first} a": pd.Series({"alive": 1.0}), second: pd.Series({"alive": 1.0})}, "t", tmp_path / "e.png")
    told = words(drawn[0])
    assert {"⟨14400 14401⟩ a", "⟨14400 14402⟩", NOTE} <= set(told)
    plot_endings({"plain": pd.Series({"alive": 1.0})}, "t", tmp_path / "e.png")
    assert NOTE not in words(drawn[1])


@pytest.fixture
def small_font(tmp_path: Path) -> Iterator[str]:
    """A font with two Chinese signs and nothing else, for as long as the test lasts."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    name, signs = "Ventures Test Song", "语音"
    builder = FontBuilder(1000, isTTF=True)
    glyphs = [".notdef", *(f"uni{ord(sign):04X}" for sign in signs)]
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap({ord(sign): f"uni{ord(sign):04X}" for sign in signs})
    pen = TTGlyphPen(None)
    for move, point in zip((pen.moveTo, pen.lineTo, pen.lineTo), ((0, 0), (900, 0), (450, 900)), strict=True):
        move(point)
    pen.closePath()
    builder.setupGlyf(dict.fromkeys(glyphs, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 0)))
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": name, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "song.ttf")
    before = list(font_manager.fontManager.ttflist)
    font_manager.fontManager.addfont(tmp_path / "song.ttf")
    yield name
    font_manager.fontManager.ttflist[:] = before
    signs_of.cache_clear()


def test_signs_are_drawn_where_a_font_has_them(drawn: list[Figure], small_font: str, tmp_path: Path) -> None:
    """Bold titles too, of a font that has no bold letters; what that font lacks is told by its code point."""
    plot_endings({"语音 one": pd.Series({"alive": 1.0}), "语云": pd.Series({"alive": 1.0})}, "语音", tmp_path / "e.png")
    told = set(words(drawn[0]))
    assert {"语音 one", "语音"} <= told
    assert ("语⟨4E91⟩" in told) != ("语云" in told), "this machine may have another font for it"
    families = {
        family for text in drawn[0].findobj(Text) if "语" in text.get_text() for family in text.get_fontfamily()
    }
    assert small_font in families


def test_a_figure_without_strange_signs_uses_no_more_fonts(tmp_path: Path) -> None:
    figure = Figure()
    FigureCanvasAgg(figure)
    figure.subplots().set_title("plain – §2 ≥ 5")
    assert make_drawable(figure) == (["DejaVu Sans"], False) or "Arial" in make_drawable(figure)[0]


@given(st.lists(st.text(max_size=120), max_size=6), st.integers(8, 40), st.integers(1, 3))
@settings(max_examples=200)
def test_labels_of_different_texts_differ_and_fit(texts: list[str], width: int, lines: int) -> None:
    told = dict(zip(texts, labels(texts, width, lines), strict=True))
    different = {" ".join(text.split()) for text in texts}
    assert len(set(told.values())) >= len(different - {""})
    for label in told.values():
        assert len(label.split("\n")) <= lines
        assert all(len(line) <= width + len(" (6)") for line in label.split("\n"))


def test_a_text_that_is_cut_keeps_both_ends() -> None:
    assert one_line("policies/" + "x" * 100 + "-strict", 30).startswith("policies/")
    assert one_line("policies/" + "x" * 100 + "-strict", 30).endswith("-strict")
    assert one_line("  as \n it is ", 30) == "as it is"


def test_files_of_plots_have_names_of_their_own() -> None:
    assert file_names(["cases/vision", "my"]) == {"cases/vision": "vision", "my": "my"}
    alike = file_names(["cases/vision", "vision", "a/vision"])
    assert len(set(alike.values())) == 3
    (long,) = file_names(["x" * 250]).values()
    assert len(long.encode()) <= MOST_BYTES


# -- every plot of every command --------------------------------------------------------------------------------------

COMMANDS = {
    "run m.yaml": {"sectors", "endings", "trajectory"},
    "cases m.yaml --shapley --placebo": {"m-trajectory", "m-endings", "m-causes", "shapley", "placebo"},
    "compare m.yaml --with": {"differences", "endings"},
    "validate-world m.yaml --targets t.yaml": {"base-rates"},
}
WHATIF = "whatif: true\ntitle: x\nset: {firms.iris.capital_usd: 4e5}\n"


QUICKEST = "compare m.yaml --with"


@pytest.mark.parametrize(
    "command", [pytest.param(one, marks=() if one == QUICKEST else pytest.mark.slow) for one in COMMANDS]
)
def test_no_command_lets_a_library_complain(
    command: str,
    drawn: list[Figure],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Of texts with dollars, in Chinese, and too long, wherever a person can write one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VENTURES_LEDGER", ":memory:")
    monkeypatch.setattr("analysis.play.experiment.real_engine", lambda: ENGINE)
    text = f"{HOSTILE[0]} {HOSTILE[2]} [/b] {HOSTILE[6]}"
    for plain in ("A small market", "It has few customers.", "Little money.", '"1"'):
        assert plain in SMALL
    setup = SMALL.replace('"1"', json.dumps(text, ensure_ascii=False)).replace("few,", "few-and-much-" + "x" * 60 + ",")
    Path("m.yaml").write_text(setup, "utf-8")
    whatifs = [f"./{name} $x$ $y$ 语音.yaml" for name in ("w", "w" * 150)]
    for path in whatifs:
        Path(path).write_text(WHATIF)
    Path("t.yaml").write_text(targets(text), "utf-8")
    more = whatifs if "--with" in command else []
    code = run_command([*command.split(), *more, "-n", "2", "-j", "1", "--out", "here"])
    out, err = capfd.readouterr()
    assert code == 0, err
    assert {path.stem for path in Path("here/plots").glob("*.png")} == COMMANDS[command]
    assert "arning" not in out + err and len(drawn) == len(COMMANDS[command])


def targets(text: str) -> str:
    """Targets with these words: a share, a wait and two amounts far from each other, one of which nobody reaches."""
    shipped = yaml.safe_load((files("analysis.base_rates") / "targets.yaml").read_text("utf-8"))["targets"]
    by_unit = {one.get("unit", ""): one for one in shipped}
    own = [{**one, "says": f"{text} {number}"} for number, one in enumerate(by_unit.values())]
    return yaml.safe_dump({"targets": own}, allow_unicode=True)


# -- colours ----------------------------------------------------------------------------------------------------------

TO_LMS = np.array(
    [[0.31399022, 0.63951294, 0.04649755], [0.15537241, 0.75789446, 0.08670142], [0.01775239, 0.10944209, 0.87256922]]
)
MISSING = {  # Viénot, Brettel and Mollon 1999: what a person without these cones sees, in the space of the cones
    "nothing": np.eye(3),
    "red": np.array([[0, 1.05118294, -0.05116099], [0, 1, 0], [0, 0, 1]]),
    "green": np.array([[1, 0, 0], [0.9513092, 0, 0.04866992], [0, 0, 1]]),
}
TOLD_APART = 15.0  # CIE 1976 colour difference; 2.3 is just noticed side by side


def seen(colour: object, missing: str) -> np.ndarray:
    """CIELAB coordinates of a colour as a person without those cones sees it."""
    rgb = np.asarray(to_rgb(colour))  # type: ignore[arg-type]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.linalg.inv(TO_LMS) @ MISSING[missing] @ TO_LMS @ linear, 0, 1)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    ratio = to_xyz @ linear / np.array([0.95047, 1.0, 1.08883])
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def nearest(colours: dict[str, object], missing: str) -> tuple[float, tuple[str, str]]:
    """The smallest difference between two of the colours, and which they are."""
    pairs = itertools.combinations(colours, 2)
    return min((float(np.linalg.norm(seen(colours[a], missing) - seen(colours[b], missing))), (a, b)) for a, b in pairs)


@pytest.mark.parametrize("missing", MISSING)
def test_endings_and_verdicts_are_told_apart_without_red_and_green(missing: str) -> None:
    ends: dict[str, object] = {**ENDING_COLOURS, "unknown": MUTED}
    for colours in (ends, {"good": GOOD, "bad": BAD}, {"focal": FOCAL, "rivals": RIVALS, "muted": MUTED}):
        difference, which = nearest(colours, missing)
        assert difference > TOLD_APART, which
    red_and_green: dict[str, object] = {"red": "#c0392b", "green": "#6b7a1e"}
    assert missing != "green" or nearest(red_and_green, "green")[0] < TOLD_APART, "the measure can fail"


def test_every_ending_has_a_colour_and_a_number_that_can_be_read_on_it() -> None:
    assert set(get_args(EndingKind)) == set(ENDING_COLOURS)
    for colour in ENDING_COLOURS.values():
        light = [seen(one, "nothing")[0] for one in (colour, ink_on(colour))]
        assert abs(light[0] - light[1]) > 40


def test_verdicts_on_base_rates_differ_in_more_than_colour() -> None:
    assert MARKERS["inside"] != MARKERS["below"] == MARKERS["above"] and set(MARKERS) == set(COLOURS)


@pytest.mark.parametrize("n", [1, 5, 11, 40])
def test_so_many_sectors_so_many_colours(n: int) -> None:
    styles = line_styles(n)
    assert len(styles) == n == len({colour for colour, _ in styles})
    for a, b in itertools.combinations(styles[:30], 2):
        assert a[1] != b[1] or np.linalg.norm(seen(a[0], "nothing") - seen(b[0], "nothing")) > 8


@pytest.mark.slow
def test_eleven_sectors_have_eleven_colours_in_the_plot(drawn: list[Figure], tmp_path: Path) -> None:
    plot_sectors(SectorsOf(11), "many", "base", tmp_path / "s.png")  # type: ignore[arg-type]
    plot_sectors(SectorsOf(3), "few", "base", tmp_path / "s.png")  # type: ignore[arg-type]
    many, few = drawn
    for figure, n in ((many, 11), (few, 3)):
        (legend,) = figure.legends
        assert len({line.get_color() for line in legend.get_lines()}) == n == len(legend.get_texts())
        assert all(len(axes.lines) == n for axes in figure.axes)
        assert [bool(axes.collections) for axes in figure.axes] == [n <= MOST_BANDS] * 4
    assert "band" in " ".join(words(few)) and "band" not in " ".join(words(many))


class SectorsOf:
    """A run of two seeds over a year with so many sectors, the first a thousand times larger than the last."""

    seeds = (0, 1)

    def __init__(self, n: int) -> None:
        months = pd.date_range("2015-01-01", periods=12, freq="MS")
        cells = itertools.product(self.seeds, months, range(n))
        rows = [
            {"seed": seed, "month": month, "sector": f"sector-{i:02}", "n_firms": 1 + i, "hhi": 0.5,
             "best_quality_field": 0.5 + i / 100, "adopters": 1e6 / 10 ** (3 * i / n) * (1 + seed)}
            for seed, month, i in cells
        ]  # fmt: skip
        self.rows = pd.DataFrame(rows)

    def select(self, *_: object, **__: object) -> pd.DataFrame:
        return self.rows.copy()


# -- marks ------------------------------------------------------------------------------------------------------------

LETTERS = "FMP+LSXABCG"
PLACES = st.lists(st.floats(0, 1), min_size=1, max_size=len(LETTERS))


@given(PLACES)
@settings(max_examples=300)
def test_marks_that_would_touch_join_and_keep_their_letters(places: list[float]) -> None:
    given_labels = [Label(letter, place, place) for letter, place in zip(LETTERS, places, strict=False)]
    placed = apart(given_labels)
    assert sorted("".join(one.letters for one in placed)) == sorted(LETTERS[: len(places)])
    assert not any(a.touches(b) for a, b in itertools.combinations(placed, 2))
    for one in placed:
        own = [place for letter, place in zip(LETTERS, places, strict=False) if letter in one.letters]
        assert (one.first, one.last) == (min(own), max(own))


@pytest.mark.slow
@given(PLACES)
@settings(max_examples=25)
def test_letters_above_a_panel_do_not_collide_when_drawn(places: list[float]) -> None:
    """Measured in the figure: a panel as wide as the nine of a trajectory."""
    months = RunMonths(pd.Timestamp("2014-01-01"), 120)
    span = months.end - months.start
    marks = [
        Mark(letter, "says", 3, 3, months.start + span * place) for letter, place in zip(LETTERS, places, strict=False)
    ]
    figure = Figure(figsize=(15, 13))
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(3, 3, 1)
    axes.set_xlim(months.start, months.end)
    draw_marks(axes, sorted(marks, key=lambda one: one.date or months.end), months)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(axes.lines) == len(places)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_single_marks_stand_at_their_dates() -> None:
    far = [Label("F", 0.1, 0.1), Label("M", 0.5, 0.5), Label("X", 0.9, 0.9)]
    assert apart(far) == far
    assert apart([Label("F", 0.1, 0.1), Label("M", 0.11, 0.11)]) == [Label("FM", 0.1, 0.11)]
    assert apart([Label("F", 0.1, 0.1), Label("M", 0.11, 0.11)])[0].middle == pytest.approx(0.105)
