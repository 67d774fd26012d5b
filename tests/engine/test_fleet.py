"""Several stations in one process: which they are, and what there cannot be."""

import resource
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.declaration.station import Device
from engine.fleet import FILES_BESIDES, FILES_EACH, FleetError, fleet
from engine.process import at
from engine.station_file import load

STATE = Path("somewhere")


@pytest.fixture
def box():
    return at(load("ac-smart"), None, "BOX")


def test_identities_and_directories_are_numbered(box):
    stations = fleet(box, 12, STATE, None)

    assert [placed.station.csms.identity for placed in stations][:2] == ["BOX-01", "BOX-02"]
    assert stations[-1].station.csms.identity == "BOX-12"
    assert [placed.state for placed in stations] == [
        STATE / placed.station.csms.identity for placed in stations
    ]
    assert {placed.bench for placed in stations} == {None}


def test_without_a_directory_they_are_where_single_stations_are(box):
    assert [placed.state for placed in fleet(box, 2, None, None)] == [
        Path("state/BOX-1"),
        Path("state/BOX-2"),
    ]


@pytest.mark.parametrize(("port", "ports"), [(8080, [8080, 8081, 8082]), (0, [0, 0, 0])])
def test_each_has_a_bench_of_its_own(box, port, ports):
    assert [placed.bench for placed in fleet(box, 3, STATE, ("::1", port))] == [("::1", p) for p in ports]


def test_a_restart_of_one_does_not_end_the_others(box):
    exits = replace(box, process=replace(box.process, reset="exit"))

    assert {placed.station.process.reset for placed in fleet(exits, 2, STATE, None)} == {"in place"}


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_a_number_out_of_bounds_is_refused(box, count):
    with pytest.raises(FleetError, match=f"{count} stations: must be 1 to 1000"):
        fleet(box, count, STATE, None)


def test_real_hardware_is_refused(box):
    real = replace(box, drivers=(Device(driver="modbus", parameters={}),))

    with pytest.raises(FleetError, match=r"connector 1 is real hardware \(modbus\)"):
        fleet(real, 2, STATE, None)


def test_an_identity_without_room_for_a_number_is_refused(box):
    assert len(fleet(at(box, None, "B" * 45), 10, STATE, None)[9].station.csms.identity) == 48
    with pytest.raises(FleetError, match="more than 48 characters"):
        fleet(at(box, None, "B" * 45), 100, STATE, None)


def test_ports_that_do_not_exist_are_refused(box):
    with pytest.raises(FleetError, match="there are no 10 ports from 65530 on"):
        fleet(box, 10, STATE, ("127.0.0.1", 65530))


def test_the_limit_of_open_files_is_lifted_as_far_as_the_system_lets_us(box):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = 3 * FILES_EACH + FILES_BESIDES
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, before[1]))
        fleet(box, 4, STATE, None)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 4 * FILES_EACH + FILES_BESIDES
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
