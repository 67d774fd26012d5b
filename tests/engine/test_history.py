"""Why a station is where it is: what is kept of its transitions, and how it is told."""

import sqlite3
import tracemalloc
from contextlib import closing, suppress
from datetime import UTC, datetime

import pytest
import trio
from click.testing import CliRunner
from trio.testing import wait_all_tasks_blocked

from engine import diagnostics, history, past
from engine.cli import command
from engine.diagnostics import Diagnostics
from engine.history import TOGETHER_MAX, WAITING_MAX, History
from engine.past import Happened, HistoryError, Logged, read
from engine.why import story, told, told_work
from machines.authorization import IdTagPresented
from machines.charge_point import Step, Taken
from machines.machine import Row
from machines.vocabulary.effects import Instant
from machines.vocabulary.ocpp import ChangeConfiguration, Reset, ResetType

ROW = Row("idle", Reset, "5.14 Accepted", (("has_work", False),), "accept", "running")


def step(*addresses, message=None, row=ROW):
    message = message or Reset(type=ResetType.SOFT)
    return Step([], {}, [], [Taken(address, row, message) for address in addresses])


def kept(directory, rows_max=100):
    return History(directory / past.FILE, rows_max, lambda instant: instant.seconds)


def note(keeps, *seconds, address="transaction/1", **members):
    for at in seconds:
        keeps.note(Instant(1, float(at)), "arrival", step(address, **members))


def test_what_happened_can_be_read_while_more_happens(tmp_path):
    keeps = kept(tmp_path)
    note(keeps, 1)
    keeps.write()
    (found,) = read(tmp_path / past.FILE)
    note(keeps, 2)
    keeps.write()
    assert found == Happened(
        time=1.0,
        machine="transaction/1",
        message="Reset (type Soft)",
        cause="str",
        source="idle",
        target="running",
        clause="5.14 Accepted",
        guards="not has_work",
    )
    assert [one.time for one in read(tmp_path / past.FILE)] == [1.0, 2.0]
    keeps.close()


def test_it_is_bounded_on_disk_and_before(tmp_path):
    keeps = kept(tmp_path, rows_max=10)
    for _ in range(3):
        note(keeps, *range(25))
        keeps.write()
    keeps.close()
    assert [one.time for one in read(tmp_path / past.FILE)] == list(range(15, 25))


def test_what_was_noted_last_is_written_at_the_end_and_a_new_run_adds_to_it(tmp_path):
    for at in (1, 2):
        keeps = kept(tmp_path)
        note(keeps, at)
        keeps.close()
    assert [one.time for one in read(tmp_path / past.FILE)] == [1.0, 2.0]


def test_what_changes_nothing_is_not_kept(tmp_path):
    keeps = kept(tmp_path)
    note(keeps, 1, row=ROW._replace(target="idle", action=""))
    note(keeps, 2, row=ROW._replace(target="idle"))
    keeps.close()
    assert [one.time for one in read(tmp_path / past.FILE)] == [2.0]


@pytest.mark.parametrize(
    "message", [IdTagPresented("TOKEN-SECRET"), ChangeConfiguration(key="AuthorizationKey", value="SECRET")]
)
def test_no_text_of_a_message_is_kept(tmp_path, message):
    keeps = kept(tmp_path)
    note(keeps, 1, message=message)
    keeps.close()
    assert b"SECRET" not in (tmp_path / past.FILE).read_bytes()


def test_with_none_to_be_kept_there_is_no_file(tmp_path):
    keeps = kept(tmp_path, rows_max=0)
    note(keeps, 1)
    keeps.close()
    assert not [*tmp_path.iterdir()]


def test_a_file_that_is_no_database_makes_room(tmp_path):
    (tmp_path / past.FILE).write_bytes(b"something else" * 100)
    keeps = kept(tmp_path)
    note(keeps, 1)
    keeps.close()
    assert len(read(tmp_path / past.FILE)) == 1


def test_a_file_that_is_damaged_makes_room_too(tmp_path):
    """Every page but the first is overwritten while the power is off: what happens from then on is kept."""
    keeps = kept(tmp_path, rows_max=1000)
    for seconds in range(600):
        note(keeps, seconds)
    keeps.close()
    file = tmp_path / past.FILE
    page, size = 4096, file.stat().st_size
    file.write_bytes(file.read_bytes()[:page] + bytes([0xA5]) * (size - page))
    keeps = kept(tmp_path, rows_max=1000)
    for seconds in (700, 701):
        note(keeps, seconds)
        keeps.write()
    keeps.close()
    assert [one.time for one in read(file)] == [701.0]


def test_a_disk_that_will_not_costs_history_and_nothing_else(tmp_path):
    keeps = kept(tmp_path / "missing")
    note(keeps, 1)
    keeps.write()
    (tmp_path / "missing").mkdir()
    note(keeps, 2)
    keeps.close()
    assert [one.time for one in read(tmp_path / "missing" / past.FILE)] == [2.0]


def test_it_is_readable_by_its_owner_only(tmp_path):
    keeps = kept(tmp_path)
    note(keeps, 1)
    keeps.close()
    assert (tmp_path / past.FILE).stat().st_mode & 0o777 == 0o600


def test_without_history_there_is_a_line_that_says_so(tmp_path):
    with pytest.raises(HistoryError, match="there is no history"):
        read(tmp_path / past.FILE)
    (tmp_path / past.FILE).touch()
    with pytest.raises(HistoryError, match="cannot be read"):
        read(tmp_path / past.FILE)


async def test_rows_are_written_by_the_second(tmp_path):
    keeps = kept(tmp_path)
    note(keeps, 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keeps.run)
        with trio.fail_after(20):
            while not (tmp_path / past.FILE).exists():
                await trio.sleep(0.05)
            while not _rows(tmp_path / past.FILE):
                await trio.sleep(0.05)
        nursery.cancel_scope.cancel()
    keeps.close()


async def test_much_is_written_at_once(tmp_path, mock_clock, nursery):
    """On a clock that stands still."""
    keeps = kept(tmp_path, rows_max=10 * TOGETHER_MAX)
    nursery.start_soon(keeps.run)
    note(keeps, *range(TOGETHER_MAX - 1))
    await wait_all_tasks_blocked()
    await trio.to_thread.run_sync(int, limiter=keeps.thread)  # after what is being written
    assert not (tmp_path / past.FILE).exists()

    note(keeps, TOGETHER_MAX - 1)
    await wait_all_tasks_blocked()
    await trio.to_thread.run_sync(int, limiter=keeps.thread)
    assert len(read(tmp_path / past.FILE)) == TOGETHER_MAX


def test_what_waits_for_a_disk_that_hangs_is_bounded(tmp_path):
    keeps = kept(tmp_path, rows_max=2 * WAITING_MAX)
    note(keeps, *range(WAITING_MAX + 1))
    keeps.close()
    found = read(tmp_path / past.FILE)
    assert (len(found), found[0].time) == (WAITING_MAX, 1.0)


def _rows(file):
    try:
        return read(file)
    except HistoryError:
        return []


def test_a_disk_that_hangs_while_long_frames_come_takes_little_memory(tmp_path):
    """A frame may have a quarter of a megabyte, and thousands of events wait."""
    keeps = History(tmp_path / past.FILE, 0, lambda instant: instant.seconds, 1000)
    tracemalloc.start()
    try:
        for number in range(1000):
            keeps.log(Instant(1, float(number)), "received", {"text": f"{number}" + "x" * 100_000})
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 2 * 1000 * history.TEXT_MAX


def test_a_transition_is_told_in_plain_language():
    happened = Happened(0.0, "firmware_update", "Started", "Started", "to_do", "done", "6.19 x", "is_due")
    assert told(happened) == (
        "1970-01-01 00:00:00Z  firmware update goes from to do to done on Started, as is due: 6.19 x"
    )


# statecharge why


def why(*arguments):
    run = CliRunner().invoke(command, ["why", *map(str, arguments)])
    return run.exit_code, run.output.splitlines()


@pytest.fixture
def state(tmp_path):
    keeps = kept(tmp_path)
    note(keeps, 1, address="reset")
    note(keeps, 2, address="transaction/1")
    note(keeps, 3, address="transaction/2")
    keeps.close()
    return tmp_path


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ((), ["reset", "transaction 1", "transaction 2"]),
        (("--connector", 1), ["reset", "transaction 1"]),
        (("--connector", 0), ["reset"]),
        (("--since", "1970-01-01T00:00:02"), ["transaction 1", "transaction 2"]),
        (("--since", "5m"), []),
    ],
)
def test_why_tells_what_is_asked_for(state, options, shown):
    code, lines = why("--state-dir", state, *options)
    assert code == 0
    assert [line.split("  ")[1].split(" goes")[0] for line in lines] == shown


def test_why_without_history_is_one_line_and_code_2(tmp_path):
    code, lines = why("--state-dir", tmp_path)
    assert (code, len(lines)) == (2, 1)


@pytest.mark.parametrize("name", ["WALL%2FBOX", "a?b", "a#b", "100%"])
def test_why_finds_a_state_directory_of_any_name(tmp_path, name):
    """An identity with a slash has ``%2F`` in the name of its directory, which a URI says otherwise."""
    directory = tmp_path / name
    directory.mkdir()
    keeps = kept(directory)
    note(keeps, 1)
    keeps.close()

    code, lines = why("--state-dir", directory)
    assert (code, len(lines)) == (0, 1), lines


def test_a_time_that_is_none_is_refused(state):
    code, lines = why("--state-dir", state, "--since", "yesterday")
    assert code == 2
    assert "yesterday" in lines[-1]


def test_a_database_of_another_shape_is_one_line(tmp_path):
    sqlite3.connect(tmp_path / past.FILE).execute("CREATE TABLE other (x)").connection.close()
    assert why("--state-dir", tmp_path)[0] == 2


# The log


def logging(directory, log_max=10):
    return History(directory / past.FILE, 100, lambda instant: instant.seconds, log_max)


def test_the_log_outlasts_a_restart_and_is_bounded(tmp_path):
    for run in (0, 10):
        keeps = logging(tmp_path)
        for number in range(8):
            keeps.log(Instant(1, run + number), "said", {"number": number})
        keeps.close()
    found = past.read_log(tmp_path / past.FILE)
    assert [one.time for one in found] == [6, 7, *range(10, 18)]
    assert found[-1] == Logged(17, "said", {"number": 7})


def test_the_log_of_a_time(tmp_path):
    keeps = logging(tmp_path)
    for number in range(8):
        keeps.log(Instant(1, number), "said", {})
    keeps.write()
    assert [one.time for one in keeps.events(2, 4)] == [2, 3, 4]
    keeps.close()


def test_a_long_text_is_cut_and_what_is_no_json_is_a_text(tmp_path):
    keeps = logging(tmp_path)
    keeps.log(Instant(1, 1), "received", {"text": "x" * 100_000, "path": tmp_path, "names": ("a",)})
    keeps.close()
    (found,) = past.read_log(tmp_path / past.FILE)
    assert found.fields == {"text": "x" * history.TEXT_MAX, "path": str(tmp_path), "names": ["a"]}


def test_long_work_is_told_between_the_transitions(tmp_path):
    """Why a download failed is in no message: its text might be anything."""
    keeps = logging(tmp_path)
    note(keeps, 1, 5)
    for at, event, fields in (
        (2, "work begun", {}),
        (3, "work progress", {"percent": 40}),
        (4, "work ended", {"how": "FetchFailed", "why": "https://files.example/fw: HTTP 404"}),
        (4.5, "received", {"text": "[]"}),
    ):
        keeps.log(Instant(1, at), event, {"work": "FetchFirmware", **fields})
    keeps.close()
    ran = CliRunner().invoke(command, ["why", "--state-dir", str(tmp_path)])
    assert [line[22:] for line in ran.output.splitlines()] == [
        "transaction 1 goes from idle to running on Reset (type Soft), as not has work: 5.14 Accepted [str]",
        "the download of the firmware begins",
        "the download of the firmware is at 40 %",
        "the download of the firmware failed: https://files.example/fw: HTTP 404",
        "transaction 1 goes from idle to running on Reset (type Soft), as not has work: 5.14 Accepted [str]",
    ]


def test_why_tells_in_the_order_in_which_it_happened_whatever_became_of_the_clock(tmp_path):
    """A station without a clock of its own begins in the past, until the Central System tells the time."""
    keeps = logging(tmp_path)
    note(keeps, 100, 200, address="transaction/1")
    note(keeps, 50, address="reset")
    note(keeps, 300, address="transaction/2")
    keeps.log(Instant(1, 250), "work begun", {"work": "FetchFirmware"})
    keeps.close()

    code, lines = why("--state-dir", tmp_path)

    told = [line.split("  ")[1].split(" goes")[0] for line in lines]
    assert code == 0
    assert [one for one in told if "firmware" not in one] == [
        "transaction 1",
        "transaction 1",
        "reset",
        "transaction 2",
    ]
    assert told[3] == "the download of the firmware begins"


def test_work_that_went_well_is_done():
    done = Logged(0, "work ended", {"work": "InstallFirmware", "how": "FirmwareInstalled"})
    assert told_work(done).endswith("the installation of the firmware is done")


def test_a_history_from_before_there_was_a_log_goes_on_with_one(tmp_path):
    with closing(sqlite3.connect(tmp_path / past.FILE)) as database:
        database.execute(history.SCHEMA[0])
    keeps = logging(tmp_path)
    keeps.log(Instant(1, 1), "said", {})
    keeps.close()
    assert past.read_log(tmp_path / past.FILE) == [Logged(1, "said", {})]


# What is left of a damaged file


def story_of(keeps):
    """What diagnostics tell, and ``statecharge why``."""
    logged, happened = keeps.events(), keeps.recent()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    told = Diagnostics(
        time=now, log=logged, history=happened, configuration={}, database={}, station={}, machines={}
    )
    diagnostics.write(told, keeps._file.with_name("diagnostics.zip"))
    return story([one for one in happened if one.connector in {0, 1}], logged)


def worn(directory):
    """A history with some of everything; return what is in the file."""
    keeps = logging(directory, log_max=100)
    for seconds in range(60):
        note(keeps, seconds)
        keeps.log(Instant(1, seconds), "work ended", {"work": "FetchFirmware", "how": "FirmwareFetched"})
    keeps.close()
    return (directory / past.FILE).read_bytes()


@pytest.mark.parametrize("rest", [b"\0", b"\xff"])
def test_whatever_sector_is_lost_the_rest_is_told_or_why_not(tmp_path, rest):
    """A station that is asked for diagnostics must not end of it, nor of what it notes."""
    whole, size = worn(tmp_path), 512
    told = 0
    for at in range(0, len(whole), size):
        (tmp_path / past.FILE).write_bytes(whole[:at] + rest * size + whole[at + size :])
        keeps = logging(tmp_path, log_max=100)
        note(keeps, 100)
        keeps.write()
        with suppress(HistoryError):
            told += bool(story_of(keeps))
        keeps.close()
    assert told > 10


def lines_after(directory, spoil):
    """How many of 120 lines are told of a history that was spoilt."""
    worn(directory)
    with closing(sqlite3.connect(directory / past.FILE, isolation_level=None)) as database:
        database.execute(spoil)
    with closing(logging(directory, log_max=100)) as keeps:
        return len(story_of(keeps))


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE log SET fields = '{' WHERE number = 7",
        "UPDATE log SET fields = '[1]' WHERE number = 7",
        "UPDATE log SET fields = NULL WHERE number = 7",
        "UPDATE log SET fields = CAST(x'7bff7d' AS TEXT) WHERE number = 7",
        "UPDATE log SET time = 1e300 WHERE number = 7",
        "UPDATE history SET time = 1e300 WHERE number = 7",
        "UPDATE history SET message = x'ff' WHERE number = 7",
    ],
)
def test_a_row_that_says_nothing_is_left_out(tmp_path, spoil):
    assert lines_after(tmp_path, spoil) == 119


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE history SET machine = CAST(x'7472616e73616374696f6e2fff' AS TEXT) WHERE number = 7",
        "UPDATE log SET fields = '{}' WHERE number = 7",
    ],
)
def test_a_row_that_says_too_little_is_told_as_it_is(tmp_path, spoil):
    assert lines_after(tmp_path, spoil) == 120


def test_a_damaged_schema_makes_room(tmp_path):
    """What SQLite says of it repeats it, and is no text."""
    (tmp_path / past.FILE).write_bytes(worn(tmp_path).replace(b"CREATE TABLE log", b"CREATE \xffABLE log"))
    keeps = logging(tmp_path, log_max=100)
    note(keeps, 100)
    keeps.close()
    assert [one.time for one in read(tmp_path / past.FILE)] == [100.0]
