"""What the station offers: profiles, messages, keys, limits and options, from its declaration and the code."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from engine.declaration.schema import ENTRIES, Entry
from engine.declaration.station import Station
from engine.dossier.document import Block, Heading, Page, Paragraph, Row, Span, Table, Tone
from engine.dossier.subject import Subject
from machines.vocabulary.keys import KeyRule, KeyType
from machines.vocabulary.ocpp import ACTIONS

WHOLE, PART, NOT = "all", "in part", "no"


def feature_page(subject: Subject) -> Page:
    """The list of features, in the manner of a PICS."""
    words, station = subject.words, subject.station
    blocks: list[Block] = [Heading(words("Station")), _station(subject)]
    blocks += [Heading(words("Connectors")), _connectors(subject)]
    blocks += [Heading(words("Feature profiles")), _profiles(subject)]
    blocks += [Heading(words("Messages")), _messages(subject)]
    blocks += [
        Heading(words("Configuration keys")),
        Paragraph(words("As GetConfiguration shows them. {count} keys.", count=len(station.keys.rules))),
        _keys(subject),
    ]
    blocks += [Heading(words("Limits")), _limits(subject), Heading(words("Options")), _options(subject)]
    return Page("features.html", words("Features"), "features", tuple(blocks), words("Features"))


def _facts(values: Mapping[str, Any], subject: Subject) -> Table:
    rows = tuple(Row((name, shown(value, subject))) for name, value in values.items())
    return Table((subject.words("Entry"), subject.words("Value")), rows, (35, 65))


def shown(value: object, subject: Subject) -> str | Span:
    """A value, for people."""
    match value:
        case None:
            return Span("\u2014", Tone.SOFT)
        case "":
            return Span(subject.words("empty"), Tone.SOFT)
        case bool():
            return subject.words("yes") if value else subject.words("no")
        case float():
            return f"{value:g}"
        case tuple() | list() | frozenset():
            return ", ".join(map(str, value))
        case dict():
            return ", ".join(f"{name} = {each}" for name, each in value.items())
        case _:
            return str(value)


def _station(subject: Subject) -> Table:
    station = subject.station
    identity = {
        f"identity.{name}": value for name, value in msgspec.to_builtins(station.settings.identity).items()
    }
    url = {"csms.url": station.csms.url, "csms.identity": station.csms.identity}
    return _facts({**identity, **url}, subject)


def _connectors(subject: Subject) -> Table:
    words, station = subject.words, subject.station
    rows = tuple(
        Row(
            (
                str(each.number),
                each.cable,
                shown(each.has_lock, subject),
                f"{each.current_min_a:g} \u2013 {each.current_max_a:g} A",
                f"{each.phases} x {each.voltage_v:g} V",
                device.driver,
            )
        )
        for each, device in zip(station.settings.connectors, station.drivers, strict=True)
    )
    head = ("Connector", "Cable", "Lock", "Current", "Phases", "Driver")
    return Table(tuple(map(words, head)), rows, (12, 16, 12, 20, 20, 20))


def _offered(station: Station) -> frozenset[tuple[str, bool]]:
    """Actions that are declared, each with whether it comes from the Central System."""
    sends = ((name, False) for name in station.settings.sends)
    return frozenset([*sends, *((name, True) for name in station.settings.receives)])


def _all_messages() -> Iterator[tuple[str, bool, str]]:
    """Every action of OCPP 1.6 in each direction that it has, and its profile."""
    for action in ACTIONS.values():
        if action.from_charge_point:
            yield action.name, False, action.profile
        if action.from_central_system:
            yield action.name, True, action.profile


def _profiles(subject: Subject) -> Table:
    words, offered = subject.words, _offered(subject.station)
    by_profile: dict[str, list[tuple[str, bool]]] = {}
    for name, is_taken, profile in _all_messages():
        by_profile.setdefault(profile, []).append((name, is_taken))
    rows = []
    for profile, messages in by_profile.items():
        missing = [name for name, is_taken in messages if (name, is_taken) not in offered]
        how = WHOLE if not missing else NOT if len(missing) == len(messages) else PART
        tone = {WHOLE: Tone.GOOD, PART: Tone.BAD, NOT: Tone.SOFT}[how]
        rows.append(Row((profile, Span(words(how), tone), ", ".join(missing) if how == PART else "")))
    return Table((words("Profile"), words("Offered"), words("Not declared")), tuple(rows), (25, 15, 60))


def _messages(subject: Subject) -> Table:
    words, offered = subject.words, _offered(subject.station)
    rows = []
    for name, is_taken, profile in _all_messages():
        is_offered = (name, is_taken) in offered
        way = words("taken from the CSMS") if is_taken else words("sent to the CSMS")
        answer = Span(words("yes"), Tone.GOOD) if is_offered else Span(words("no"), Tone.SOFT)
        rows.append(Row((name, way, profile, answer)))
    return Table(
        (words("Message"), words("Direction"), words("Profile"), words("Offered")),
        tuple(rows),
        (35, 25, 25, 15),
    )


def _keys(subject: Subject) -> Table:
    words, station = subject.words, subject.station
    rows = []
    for rule in station.keys.rules:
        value = getattr(station.defaults, rule.attribute)
        default = shown(value, subject) if rule.is_readable else Span(words("secret"), Tone.SOFT)
        reboot = words("yes") if rule.reboot else ""
        rows.append(
            Row(
                (
                    rule.name,
                    rule.type.value,
                    rule.access.value,
                    default,
                    rule.unit or "",
                    allowed(rule),
                    reboot,
                )
            )
        )
    head = ("Key", "Type", "Access", "Default", "Unit", "Allowed", "Reboot")
    return Table(tuple(map(words, head)), tuple(rows), (28, 8, 8, 22, 9, 25, 8))


def allowed(rule: KeyRule) -> str:
    """What a key may be."""
    if rule.type is KeyType.BOOL:
        return "true, false"
    parts = []
    if rule.min is not None or rule.max is not None:
        parts.append(f"{_bound(rule.min)} \u2013 {_bound(rule.max)}")
    if rule.items is not None:
        parts.append(", ".join(rule.items))
    if rule.items_max is not None:
        parts.append(f"\u2264 {rule.items_max}")
    return "; ".join(parts)


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:g}" if abs(value) < 10**6 else str(int(value))


def _limits(subject: Subject) -> Table:
    words = subject.words
    bounds = {entry.path: entry for entry in ENTRIES}
    rows = tuple(
        Row((name, shown(value, subject), _range(bounds.get(f"limits.{name}"))))
        for name, value in msgspec.to_builtins(subject.station.settings.limits).items()
    )
    return Table((words("Limit"), words("Value"), words("Allowed")), rows, (45, 25, 30))


def _range(entry: Entry | None) -> str:
    return f"{_bound(entry.min)} \u2013 {_bound(entry.max)}" if entry is not None else ""


def _options(subject: Subject) -> Table:
    station = subject.station
    settings = station.settings
    readers = [f"{each.device.driver} ({', '.join(map(str, each.connectors))})" for each in station.readers]
    values: dict[str, object] = {
        "transactions.recovery": settings.recovery.value,
        "transactions.free_id_tag": settings.free_id_tag,
        "reservations.outlast_faults": settings.reservations_outlast_faults,
        "readers": readers,
        "data_transfer": [f"{each.vendor_id}: {', '.join(each.messages)}" for each in settings.data_transfer],
        "process.reset": station.process.reset,
        "bench.enabled": station.bench.enabled,
        "log.level": station.log.level,
        "log.frames": station.log.frames,
    }
    for name, struct in (("installation", settings.installation), ("transfers", station.transfers)):
        values |= {f"{name}.{field}": value for field, value in msgspec.structs.asdict(struct).items()}
    firmware = msgspec.structs.asdict(station.firmware)
    firmware["environment"] = list(firmware["environment"])  # the values may be secret
    values |= {f"firmware.{field}": value for field, value in firmware.items()}
    return _facts(values, subject)
