"""The log: JSON lines that a schedule fixes, and a null logger that costs nothing."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import structlog

from racewindow.errors import InputError
from racewindow.log import LogFile, check_log, null_logger, render_line
from tests.harness.command_line import names


class Thing:
    pass


def fail() -> None:
    raise ValueError(Thing())


def place() -> tuple[int, str, int]:
    return (1_500_000_000, "writer", 4)


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_a_line_has_time_task_and_step_before_what_was_said(tmp_path: Path) -> None:
    with LogFile(tmp_path / "log") as log:
        log.logger(place).bind(market="XRP").warning("read %s", "row", zone=1, age=None)

    assert lines(tmp_path / "log") == [
        (
            '{"time_ns": 1500000000, "time": "T+00:01.500", "task": "writer", "step": 4, "level": "warning", '
            '"event": "read row", "age": null, "market": "XRP", "zone": 1}'
        )
    ]


def test_every_level_is_written_and_the_place_is_asked_for_each_line(tmp_path: Path) -> None:
    steps = iter(range(9))
    with LogFile(tmp_path / "log") as log:
        logger = log.logger(lambda: (0, "a", next(steps)))
        for level in ("debug", "info", "warning", "error", "critical"):
            getattr(logger, level)(level)

    found = [json.loads(line) for line in lines(tmp_path / "log")]

    assert [(n, level) for n, level in enumerate(("debug", "info", "warning", "error", "critical"))] == [
        (each["step"], each["event"]) for each in found
    ]


def test_an_execution_that_starts_again_is_logged_once(tmp_path: Path) -> None:
    """The runtime may find out in the middle that it has to run in its full form."""
    with LogFile(tmp_path / "log") as log:
        log.logger(place).info("the first attempt, which is longer than the second")
        log.logger(place).info("the second")

    assert [json.loads(line)["event"] for line in lines(tmp_path / "log")] == ["the second"]


def test_a_field_called_like_one_of_ours_keeps_its_value(tmp_path: Path) -> None:
    line = json.loads(render_line(0, "a", 1, "info", {"event": "e", "task": "mine", "task_": "too", "step": 9}))

    assert (line["task"], line["task_"], line["task__"], line["step"], line["step_"]) == ("a", "mine", "too", 1, 9)


def test_values_that_json_does_not_know_are_described_without_addresses() -> None:
    line = render_line(0, "a", 0, "info", {"event": "e", "thing": Thing(), "ages": {3, 1}, "price": float("nan")})

    assert " at 0x" not in line
    assert json.loads(line)["ages"] == [1, 3]
    assert json.loads(line)["price"] == "nan"


def test_an_exception_is_its_type_and_message_and_not_a_traceback(tmp_path: Path) -> None:
    with LogFile(tmp_path / "log") as log:
        logger = log.logger(place)
        try:
            fail()
        except ValueError as error:
            logger.exception("failed")
            logger.critical("failed", exc_info=error)
            logger.critical("failed", exc_info=(ValueError, error, None), stack_info=True)
        logger.info("fine", exc_info=False)

    *failed, fine = (json.loads(line) for line in lines(tmp_path / "log"))

    assert {each["exception"] for each in failed} == {f"ValueError: <{__name__}.Thing object>"}
    assert list(fine) == ["time_ns", "time", "task", "step", "level", "event"]


def test_the_process_wide_configuration_of_structlog_changes_nothing(tmp_path: Path) -> None:
    before = structlog.get_config()
    try:
        structlog.configure(processors=[], wrapper_class=structlog.make_filtering_bound_logger(50))
        with LogFile(tmp_path / "log") as log:
            log.logger(place).debug("said")
    finally:
        structlog.reset_defaults()

    assert before == structlog.get_config()
    assert len(lines(tmp_path / "log")) == 1


class Loud:
    def __repr__(self) -> str:
        raise AssertionError


METHODS = (
    *("debug", "info", "warning", "warn", "error", "err", "critical", "fatal", "msg", "exception"),
    *("bind", "unbind", "try_unbind", "new", "is_enabled_for", "get_effective_level", "log"),
)


def test_the_null_logger_says_nothing_and_does_no_work() -> None:
    logger = null_logger().bind(loud=Loud()).new(loud=Loud()).unbind("loud").try_unbind("loud")

    assert logger.critical("nothing %s", Loud(), loud=Loud()) is None
    assert logger.exception("nothing") is None  # noqa: LOG004  # nothing has failed
    assert logger.log(50, "nothing") is None
    assert not logger.is_enabled_for(logging.CRITICAL)
    assert logger.get_effective_level() > logging.CRITICAL


def test_both_loggers_have_all_methods_of_structlog(tmp_path: Path) -> None:
    with LogFile(tmp_path / "log") as log:
        speaking = log.logger(place)
        for name in METHODS:
            assert callable(getattr(speaking, name)) and callable(getattr(null_logger(), name)), name
        assert speaking.is_enabled_for(logging.DEBUG)
        assert speaking.get_effective_level() == logging.NOTSET
        for name in ("debug", "warn", "fatal", "msg", "exception"):
            getattr(speaking, name)(name, method_name=1, level="mine")
        speaking.log(25, "log")

    found = [json.loads(line) for line in lines(tmp_path / "log")]

    assert [each["level"] for each in found] == ["debug", "warning", "critical", "info", "error", "level 25"]
    assert found[0]["level_"] == "mine"


@pytest.mark.trio
async def test_the_methods_for_await_do_the_same_under_trio(tmp_path: Path) -> None:
    with LogFile(tmp_path / "log") as log:
        for logger in (log.logger(place), null_logger()):
            await logger.ainfo("said %(what)s", {"what": 1})
            await logger.alog(logging.INFO, "said %s %s", 2, 3)

    assert [json.loads(line)["event"] for line in lines(tmp_path / "log")] == ["said 1", "said 2 3"]


def test_a_message_that_does_not_fit_its_arguments_is_logged_all_the_same(tmp_path: Path) -> None:
    """Raising would make the logged execution another one than the same execution without a log."""
    with LogFile(tmp_path / "log") as log:
        log.logger(place).info("%s of %s", 3, loud=Loud())

    line = json.loads(lines(tmp_path / "log")[0])

    assert (line["event"], line["loud"]) == ("%s of %s [3]", "<Loud>")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "no/such/folder/log",
            (
                "the log no/such/folder/log cannot be written.\n"
                "Why: No such file or directory.\n"
                "Do:  create the folder no/such/folder first, or give --log another file."
            ),
        ),
        (
            ".",
            "the log . cannot be written.\nWhy: Is a directory.\nDo:  give --log a file, for example events.jsonl",
        ),
        (
            "file/log",
            (
                "the log file/log cannot be written.\n"
                "Why: Not a directory.\n"
                "Do:  give --log a file in a folder that exists and that you may write to."
            ),
        ),
    ],
)
def test_a_path_that_cannot_be_written_is_one_message(
    path: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("kept", encoding="utf-8")

    for opened in (LogFile, check_log):
        with pytest.raises(InputError) as caught:
            opened(path)
        assert str(caught.value) == text


def test_checking_leaves_everything_as_it_was(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("kept", encoding="utf-8")
    check_log(old)
    check_log(tmp_path / "new")

    assert names(str(tmp_path)) == ["old"]
    assert old.read_text(encoding="utf-8") == "kept"


def test_a_full_disk_is_one_message() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("only Linux has a disk that is always full")
    log = LogFile("/dev/full")
    for _ in range(10_000):  # more than a buffer
        log.logger(place).info("lost")

    with pytest.raises(InputError, match="No space left"):
        log.close()
