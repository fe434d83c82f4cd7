"""What the installed wheel does: its command, its results, its errors, and an interrupt. Run by test.sh."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import outgrow

QUICK = {"trials": 2, "duration": "20s", "warmup": "2s"}


def the_readme_shows_what_the_installed_command_prints() -> None:
    page = Path("README.md").read_text(encoding="utf-8")
    command, shown = re.search(r"\$ (outgrow run single-server --set [^\n]*)\n\? 4\n(.*?)\n```", page, re.DOTALL).groups()
    done = subprocess.run(command.split(), capture_output=True, encoding="utf-8")
    assert done.returncode == 4 and done.stdout.strip() == shown.strip(), done.stdout + done.stderr
    assert Path(outgrow.program()).parent == Path(sys.executable).parent, outgrow.program()


def a_result_is_that_of_the_command() -> None:
    result = outgrow.run("mm1", **QUICK)
    words = ["outgrow", "run", "mm1", "--trials", "2", "--duration", "20s", "--warmup", "2s", "--json", "-"]
    assert result == json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    assert result.metrics.throughput_rps.mean == result["metrics"]["throughput_rps"]["mean"]
    assert "<svg" in result.report and result._repr_html_().startswith("<iframe")
    assert [one.fingerprint for one in outgrow.run("mm1", "mm1", **QUICK)] == [result.fingerprint] * 2


def sets_arrive_whatever_is_in_them() -> None:
    title = "a b'c\"d {x} $HOME"
    assert outgrow.run("mm1", set={"title": title, "box.cores": 2}, **QUICK).scenario.title == title


def a_sweep_stays_where_it_is_asked_to() -> None:
    table = outgrow.sweep("mm1", {"users.rate": "20/s..40/s:3", "box.cores": range(1, 3)}, **QUICK)
    assert [(row["users.rate"], row["box.cores"]) for row in table.rows[:3]] == [("20/s", 1), ("20/s", 2), ("30/s", 1)]


def errors_have_line_caret_and_advice() -> None:
    for call, kind, status, words in [
        (lambda: outgrow.run("mm1", set={"box.coers": 2}), outgrow.ScenarioError, 3, ["^^^^^", "did you mean `cores`?"]),
        (lambda: outgrow.run("none.toml"), outgrow.ScenarioError, 3, ["none.toml"]),
        (lambda: outgrow.run("mm1", trails=2), outgrow.OutgrowError, 2, ["--trails", "'--trials'"]),
    ]:
        try:
            call()
        except outgrow.OutgrowError as error:
            assert type(error) is kind and error.status == status, repr(error)
            assert all(word in str(error) for word in words), error
        else:
            raise AssertionError("it must fail")


def an_interrupt_ends_the_program_and_keeps_what_is_done() -> None:
    threading.Timer(1.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    since = time.monotonic()
    try:
        outgrow.run("mm1", trials=50, duration="2000h", jobs=1)
    except outgrow.Interrupted as interrupted:
        assert interrupted.result.complete is False and interrupted.result.fingerprint
    assert time.monotonic() - since < 30


def results_are_as_the_published_schema_says(schema: str) -> None:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads(Path(schema).read_text(encoding="utf-8")))
    slo = "p99 < 300ms, errors < 1%"
    for result in [
        outgrow.run("primary-dies", trials=2),
        outgrow.compare("scale-up", "scale-out", **QUICK),
        outgrow.capacity("mm1", slo, **QUICK),
        outgrow.climb("single-server", "database-split-off", **QUICK),
    ]:
        validator.validate(result)


def without_pandas_a_result_is_whole_and_a_frame_is_refused() -> None:
    try:
        outgrow.run("mm1", **QUICK).series.to_pandas()
    except ImportError as error:
        assert "pandas" in str(error)
    else:
        raise AssertionError("there is no pandas yet")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--schema"]:
        results_are_as_the_published_schema_says(sys.argv[2])
    else:
        for name, test in list(globals().items()):
            if callable(test) and "_" in name and not name.startswith("results_") and not name.startswith("__"):
                test()
                print(f"{name.replace('_', ' ')}: ok")
