"""The configuration keys: what the Central System may read and change.

OCPP 1.6 edition 2: 5.3 Change Configuration, 5.8 Get Configuration, 9. What a key allows is declared
(machines/vocabulary/keys.py); what was changed is kept over a restart and overrides the declared default. A value
that the declaration no longer allows is forgotten.
"""

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from machines.facts import Facts
from machines.machine import Machine, State, when
from machines.resumed import Resumed
from machines.vocabulary.effects import Answer
from machines.vocabulary.keys import (
    KeyRefusal,
    KeyRule,
    Keys,
    KeySet,
    format_value,
    parse_value,
    read_value,
    with_value,
)
from machines.vocabulary.notices import KeyChanged, RegistrationAccepted
from machines.vocabulary.ocpp import (
    ChangeConfiguration,
    ChangeConfigurationConf,
    ConfigurationStatus,
    GetConfiguration,
    GetConfigurationConf,
    KeyValue,
)


class ChangedKeys(Struct, frozen=True):
    """What was changed over OCPP: attribute and text, each attribute once."""

    changed: tuple[tuple[str, str], ...] = ()


class ConfigurationData(Struct, frozen=True):
    """The values in force, and what was changed."""

    keys: Keys
    changed: tuple[tuple[str, str], ...] = ()
    """Attribute and text; what needs a restart is here already and in force later."""


def recalled(keys: Keys, key_set: KeySet, changed: tuple[tuple[str, str], ...]) -> ConfigurationData:
    """``keys`` with the changes that the declaration still allows."""
    kept = []
    for attribute, text in changed:
        for rule in key_set.rules:
            value = parse_value(rule, text) if rule.attribute == attribute and rule.is_writable else None
            if value is not None and not isinstance(value, KeyRefusal):
                keys = with_value(keys, rule, value)
                kept.append((attribute, text))
                break
    return ConfigurationData(keys, tuple(kept))


def listing(keys: Keys, key_set: KeySet, request: GetConfiguration) -> GetConfigurationConf:
    """The answer to ``request``: all keys if it names none, else the known ones and the rest (5.8)."""
    rules: list[KeyRule] = []
    unknown = []
    if not request.key:
        rules = [rule for rule in key_set.rules if rule.is_readable]
    for name in request.key or ():
        rule = key_set.find(name)
        if rule is not None and rule.is_readable:
            rules.append(rule)
        else:
            unknown.append(name)
    shown = tuple(
        KeyValue(key=rule.name, readonly=not rule.is_writable, value=format_value(read_value(keys, rule)))
        for rule in rules
    )
    return GetConfigurationConf(configuration_key=shown or None, unknown_key=tuple(unknown) or None)


class Configuration(Machine[ConfigurationData, Facts]):
    """The configuration keys."""

    memory = ChangedKeys
    messages = (ChangeConfiguration, GetConfiguration, RegistrationAccepted, Resumed)

    ready = State("Ready", value="ready", initial=True)

    # fmt: off
    ready.to(ready, event=when(ChangeConfiguration,  "5.3 NotSupported: unknown key"),           unless="is_known",                                                 on="answer_unknown")
    ready.to(ready, event=when(ChangeConfiguration,  "5.3 Rejected: read-only"),                 cond="is_known", unless="is_writable",                             on="reject")
    ready.to(ready, event=when(ChangeConfiguration,  "5.3 Rejected: not allowed by its declaration"), cond=["is_known", "is_writable"], unless="is_allowed",        on="reject")
    ready.to(ready, event=when(ChangeConfiguration,  "5.3 RebootRequired"),                      cond=["is_known", "is_writable", "is_allowed", "needs_reboot"],    on="change_later")
    ready.to(ready, event=when(ChangeConfiguration,  "5.3 Accepted"),                            cond=["is_known", "is_writable", "is_allowed"], unless="needs_reboot", on="change")
    ready.to(ready, event=when(GetConfiguration,     "5.8"),                                                                                                        on="show")
    ready.to(ready, event=when(RegistrationAccepted, "4.2 interval sets HeartbeatInterval"),     cond="names_interval",                                             on="adopt_interval")
    ready.to(ready, event=when(RegistrationAccepted, "decision BN2: interval 0 keeps HeartbeatInterval"), unless="names_interval")
    ready.to(ready, event=when(Resumed,              "5.3 changed values are kept"),                                                                                on="recall")
    # fmt: on

    impossible: ClassVar = {}

    def remember(self) -> ChangedKeys:
        """Only what was changed: the rest is declared."""
        return ChangedKeys(self.data.changed)

    # Guards

    def is_known(self, request: ChangeConfiguration) -> bool:
        return self.facts.key_set.find(request.key) is not None

    def is_writable(self, request: ChangeConfiguration) -> bool:
        return self._rule(request).is_writable

    def is_allowed(self, request: ChangeConfiguration) -> bool:
        return not isinstance(parse_value(self._rule(request), request.value), KeyRefusal)

    def needs_reboot(self, request: ChangeConfiguration) -> bool:
        return self._rule(request).reboot

    def names_interval(self, accepted: RegistrationAccepted) -> bool:
        return accepted.interval_s > 0

    # Actions

    def answer_unknown(self) -> None:
        self._answer(ConfigurationStatus.NOT_SUPPORTED)

    def reject(self) -> None:
        self._answer(ConfigurationStatus.REJECTED)

    def change_later(self, request: ChangeConfiguration) -> None:
        self._keep(self._rule(request), request.value)
        self._answer(ConfigurationStatus.REBOOT_REQUIRED)

    def change(self, request: ChangeConfiguration) -> None:
        rule = self._rule(request)
        value = parse_value(rule, request.value)
        assert not isinstance(value, KeyRefusal)
        self.data = replace(self.data, keys=with_value(self.data.keys, rule, value))
        self._keep(rule, request.value)
        self._answer(ConfigurationStatus.ACCEPTED)
        self.emit(KeyChanged(rule.attribute))

    def show(self, request: GetConfiguration) -> None:
        self.emit(Answer(listing(self.data.keys, self.facts.key_set, request)))

    def adopt_interval(self, accepted: RegistrationAccepted) -> None:
        # Not kept: the Central System names it again with the next BootNotification.
        keys = replace(self.data.keys, heartbeat_interval=accepted.interval_s)
        self.data = replace(self.data, keys=keys)
        self.emit(KeyChanged("heartbeat_interval"))

    def recall(self, resumed: Resumed) -> None:
        self.data = recalled(self.data.keys, self.facts.key_set, resumed.data.changed)

    def _rule(self, request: ChangeConfiguration) -> KeyRule:
        rule = self.facts.key_set.find(request.key)
        assert rule is not None
        return rule

    def _keep(self, rule: KeyRule, text: str) -> None:
        others = (entry for entry in self.data.changed if entry[0] != rule.attribute)
        self.data = replace(self.data, changed=(*others, (rule.attribute, text)))

    def _answer(self, status: ConfigurationStatus) -> None:
        self.emit(Answer(ChangeConfigurationConf(status=status)))
