"""Alphabets of what happens to the station: its connection, its power, its configuration, its firmware."""

from collections.abc import Iterator

from machines.model.alphabet import Alphabet
from machines.model.letters import (
    BAD,
    DIAGNOSTICS,
    DIFFERENTIAL,
    DRIVES,
    FULL,
    GOOD,
    GOOD_AND_BAD,
    NO_ANSWER,
    RESETS,
    UPDATES,
    Numbers,
    availability,
    buttons,
    configuration,
    local_list,
    remote,
    triggers,
)
from machines.vocabulary import ocpp
from machines.vocabulary.hardware import HardwareFault
from machines.vocabulary.ocpp import (
    MessageTrigger,
    RegistrationStatus,
)
from machines.vocabulary.settings import Recovery
from machines.vocabulary.wire import Failure

OFFLINE = (
    *("meter of 1 (start) read", "connection lost", "pilot of 1 A", "meter of 1 (stop) read"),
    *("lock of 1 open", "cable out of 1"),
    *("cable in 1", "pilot of 1 C", "card A", "lock of 1 closed", "meter of 1 (start) read"),
)
"""The end of a session that the Central System has not heard of, and another one."""
RECOVERING = ("the power is cut, and comes back", "connected", "BootNotification Accepted")
"""A transaction that may go on, and a Central System that can ask for something."""
DOWNLOADED = ("UpdateFirmware now, 0 retries", "FetchFirmware done", "VerifyFirmware done")
"""Firmware that waits for the vehicle that charges."""
INSTALLING = (*DOWNLOADED, "pilot of 1 A", "meter of 1 (stop) read")
"""Firmware that is being installed, and a StopTransaction that is not delivered."""
CUT = (*INSTALLING, *RECOVERING)
"""The installation is to begin again."""
INSTALLED = (
    *(*INSTALLING, "StartTransaction Accepted", "StopTransaction answered"),
    *("InstallFirmware done", "the station starts", "connected", "BootNotification Accepted"),
)
"""The installer is asked which firmware runs."""


def station(numbers: Numbers) -> Iterator[tuple[str, Alphabet]]:
    """What happens to the station."""
    yield "outages", Alphabet("the connection is lost", cards=("A",), pilots=DRIVES, has_outages=True)
    yield (
        "offline",
        Alphabet(
            "idTags that the station knows, or not; nobody to ask",
            cards=("A", "B"),
            pilots=DRIVES,
            answers=GOOD_AND_BAD,
            failures=(Failure.CALL_ERROR,),
            requests=(("ClearCache", ocpp.ClearCache()),),
            has_outages=True,
            station=(("allow_offline_tx_for_unknown_id", True), ("authorization_cache_enabled", True)),
        ),
    )
    yield (
        "local list",
        Alphabet(
            "SendLocalList, and a cache",
            cards=("A",),
            pilots=DRIVES,
            answers=GOOD_AND_BAD,
            requests=(
                *local_list(1, FULL, ("A", GOOD)),
                *local_list(2, DIFFERENTIAL, ("A", BAD)),
                *local_list(3, FULL, ("A", None)),
                *local_list(4, DIFFERENTIAL, ("A", None)),
                ("GetLocalListVersion", ocpp.GetLocalListVersion()),
                ("ClearCache", ocpp.ClearCache()),
                *configuration(LocalAuthListEnabled="true false", AuthorizationCacheEnabled="true false"),
            ),
            failures=(Failure.CALL_ERROR,),
            has_slow_answers=True,
            station=(("local_pre_authorize", True), ("authorization_cache_enabled", True)),
        ),
    )
    yield (
        "delivery",
        Alphabet(
            "transaction messages that fail or are answered late",
            cards=("A",),
            pilots=DRIVES,
            failures=NO_ANSWER,
            answers=GOOD_AND_BAD,
        ),
    )
    yield (
        "samples",
        Alphabet(
            "meter values while a queue of four is full, and values on the clock",
            cards=("A",),
            pilots=DRIVES,
            failures=NO_ANSWER,
            requests=(
                *configuration(MeterValueSampleInterval="0 10", ClockAlignedDataInterval="0 900"),
                *configuration(MeterValuesSampledData="Energy.Active.Import.Interval"),
                *triggers(MessageTrigger.METER_VALUES),
            ),
            has_outages=True,
            has_meter_trouble=True,
            has_clock=True,
            station=(
                ("queue_size_max", 4),
                ("transaction_message_attempts", 1),
                ("clock_aligned_data_interval", 900),
                ("meter_value_sample_interval", 10),
                ("meter_values_sampled_data", ("Energy.Active.Import.Register",)),
                ("meter_values_aligned_data", ("Energy.Active.Import.Register",)),
            ),
        ),
    )
    yield (
        "registration",
        Alphabet(
            "registration, and what may be asked for before it",
            pilots=DRIVES,
            registrations=tuple(RegistrationStatus),
            intervals=(0, 60),
            failures=NO_ANSWER,
            has_outages=True,
            requests=triggers(
                MessageTrigger.BOOT_NOTIFICATION,
                MessageTrigger.HEARTBEAT,
                MessageTrigger.METER_VALUES,
                MessageTrigger.STATUS_NOTIFICATION,
            ),
        ),
    )
    yield (
        "slow answers",
        Alphabet(
            "what is asked for, and answers that come late or never",
            cards=("A",),
            pilots=DRIVES,
            registrations=(RegistrationStatus.ACCEPTED, RegistrationStatus.PENDING),
            failures=(Failure.CALL_ERROR,),
            requests=(
                *triggers(*MessageTrigger),
                *triggers(
                    MessageTrigger.STATUS_NOTIFICATION, MessageTrigger.METER_VALUES, numbers=(0, *numbers, 9)
                ),
                *configuration(MeterValuesSampledData="Energy.Active.Import.Interval"),
                ("TriggerMessage Rumour", ocpp.TriggerUnknownMessage(requested_message="Rumour")),
            ),
            has_outages=True,
            has_vendor_data=True,
            has_slow_answers=True,
        ),
    )
    for offered in ("FirmwareStatusNotification", "DiagnosticsStatusNotification"):
        yield (
            f"few messages with {offered}",
            Alphabet(
                "reports that the station does not declare",
                requests=(*triggers(*MessageTrigger), *UPDATES[1:2], DIAGNOSTICS),
                has_vendor_data=True,
                has_slow_answers=True,
                has_failing_works=True,
                station=(("sends", frozenset({"BootNotification", "StatusNotification", offered})),),
            ),
        )
    yield (
        "short statuses",
        Alphabet(
            "MinimumStatusDuration",
            cards=("A",),
            pilots=DRIVES,
            requests=triggers(MessageTrigger.STATUS_NOTIFICATION, numbers=(None, *numbers)),
            failures=NO_ANSWER,
            has_outages=True,
            has_slow_answers=True,
            station=(("minimum_status_duration", 5),),
        ),
    )
    yield (
        "unanswered statuses",
        Alphabet(
            "statuses that nobody answers, or that are refused",
            cards=("A",),
            pilots=DRIVES,
            requests=triggers(MessageTrigger.STATUS_NOTIFICATION, numbers=(None, *numbers)),
            failures=NO_ANSWER,
            has_outages=True,
            has_slow_answers=True,
        ),
    )
    yield (
        "configuration",
        Alphabet(
            "keys of every kind, and what is read",
            requests=(
                *configuration(
                    AuthorizationKey="00112233445566778899aabbccddeeff",
                    HeartbeatInterval="0 10 -1",
                    NumberOfConnectors="2",
                    Nonsense="1",
                    LightIntensity="50",
                ),
                ("GetConfiguration", ocpp.GetConfiguration()),
                *(
                    (
                        f"DataTransfer {vendor} {message}",
                        ocpp.DataTransfer(vendor_id=vendor, message_id=message),
                    )
                    for vendor in ("org.example", "nobody")
                    for message in ("Ping", "Pong")
                ),
            ),
            registrations=(RegistrationStatus.ACCEPTED, RegistrationStatus.PENDING),
            intervals=(0, 60),
            has_outages=True,
            has_vendor_data=True,
            has_power_cuts=True,
        ),
    )
    yield "power cuts", Alphabet("the power is cut", cards=("A",), pilots=DRIVES, has_power_cuts=True)
    yield (
        "power cuts and resumed",
        Alphabet(
            "the power is cut, and transactions go on",
            cards=("A",),
            pilots=DRIVES,
            answers=GOOD_AND_BAD,
            reports=buttons(numbers),
            faults=((numbers[0], HardwareFault.GROUND),),
            requests=(
                *availability(numbers[:1]),
                *remote(numbers),
                *RESETS,
                *triggers(MessageTrigger.METER_VALUES),
                *configuration(StopTransactionOnInvalidId="true false"),
            ),
            has_power_cuts=True,
            has_power_failing=True,
            has_meter_trouble=True,
            further=(("recovering", RECOVERING),),
            station=(("recovery", Recovery.RESUME), ("stop_transaction_on_invalid_id", False)),
        ),
    )
    yield (
        "power cuts and no energy",
        Alphabet(
            "the power is cut, and transactions go on that may draw none",
            cards=("A",),
            pilots=DRIVES,
            answers=GOOD_AND_BAD,
            faults=((numbers[0], HardwareFault.TEMPERATURE),),
            requests=configuration(StopTransactionOnInvalidId="true false"),
            has_power_cuts=True,
            station=(("recovery", Recovery.RESUME), ("stop_transaction_on_invalid_id", False)),
        ),
    )
    yield (
        "offline and resumed",
        Alphabet(
            "transactions that nobody was told of, and a power cut",
            cards=("A",),
            pilots=DRIVES,
            has_outages=True,
            has_power_cuts=True,
            queue_max=3,
            further=(("offline", OFFLINE),),
            station=(("recovery", Recovery.RESUME), ("allow_offline_tx_for_unknown_id", True)),
        ),
    )
    yield (
        "reset",
        Alphabet(
            "Reset, and restarts that fail",
            cards=("A",),
            pilots=DRIVES,
            requests=RESETS,
            failures=(Failure.CALL_ERROR,),
            has_failing_restarts=True,
        ),
    )
    yield (
        "firmware",
        Alphabet(
            "UpdateFirmware, and everything that may become of it",
            cards=("A", "B")[: len(numbers)],
            pilots=DRIVES,
            requests=(
                *UPDATES,
                *availability(numbers[:1]),
                *triggers(MessageTrigger.FIRMWARE_STATUS_NOTIFICATION),
            ),
            has_failing_works=True,
            has_failing_restarts=True,
            has_power_cuts=True,
            station=(("recovery", Recovery.RESUME), ("install_attempts_max", 2)),
        ),
    )
    yield (
        "firmware and restarts",
        Alphabet(
            "UpdateFirmware, Reset, and restarts that fail",
            cards=("A",),
            pilots=DRIVES,
            requests=(*UPDATES, *RESETS),
            has_failing_works=True,
            has_failing_restarts=True,
            has_power_cuts=True,
            has_clock=True,
            further=(("installing", INSTALLING), ("cut", CUT), ("installed", INSTALLED)),
            station=(("install_attempts_max", 2),),
        ),
    )
    yield (
        "firmware told slowly",
        Alphabet(
            "what is told of firmware, and answered late or never",
            cards=("A",),
            pilots=DRIVES,
            requests=(*UPDATES[:1], *triggers(MessageTrigger.FIRMWARE_STATUS_NOTIFICATION)),
            failures=(Failure.CALL_ERROR,),
            has_failing_restarts=True,
            has_power_cuts=True,
            has_slow_answers=True,
            further=(
                *(("downloaded", DOWNLOADED), ("installing", INSTALLING)),
                *(("cut", CUT), ("installed", INSTALLED)),
            ),
        ),
    )
    yield (
        "diagnostics",
        Alphabet(
            "GetDiagnostics, and what is told of it",
            requests=(
                DIAGNOSTICS,
                *triggers(MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION),
            ),
            has_failing_works=True,
            has_power_cuts=True,
        ),
    )
    yield (
        "transfers told slowly",
        Alphabet(
            "what is told of firmware and diagnostics, and answered late or never",
            requests=(
                *UPDATES,
                DIAGNOSTICS,
                *triggers(
                    MessageTrigger.FIRMWARE_STATUS_NOTIFICATION,
                    MessageTrigger.DIAGNOSTICS_STATUS_NOTIFICATION,
                ),
            ),
            failures=(Failure.CALL_ERROR,),
            has_failing_works=True,
            has_outages=True,
            has_slow_answers=True,
        ),
    )
