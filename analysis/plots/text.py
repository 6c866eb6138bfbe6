"""Texts of users in plots: whatever their length, script and signs, they are drawn as written or told to be missing."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

from analysis.terminal.streams import printable

SHIPPED = "DejaVu Sans"  # comes with Matplotlib
PREFERRED = (  # fonts with Chinese, Japanese and Korean signs, by how common and how legible they are
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC", "Hiragino Sans GB",
    "Microsoft YaHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Noto Sans CJK JP", "Noto Sans CJK TC", "SimHei",
    "Heiti TC", "STHeiti", "Droid Sans Fallback", "Arial Unicode MS",
)  # fmt: skip
WEIGHTS = (400, "normal", "regular", "book", 700, "bold")  # of our texts, as Matplotlib calls them
LAST_RESORT = "Last Resort"  # draws boxes for every sign there is
DRAWN_BY_NOBODY = ("Cc", "Cf", "Cs", "Mn", "Me", "Zl", "Zp")  # categories of signs without a picture of their own
LEAST_ROOM = 24  # characters
NOTE = "⟨…⟩: code points of characters that no font of this machine has; a font such as Noto Sans CJK draws them"


def one_line(text: str, most: int) -> str:
    """The text in one line of at most `most` characters, cut in the middle: ends tell names apart."""
    flat = " ".join(text.split())
    if len(flat) <= most:
        return flat
    head = (most - 1) * 2 // 3
    return f"{flat[:head].rstrip()}…{flat[len(flat) - (most - 1 - head) :].lstrip()}"


def wrapped(text: str, width: int, lines: int = 2) -> str:
    """The text in at most so many lines of at most `width` characters; wide signs count twice."""
    width = max(width // 2, 1) if is_wide(text) else width
    return "\n".join(textwrap.wrap(one_line(text, width * lines - lines), width)[:lines])


def labels(texts: Sequence[str], width: int, lines: int = 2) -> list[str]:
    """Each text wrapped; different texts that were cut to the same one are numbered: no two rows look alike."""
    by_cut: dict[str, list[str]] = {}
    for text in dict.fromkeys(texts):
        by_cut.setdefault(wrapped(text, width, lines), []).append(text)
    names = {
        text: cut if len(alike) == 1 else f"{cut} ({number})"
        for cut, alike in by_cut.items()
        for number, text in enumerate(alike, start=1)
    }
    return [names[text] for text in texts]


def is_wide(text: str) -> bool:
    """Whether most of the signs take twice the room of a Latin letter."""
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return 2 * wide > len(text)


# -- fonts ------------------------------------------------------------------------------------------------------------


def make_drawable(figure: Figure) -> tuple[list[str], bool]:
    """Let every text of the figure be drawn without a missing glyph.

    Returns the families to draw with, and whether signs are told by their code points for want of a font.
    """
    axes = [axis for one in figure.axes for axis in (one.xaxis, one.yaxis)]
    ticks = {axis: [tick.get_text() for tick in axis.get_ticklabels()] for axis in axes}  # writes them, too
    families, missing = families_for({sign for text in figure.findobj(Text) for sign in printable(text.get_text())})
    for axis, texts in ticks.items():
        if (told := [respelled(text, missing) for text in texts]) != texts:
            axis.set_ticks(axis.get_ticklocs(), told)
    for text in figure.findobj(Text):
        text.set_text(respelled(text.get_text(), missing))
        text.set_fontfamily(families)
    return families, any(unicodedata.category(sign) not in DRAWN_BY_NOBODY for sign in missing)


def families_for(signs: Iterable[str]) -> tuple[list[str], set[str]]:
    """The fewest font families that have these signs, most usual first; and the signs that no family has."""
    families = [usual_family(), SHIPPED]
    missing = set(signs).difference("\n", *(signs_of(family) for family in families))
    for family in installed() if missing else ():
        if missing and (has := missing & signs_of(family)):
            families.append(family)
            missing -= has
    return list(dict.fromkeys(families)), missing


def usual_family() -> str:
    """The first of the families in Matplotlib's settings that this machine has."""
    names = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in mpl.rcParams["font.sans-serif"] if name in names), SHIPPED)


def installed() -> list[str]:
    """Families of this machine's fonts, the preferred ones first."""
    names = {font.name for font in font_manager.fontManager.ttflist if not font.name.startswith(LAST_RESORT)}
    return [*(name for name in PREFERRED if name in names), *sorted(names.difference(PREFERRED))]


@cache
def signs_of(family: str) -> frozenset[str]:
    """The signs that a family has in normal and in bold; none where it cannot be drawn from at every size."""
    upright = [one for one in font_manager.fontManager.ttflist if one.name == family and one.style == "normal"]
    usual = [one for one in upright if one.weight in WEIGHTS] or upright
    try:
        faces = [FT2Font(one.fname) for one in usual]
        charmaps = [frozenset(face.get_charmap()) if face.scalable else frozenset() for face in faces]
    except (OSError, RuntimeError, ValueError):
        return frozenset()
    return frozenset(map(chr, frozenset.intersection(*charmaps))) if charmaps else frozenset()


def respelled(text: str, missing: set[str]) -> str:
    """The text as it can be drawn, in the room that was meant for it and one line more."""
    plain = printable(text)
    told = spelled(plain, missing)
    if told == plain:
        return plain
    lines = plain.split("\n")
    room = max(LEAST_ROOM, *(len(line) * (2 if is_wide(line) else 1) for line in lines))
    return wrapped(told, room, len(lines) + 1)


def spelled(text: str, missing: set[str]) -> str:
    """The text with code points in angle brackets in place of the missing signs; those without a picture vanish."""
    parts: list[str] = []
    for sign in text:
        if sign not in missing:
            parts.append(sign)
        elif unicodedata.category(sign) not in DRAWN_BY_NOBODY:
            follows = parts and parts[-1].endswith("⟩")
            code = f"{ord(sign):04X}⟩"
            parts[-1:] = [f"{parts[-1][:-1]} {code}"] if follows else [*parts[-1:], f"⟨{code}"]
    return "".join(parts)
