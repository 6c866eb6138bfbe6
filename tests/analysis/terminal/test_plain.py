"""What the command line shows reaches every terminal as it was written, and nothing that happens to the screen ends a
run: brackets, scripts, encodings, control characters, closed pipes and streams, a full disk.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

from analysis import AnalysisError
from analysis.cli.main import run_command
from analysis.runs.run import Run
from analysis.screens.experiments import plain_table
from analysis.terminal.console import PlainConsole, bar, busy, counted, say_error
from analysis.terminal.notices import listening, pass_on, speak_plainly
from analysis.terminal.streams import FALLBACK, SPELLED, open_streams, spelled
from tests.support.patience import HANGS_S
from tests.support.quick_cli import SMALL, THEN, UNDRAWN, call, command, environment, start

Call = Callable[..., tuple[int, str, str]]
MARKUP = (
    "at most 5 USD [/month]",
    "[bold]loud[/bold] and [red]red",
    "[/]",
    "[link=file:///etc/passwd]here[/link]",
    "a [1, 2] list, \\[escaped] and a lone [",
    ":smile: is five signs and a word",
    "100 % of $x$, {braces} and %s %(name)s",
)
CHINESE = "语音市场：便宜的云"
MIXED = f"{CHINESE} – naïve “café” ≥ 5 §2 £ 👍"
ENCODINGS = ("cp1252", "gbk", "ascii", "utf-8")


def quoted(text: str) -> str:
    """The text in YAML."""
    return json.dumps(text, ensure_ascii=False)


def scenario(title: str, says: str) -> str:
    """The small market with these words; JSON strings are YAML."""
    text = SMALL.replace("A small market", quoted(title)).replace("It has few customers.", quoted(says))
    assert text != SMALL
    return text


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], undrawn: None) -> Call:
    """Run a command in a fresh folder, in this process. Returns exit code, standard output, standard error."""
    from tests.support.explain_fakes import ENGINE

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("VENTURES_LEDGER", ":memory:")
    monkeypatch.setattr("analysis.play.experiment.real_engine", lambda: ENGINE)

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run_command(arguments)
        return code, *capfd.readouterr()

    return call


# -- markup -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("text", MARKUP)
def test_a_text_stands_on_every_screen_as_it_was_written(quick: Call, text: str) -> None:
    Path("m.yaml").write_text(scenario(text, text))
    Path("w.yaml").write_text(f"whatif: true\ntitle: {quoted(text)}\nset: {{firms.iris.capital_usd: 4e5}}\n")
    for request, told in (("validate m.yaml", 1), ("validate w.yaml --on m.yaml", 2), ("cases m.yaml -n 1 -j 1", 2)):
        code, out, err = quick(*request.split())
        assert code == 0, err
        assert out.count(text) == told, request
    code, out, _ = quick("cases", "m.yaml", "-n", "1", "-j", "1", "--json")
    (case,) = json.loads(out)["cases"]
    assert code == 0 and case["title"] == case["expectations"][0]["says"] == text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["[bold]x", "a [b] c", ":smile:", "语音 $x$", "x" * 245, "-dash"])
def test_a_file_may_have_any_name(quick: Call, name: str) -> None:
    """Names of files are names of scenarios: of a what-if on the screen, in folders, in errors."""
    Path("base.yaml").write_text(SMALL)
    Path(f"{name}.yaml").write_text("whatif: true\ntitle: x\nset: {firms.iris.capital_usd: 4e5}\n")
    code, out, err = quick("compare", "base.yaml", "-n", "1", "-j", "1", "--with", f"./{name}.yaml")
    assert code == 0, err
    assert f"{name}.yaml against base" in out
    Path(f"{name}.yaml").write_text(SMALL.replace("capital_usd", "capital_usb", 1))
    code, out, err = quick("run", f"./{name}.yaml")
    assert (code, out) == (2, "") and f"{name}.yaml" in err and "capital_usd" in err and err.count("\n") == 1
    Path(f"{name}.yaml").write_text(SMALL)
    code, out, err = quick("run", f"./{name}.yaml", "-n", "1", "-j", "1")
    assert code == 0, err
    (folder,) = Path("runs").glob("[!c]*")  # not that of compare
    assert Run(folder).status == "finished" and str(folder) in out.replace("\n", "")


def test_an_unknown_name_in_brackets_is_named(quick: Call) -> None:
    for request in (("run", "[bold]x"), ("validate", "[/].yaml"), ("ledger", "info", "--ledger", "[red].sqlite")):
        code, out, err = quick(*request)
        assert code == 2 and request[-1] in err and err.count("\n") == 1 and not out


@pytest.mark.parametrize("text", MARKUP)
def test_bars_and_tables_show_texts_as_they_are(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    table = plain_table("what")
    table.add_row(text)
    PlainConsole(width=200).print(table)
    say_error(text)
    assert list(counted(iter("ab"), text, 2)) == ["a", "b"]
    with bar("{task.fields[says]}", says=text, transient=False), busy(text):
        pass
    out, err = capfd.readouterr()
    assert text in out and err.count(text) >= 2
    assert "\033" not in out + err  # no colours where nobody sees them


def test_a_control_character_cannot_command_the_terminal(quick: Call) -> None:
    """Neither in titles nor in names: not clear the screen, set the window's title, or turn the line around."""
    for sign in ("\x1b[2J", "\x1b]0;owned\x07", "\r", "\b\b", "\x9b2J", "\u202e", "\u2066"):
        Path("c.yaml").write_text(scenario(f"before{sign}after", "says"))
        code, out, err = quick("validate", "c.yaml")
        shown = out + err
        assert code in (0, 2) and not set(sign) & set("\x1b\r\b\x07\x9b\u202e\u2066") & set(shown)
        assert code == 2 or ("before" in out and "after" in out)
    text = StringIO()
    PlainConsole(file=text, force_terminal=True, width=80).print("a\x1b[2Jb")
    assert "\x1b[2J" not in text.getvalue() and "a\N{REPLACEMENT CHARACTER}[2Jb" in text.getvalue()


# -- encodings --------------------------------------------------------------------------------------------------------


def kept(text: str, encoding: str) -> str:
    """The text as it is read in a terminal of that encoding."""
    signs = [sign if sign.encode(encoding, "ignore") else spelled(sign) for sign in text]
    return "".join(signs)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_encoding_of_the_terminal_shows_what_it_can(encoding: str, tmp_path: Path) -> None:
    """A real process: what the encoding has stays, what it lacks is spelled in ASCII or replaced, and nothing fails."""
    (tmp_path / "zh.yaml").write_text(scenario(MIXED, MIXED), encoding="utf-8")
    done = call(tmp_path, "validate", "zh.yaml", THEN, "scenarios", PYTHONIOENCODING=encoding)
    out = done.stdout.decode(encoding)
    assert done.returncode == 0 and not done.stderr
    assert f"OK zh.yaml: {kept(MIXED, encoding)}" in out and "markets/base" in out


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", *(pytest.param(one, marks=pytest.mark.slow) for one in ENCODINGS[1:])])
def test_studies_can_be_played_in_any_encoding_and_their_documents_say_the_same(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "zh.yaml").write_text(scenario(MIXED, MIXED), encoding="utf-8")
    play = ("cases", "zh.yaml", "-n", "1", "-j", "1", "--out", "o")
    requests = ("validate", "zh.yaml", THEN, *play, THEN, *play, "--json")
    done = call(tmp_path, *requests, PYTHONIOENCODING=encoding, UNDRAWN="1")
    out, err = done.stdout.decode(encoding), done.stderr.decode(encoding)
    assert done.returncode == 0 and "Traceback" not in err, err
    shown, brace, document = out.partition("\n{\n")
    assert f"OK zh.yaml: {kept(MIXED, encoding)}" in shown
    assert " ".join(shown.split()).count(kept(MIXED, encoding)) == 3
    (case,) = json.loads(brace + document)["cases"]
    assert case["title"] == case["expectations"][0]["says"] == MIXED


def test_a_plain_locale_is_enough(tmp_path: Path) -> None:
    (tmp_path / "zh.yaml").write_text(scenario(MIXED, "says"), encoding="utf-8")
    done = call(tmp_path, "validate", "zh.yaml", LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    assert done.returncode == 0 and b"OK zh.yaml" in done.stdout and not done.stderr


def test_an_error_is_told_in_a_narrow_encoding(tmp_path: Path) -> None:
    (tmp_path / "zh.yaml").write_text(scenario(MIXED, "says").replace("years: 1", f"years: {CHINESE}"), "utf-8")
    done = call(tmp_path, "validate", "zh.yaml", PYTHONIOENCODING="cp1252")
    err = done.stderr.decode("cp1252")
    assert done.returncode == 2 and err.count("\n") == 1 and "years = '????:????'" in err and not done.stdout


def test_signs_of_our_own_screens_are_spelled_out_in_ascii() -> None:
    open_streams()  # declares the fallback
    assert "§2 5–6 ≥ 3 × 2 é → …".encode("ascii", FALLBACK) == b"sec.2 5-6 >= 3 x 2 e -> ..."
    assert CHINESE.encode("ascii", FALLBACK) == b"????:????"  # the full-width colon has a narrow one
    assert all(word.isascii() and word.isprintable() for word in SPELLED.values())


# -- streams that are not there ---------------------------------------------------------------------------------------

RUN = ("run", "small.yaml", "-n", "2", "-j", "1", "--out", "here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL)
    return tmp_path


def quiet(err: bytes) -> bool:
    """Whether nothing of a broken pipe shows."""
    return not re.search(rb"Traceback|Error|[Pp]ipe|Exception", err)


@pytest.mark.slow
@pytest.mark.parametrize(
    "request_",
    [RUN, ("cases", *RUN[1:], "--json"), ("scenarios",)],
    ids=" ".join,
)
def test_a_reader_who_goes_after_one_line_ends_nothing(folder: Path, request_: tuple[str, ...]) -> None:
    """`ventures … | head -1`: quiet, with the exit code of success, and with all results."""
    process = start(folder, *request_)
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(HANGS_S) == 0 and quiet(err), err
    if "--out" in request_:
        assert_kept(folder / "here")


def assert_kept(out: Path, drawn: bool = False) -> None:
    """All tables and all plots are there, and none holds what was meant for the screen."""
    run = Run(out)
    assert run.status == "finished" and run.seeds == [0, 1] and not run.firms.empty and not run.endings.empty
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (out / "plots").glob("*"))
    assert bool(list((out / "plots").glob("*.png"))) == drawn and json.loads((out / "manifest.json").read_text())


@pytest.mark.slow
def test_a_reader_who_never_came_ends_nothing(folder: Path) -> None:
    """Neither on standard output nor on standard error, where the bar and the warnings go."""
    reading, writing = os.pipe()
    os.close(reading)
    process = start(folder, *RUN, stdout=writing, stderr=writing)
    os.close(writing)
    assert process.wait(HANGS_S) == 0
    assert_kept(folder / "here")


@pytest.mark.slow
@pytest.mark.parametrize("closed", [(1,), (0, 1, 2)])
def test_closed_standard_streams_end_nothing_and_damage_nothing(folder: Path, closed: tuple[int, ...]) -> None:
    """`>&-`: the next file that is opened must not become standard output."""
    shell = " ".join(f"{descriptor}{'<' if descriptor == 0 else '>'}&-" for descriptor in closed)
    line = ["bash", "-c", f'exec "$@" {shell}', "bash", *command(*RUN)]
    drawn = 0 in closed
    variables = environment(folder, {} if drawn else UNDRAWN)
    done = subprocess.run(line, cwd=folder, env=variables, capture_output=True, timeout=HANGS_S)
    assert done.returncode == 0 and quiet(done.stderr), done.stderr
    assert b"results: here" not in done.stdout
    assert_kept(folder / "here", drawn)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize(("unbuffered", "request_"), [((), RUN), (("-u",), ("scenarios",))], ids=["run", "scenarios"])
def test_a_full_disk_under_standard_output_is_told_and_the_results_are_kept(
    folder: Path, unbuffered: tuple[str, ...], request_: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w") as full:
        line, variables = command(*request_, options=unbuffered), environment(folder, UNDRAWN)
        done = subprocess.run(line, cwd=folder, env=variables, stdout=full, stderr=-1, timeout=HANGS_S)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == "ventures: standard output: No space left on device"
    if "--out" in request_:
        assert_kept(folder / "here")


# -- warnings ---------------------------------------------------------------------------------------------------------


def warned(number: int) -> int:
    """Work that warns of the same thing each time, and once of another."""
    warnings.warn("the same again", stacklevel=1)
    if number == 3:
        warnings.warn("something else", stacklevel=1)
    return number


@pytest.fixture
def plain_warnings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("warnings.showwarning", warnings.showwarning)
    monkeypatch.setattr("analysis.terminal.notices.TOLD", {})
    yield


def test_a_warning_of_many_workers_is_told_once(plain_warnings: None) -> None:
    heard = [listening(warned, number) for number in range(5)]  # each in its worker
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        assert [pass_on(one) for one in heard] == list(range(5))
    assert sorted(str(one.message) for one in told) == ["something else", "the same again"]


def test_our_warnings_are_one_line_and_those_of_libraries_are_for_programmers(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, plain_warnings: None
) -> None:
    from simulation.training.ledger.errors import LedgerWarning

    class Foreign(UserWarning):
        """Of a library."""

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        speak_plainly()
        for _ in range(3):
            warnings.warn("the ledger [bold]\nis held", LedgerWarning, stacklevel=1)
            warnings.warn("use the new argument", Foreign, stacklevel=1)
        assert capfd.readouterr().err == "ventures: the ledger [bold] is held\n"
        monkeypatch.setattr("sys.warnoptions", ["always"])
        warnings.warn("use the new argument", Foreign, stacklevel=1)
        assert "use the new argument" in capfd.readouterr().err


# -- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"replications": "3"}, "replications must be a whole number of at least 1, not '3'; did you mean 3?"),
        ({"replications": 3.0}, "replications must be a whole number of at least 1, not 3.0; did you mean 3?"),
        ({"replications": 2.5}, "replications must be a whole number of at least 1, not 2.5"),
        ({"replications": True}, "replications must be a whole number of at least 1, not True"),
        ({"replications": None}, "replications must be a whole number of at least 1, not None"),
        ({"seed": "0"}, "seed must be a whole number of at least 0, not '0'; did you mean 0?"),
        ({"seed": [0]}, "seed must be a whole number of at least 0, not [0]"),
        ({"jobs": "2"}, "jobs must be a whole number of at least 1, not '2'; did you mean 2?"),
        ({"device": 0}, "device must be a text, not 0"),
        ({"out": 5}, "out must be a path (text or pathlib.Path), not 5"),
        ({"out": ""}, "out must be a path, not ''"),
        ({"ledger": b"ledger"}, "ledger must be a path (text or pathlib.Path), not b'ledger'"),
        ({"retrain": "no"}, "retrain must be True or False, not 'no'"),
        ({"progress": 1}, "progress must be True or False, not 1"),
        ({"yes": "false"}, "yes must be True or False, not 'false'"),
        ({"plugins": "mine.py"}, "plugins must be a list such as ['mine.py'], not 'mine.py'"),
        ({"plugins": 5}, "plugins must be a list of files, modules or names, not 5"),
        ({"plugins": [5]}, "plugins[0] must be a file, a module or a name, not 5"),
        ({"replicatoins": 3}, "unknown option 'replicatoins'; did you mean 'replications'?"),
    ],
)
def test_a_wrong_option_in_python_is_one_clear_error(options: dict[str, object], says: str) -> None:
    """Before anything is loaded or made: the scenario need not even exist."""
    import analysis

    requests: list[Callable[..., object]] = [
        lambda **more: analysis.run("no such", **more),
        lambda **more: analysis.cases(["no such"], **more),
        lambda **more: analysis.compare("no such", ["nothing"], **more),
        lambda **more: analysis.validate_world("no such", "no such", **more),
    ]
    for request in requests:
        with pytest.raises(AnalysisError) as caught:
            request(**options)
        assert str(caught.value).startswith(says) and "\n" not in str(caught.value)


@pytest.mark.slow
def test_cases_can_be_called_whatever_was_loaded_before() -> None:
    """The function `analysis.cases` and the package of its modules bear one name."""
    code = """
import analysis
for before in ("analysis", "analysis.cases.assess", "analysis.plots"):
    __import__(before)
    try:
        analysis.cases(["vision"], replications="3")
    except analysis.AnalysisError as error:
        assert "did you mean 3?" in str(error)
    else:
        raise SystemExit("not refused")
"""
    done = subprocess.run([sys.executable, "-c", code], env=environment(Path()), capture_output=True, timeout=HANGS_S)
    assert done.returncode == 0, done.stderr


def test_numbers_of_numpy_are_numbers() -> None:
    import numpy as np

    from analysis.play.options import PlayOptions

    settings = PlayOptions(replications=np.int64(3), seed=np.uint8(1), retrain=np.bool_(False), jobs=np.int32(1))
    assert (settings.replications, settings.seed, settings.retrain, settings.jobs) == (3, 1, False, 1)
    assert json.dumps([settings.replications, settings.seed, settings.retrain])


def test_a_short_name_means_the_shipped_scenario(quick: Call) -> None:
    for spelling in ("base", "BASE", "markets/base", "Markets/Base"):
        code, out, err = quick("validate", spelling)
        assert code == 0 and out.startswith(f"OK {spelling}: The shared base world"), err
    code, _, err = quick("run", "bsae", "-n", "1")
    assert (code == 2 and "did you mean 'markets/base'" in err) or "did you mean 'base'" in err
    code, _, err = quick("run", "base.yaml", "-n", "1")
    assert code == 2 and "base" in err and err.count("\n") == 1
    Path("markets").mkdir()
    code, _, err = quick("run", "markets/base.yaml", "-n", "1")
    assert code == 2 and "the shipped scenario is called markets/base, without the ending" in err
    Path("base.yaml").write_text(SMALL)
    assert "A small market" in quick("validate", "base.yaml")[1]  # a file of one's own is called by its ending
    assert "The shared base world" in quick("validate", "base")[1]


def test_run_base_plays_the_base_world(quick: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    from analysis.errors import AnalysisError as Stop

    def stop(arms: list[object], *_: object, **more: object) -> None:
        raise Stop(f"would play {more['name']}")

    monkeypatch.setattr("analysis.play.experiment.play", stop)
    assert "would play markets/base" in quick("run", "base")[2]
