"""The configuration keys by themselves: 5.3 Change Configuration, 5.8 Get Configuration."""

from msgspec.structs import replace

from machines.configuration import ChangedKeys, Configuration, ConfigurationData
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer
from machines.vocabulary.keys import KeySet
from machines.vocabulary.notices import KeyChanged, RegistrationAccepted
from machines.vocabulary.ocpp import (
    ChangeConfiguration,
    ChangeConfigurationConf,
    ConfigurationStatus,
    GetConfiguration,
    GetConfigurationConf,
    KeyValue,
)
from tests.machines import alone
from tests.machines.alone import STATION

BEFORE = ConfigurationData(STATION.defaults, (("connection_time_out", "50"),))


def told(message, **known):
    state, emitted, data = alone.told(Configuration, "ready", BEFORE, message, number=0, **known)
    assert state == "ready"
    return emitted, data


def answer(status):
    return Answer(ChangeConfigurationConf(status=ConfigurationStatus(status)))


def change(key, value):
    return ChangeConfiguration(key=key, value=value)


def rule_where(**members):
    """A key of the station that is declared so."""
    return next(
        rule
        for rule in STATION.keys.rules
        if all(getattr(rule, name) == value for name, value in members.items())
    )


def test_a_key_that_does_not_exist_is_not_supported():
    assert told(change("Colour", "red")) == ([answer("NotSupported")], BEFORE)


def test_a_key_that_is_read_only_is_not_changed():
    assert told(change(rule_where(is_writable=False).name, "1")) == ([answer("Rejected")], BEFORE)


def test_a_value_that_is_not_allowed_is_not_taken():
    assert told(change("HeartbeatInterval", "often")) == ([answer("Rejected")], BEFORE)


def test_a_changed_key_holds_at_once_is_kept_and_is_news():
    data = ConfigurationData(
        replace(STATION.defaults, heartbeat_interval=77),
        (("connection_time_out", "50"), ("heartbeat_interval", "77")),
    )
    emitted = [answer("Accepted"), KeyChanged("heartbeat_interval")]
    assert told(change("HeartbeatInterval", "77")) == (emitted, data)


def test_a_key_is_kept_once():
    _, data = told(change("ConnectionTimeOut", "60"))
    assert data.changed == (("connection_time_out", "60"),)


def test_a_key_that_needs_a_restart_is_kept_and_holds_later():
    rules = [replace(rule, reboot=True) for rule in STATION.keys.rules]
    data = replace(BEFORE, changed=(*BEFORE.changed, ("heartbeat_interval", "77")))
    after = told(change("HeartbeatInterval", "77"), key_set=KeySet(tuple(rules)))
    assert after == ([answer("RebootRequired")], data)


def test_keys_are_shown():
    emitted, data = told(GetConfiguration(key=("HeartbeatInterval", "Colour")))
    shown = KeyValue(key="HeartbeatInterval", readonly=False, value=str(STATION.defaults.heartbeat_interval))
    conf = GetConfigurationConf(configuration_key=(shown,), unknown_key=("Colour",))
    assert (emitted, data) == ([Answer(conf)], BEFORE)


def test_the_interval_of_the_central_system_is_that_of_the_heartbeat_and_is_not_kept():
    data = replace(BEFORE, keys=replace(STATION.defaults, heartbeat_interval=60))
    assert told(RegistrationAccepted(60)) == ([KeyChanged("heartbeat_interval")], data)
    assert told(RegistrationAccepted(0)) == ([], BEFORE)


def test_after_a_restart_changed_keys_hold():
    emitted, data = told(Resumed("ready", ChangedKeys((("heartbeat_interval", "77"), ("colour", "red")))))
    assert emitted == []
    assert data.keys.heartbeat_interval == 77
    assert data.changed == (("heartbeat_interval", "77"),)
