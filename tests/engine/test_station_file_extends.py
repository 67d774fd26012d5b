"""One declaration builds on another."""

from pathlib import Path

import pytest

from engine.declaration.layers import SHIPPED, find
from engine.station_file import Problem, StationFileError, load


def refused(path_or_name: str | Path) -> tuple[Problem, ...]:
    with pytest.raises(StationFileError) as caught:
        load(path_or_name)
    return caught.value.problems


def test_a_single_wallbox_adds_what_is_its_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extends = "ac-smart"\nidentity.serial_number = "WM-42"\ncsms.identity = "BOX 42"\n')
    mine, product = load(file), load("ac-smart")
    assert (mine.settings.identity.serial_number, mine.csms.identity) == ("WM-42", "BOX 42")
    assert mine.settings.identity.vendor == product.settings.identity.vendor
    assert mine.csms.url == product.csms.url
    assert mine.keys == product.keys


def test_a_path_is_relative_to_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "products").mkdir()
    (tmp_path / "products" / "big.toml").write_text('extends = "../common.toml"\nlimits.inbox_size_max = 99')
    (tmp_path / "common.toml").write_text('extends = "full"\nlimits.outbox_size_max = 98')
    (tmp_path / "station.toml").write_text('extends = "products/big.toml"')
    limits = load(tmp_path / "station.toml").settings.limits
    assert (limits.inbox_size_max, limits.outbox_size_max) == (99, 98)


def test_tables_merge(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text('extends = "full"\n[keys]\nHeartbeatInterval = { max = 3600 }')
    rule = load(file).keys.find("HeartbeatInterval")
    assert rule is not None
    assert (rule.min, rule.max) == (1, 3600)
    assert len(load(file).keys.rules) == len(load("full").keys.rules)


def test_lists_replace(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text('extends = "full"\nmessages.sends = ["BootNotification"]')
    settings = load(file).settings
    assert settings.sends == {"BootNotification"}
    assert settings.receives == load("full").settings.receives


def test_a_shipped_declaration_is_found_by_name() -> None:
    assert load("full").path == SHIPPED / "full.toml"


def test_a_file_of_that_name_comes_before_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "full").write_text("")
    assert find("full", tmp_path) == tmp_path / "full"
    assert find("full", tmp_path.parent) == SHIPPED / "full.toml"


@pytest.mark.parametrize("length", [1, 2, 3])
def test_files_that_extend_each_other_in_a_circle_are_refused(tmp_path: Path, length: int) -> None:
    for number in range(length):
        (tmp_path / f"{number}.toml").write_text(f'# here\nextends = "{(number + 1) % length}.toml"')
    (problem,) = refused(tmp_path / "0.toml")
    assert (problem.file, problem.line, problem.path) == (tmp_path / f"{length - 1}.toml", 2, "extends")
    assert problem.found == " extends ".join(f"{number % length}.toml" for number in range(length + 1))


def test_a_file_that_is_not_there_is_told_with_what_it_may_have_been() -> None:
    (problem,) = refused("ac_smart")
    assert problem.found == f"{SHIPPED / 'ac_smart.toml'}: No such file or directory"
    assert problem.hint == "did you mean ac-smart?"


def test_an_extended_file_that_is_not_there_is_told_where_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text('\n\nextends = "bass"')
    (problem,) = refused(file)
    assert (problem.file, problem.line, problem.path) == (file, 3, "extends")
    assert problem.hint == "did you mean base?"


@pytest.mark.parametrize("value", ["1", "true", '["full"]', "{}"])
def test_a_file_extends_one_file_or_none(tmp_path: Path, value: str) -> None:
    file = tmp_path / "station.toml"
    file.write_text(f"extends = {value}")
    (problem,) = refused(file)
    assert (problem.line, problem.path) == (1, "extends")


def test_a_problem_is_told_in_the_file_that_has_it(tmp_path: Path) -> None:
    common, file = tmp_path / "common.toml", tmp_path / "station.toml"
    common.write_text('extends = "full"\n[limits]\ninbox_size_max = 0\noutbox_size_max = 0')
    file.write_text('extends = "common.toml"\n\n\n[limits]\noutbox_size_max = -1')
    assert {(problem.file, problem.line, problem.path) for problem in refused(file)} == {
        (common, 3, "limits.inbox_size_max"),
        (file, 5, "limits.outbox_size_max"),
    }


def test_an_item_missing_in_a_list_is_not_looked_for_in_the_list_it_replaces(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text('extends = "full"\n\n[[readers]]\ndriver = "simulated"')
    (problem,) = refused(file)
    assert (problem.file, problem.line, problem.path) == (file, 3, "readers[0].connectors")
    assert problem.found == "nothing"


def test_a_syntax_error_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text('extends = "full"\n[limits]\ninbox_size_max = ten')
    (problem,) = refused(file)
    assert (problem.file, problem.line, problem.allowed) == (file, 3, "TOML 1.0")


def test_a_file_that_is_no_text_is_refused_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_bytes(b'extends = "full"\n# caf\xe9\n')
    (problem,) = refused(file)
    assert (problem.line, problem.allowed) == (2, "UTF-8")


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 500 + "]" * 500, "{a=" * 500 + "1" + "}" * 500])
def test_what_is_toml_beyond_all_sense_is_refused(tmp_path: Path, value: str) -> None:
    file = tmp_path / "station.toml"
    file.write_text(f'extends = "full"\nlimits.log_max = {value}')
    (problem,) = refused(file)
    assert problem.allowed == "TOML 1.0 of sensible size"


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text('extends = "ac\\u0000smart"')
    (problem,) = refused(file)
    assert (problem.line, problem.path) == (1, "extends")


def test_a_directory_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "huge.toml").write_text("#" * 1_000_001)
    assert "Is a directory" in refused(tmp_path)[0].found
    assert "1000001 bytes" in refused(tmp_path / "huge.toml")[0].found
