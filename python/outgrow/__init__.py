"""Starts outgrow and reads its results. Each function is one call of the program; options are those of its command line."""

from __future__ import annotations

import html
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, overload

__all__ = ["Interrupted", "OutgrowError", "Result", "ScenarioError", "capacity", "climb", "compare", "program", "run", "sweep", "year"]

# A group of its own: Ctrl-C in a terminal must reach the program once, and through this module.
if sys.platform == "win32":
    _NAME, _USER, _STOP, _FLAGS, _SESSION = "outgrow.exe", "nt_user", signal.CTRL_BREAK_EVENT, 0x200, False
else:
    _NAME, _USER, _STOP, _FLAGS, _SESSION = "outgrow", "posix_user", signal.SIGINT, 0, True


class OutgrowError(Exception):
    """The program failed. `status` is its exit status, the text is what it said."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class ScenarioError(OutgrowError):
    """The scenario has errors. The text has the line, a caret and a suggestion for each."""


class Interrupted(KeyboardInterrupt):
    """The program was interrupted. `result` has what was done until then, if that is anything."""

    def __init__(self, result: Any) -> None:
        super().__init__("interrupted")
        self.result = result


class Result(dict[str, Any]):
    """A part of a result: a dictionary whose keys are attributes too, as in `result.metrics.throughput_rps.mean`."""

    report: str | None = None
    """The report as HTML, which a notebook shows in a frame."""

    said: str = ""
    """The warnings of the program."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r} among {', '.join(self)}") from None

    def to_pandas(self) -> Any:
        """A frame: of `result.series` or of a sweep with their columns, of `result.components` with a row for each name."""
        import pandas

        if "columns" in self and "rows" in self:
            return pandas.DataFrame(self["rows"], columns=self["columns"])
        return pandas.json_normalize(list(self.values())).set_axis(list(self), axis=0)

    def _repr_html_(self) -> str | None:
        if self.report is None:
            return None
        return f'<iframe srcdoc="{html.escape(self.report)}" style="width:100%;height:600px;border:0"></iframe>'


def program() -> str:
    """The path of the program: OUTGROW of the environment, else that of this wheel, else that on the PATH."""
    folders = [sysconfig.get_path("scripts"), sysconfig.get_path("scripts", _USER)]
    installed = [path for folder in folders if os.path.isfile(path := os.path.join(folder, _NAME))]
    found = os.environ.get("OUTGROW") or next(iter(installed), None) or shutil.which(_NAME)
    if found is None:
        raise FileNotFoundError("there is no program outgrow: install its wheel, or set OUTGROW to its path")
    return found


@overload
def run(scenario: str | Path, /, *, set: Mapping[str, Any] | None = None, **options: Any) -> Result: ...
@overload
def run(*scenarios: str | Path, set: Mapping[str, Any] | None = None, **options: Any) -> list[Result]: ...
def run(*scenarios: str | Path, set: Mapping[str, Any] | None = None, **options: Any) -> Result | list[Result]:
    """`outgrow run`: a result, or a list of them for several scenarios."""
    found: Result | list[Result] = _call("run", scenarios, set, options)
    return found


def compare(*scenarios: str | Path, set: Mapping[str, Any] | None = None, **options: Any) -> Result:
    """`outgrow compare`: the same requests through each scenario; the first one is the baseline."""
    found: Result = _call("compare", scenarios, set, options)
    return found


def capacity(scenario: str | Path, slo: str, *, set: Mapping[str, Any] | None = None, **options: Any) -> Result:
    """`outgrow capacity`: the highest load that meets the objective, as in "p99 < 300ms, errors < 0.1%"."""
    found: Result = _call("capacity", [scenario], set, {"slo": slo, **options})
    return found


def climb(*scenarios: str | Path, set: Mapping[str, Any] | None = None, **options: Any) -> Result:
    """`outgrow climb`: the load that each step of a ladder carries; without scenarios that of the chapter."""
    found: Result = _call("climb", scenarios, set, options)
    return found


def year(*scenarios: str | Path, set: Mapping[str, Any] | None = None, **options: Any) -> Result | list[Result]:
    """`outgrow year`: how available each design is over a year of faults, and what eats its availability."""
    found: Result | list[Result] = _call("year", scenarios, set, options)
    return found


def sweep(
    scenario: str | Path, vary: Mapping[str, Iterable[Any] | str], *, set: Mapping[str, Any] | None = None, **options: Any
) -> Result:
    """`outgrow sweep`: a table with a row for each combination of values, as in `{"web.count": range(1, 9)}`.

    With `out="all.json"` the table stays there, and `resume=True` goes on with what an interrupted sweep has done."""
    if not str(options.get("out", ".json")).endswith(".json"):
        raise ValueError("the table is read back: name it .json, and use to_pandas() for other formats")
    axes = [f"{key}={all if isinstance(all, str) else ','.join(map(_value, all))}" for key, all in vary.items()]
    found: Result = _call("sweep", [scenario], set, {"vary": axes, **options})
    return found


def _call(command: str, scenarios: Iterable[str | Path], overrides: Mapping[str, Any] | None, options: dict[str, Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        output = "out" if command == "sweep" else "json"
        options = {"report": Path(folder, "report.html"), "light": True, output: Path(folder, "result.json"), **options}
        words = [program(), command, *map(str, scenarios), "--quiet"]
        words += [word for key, value in (overrides or {}).items() for word in ("--set", f"{key}={_value(value)}")]
        for name, value in options.items():
            flag = f"--{name.replace('_', '-')}"
            for one in value if isinstance(value, (list, tuple)) else [value]:
                words += [flag] if one is True else [] if one is None or one is False else [f"{flag}={one}"]
        status, said = _wait(words)
        result = _read(Path(options[output]), Path(options["report"]), said) if status in (0, 4, 130) else None
    if status == 130:
        raise Interrupted(result)
    if result is None:
        raise (ScenarioError if status == 3 else OutgrowError)(status, said)
    return result


def _wait(words: list[str]) -> tuple[int, str]:
    """Runs the program to its end. An interrupt is passed on, so that the program stops in order and keeps what is done."""
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8",
        creationflags=_FLAGS, start_new_session=_SESSION,
    )  # fmt: skip
    while True:
        try:
            said = process.communicate()[1]
            return process.returncode, said.strip()
        except KeyboardInterrupt:
            process.send_signal(_STOP)


def _read(table: Path, page: Path, said: str) -> Any:
    """The result with its report; nothing if the program had none."""
    if not table.exists():
        return None
    found = json.loads(table.read_text(encoding="utf-8"), object_pairs_hook=Result)
    for one in found if isinstance(found, list) else [found]:
        one.report = page.read_text(encoding="utf-8") if page.exists() else None
        one.said = said
    return found


def _value(value: Any) -> str:
    """A value as `--set` and `--vary` read it."""
    return value if isinstance(value, str) else json.dumps(value)
