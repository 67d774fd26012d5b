"""The local authorization list: OCPP 1.6, 3.5.2, 5.10 and 5.15."""

from engine.conformance.bed import Bed
from engine.conformance.case import NotApplicable, case
from engine.conformance.sequence import status
from engine.conformance.stimuli import PlugIn, Swipe
from machines.vocabulary.ocpp import (
    AuthorizationData,
    AuthorizationStatus,
    GetLocalListVersion,
    GetLocalListVersionConf,
    IdTagInfo,
    RemoteStartTransaction,
    SendLocalList,
    UpdateType,
)
from machines.vocabulary.wire import CallError, ErrorCode

PROFILE = "LocalAuthListManagement"
ENABLED = {"LocalAuthListEnabled": "true"}
DISABLED = {"LocalAuthListEnabled": "false"}
USED = {**ENABLED, "LocalPreAuthorize": "true"}
ACCEPTED = IdTagInfo(status=AuthorizationStatus.ACCEPTED)
ENTRIES_MAX = 10_000
"""Of a list that is sent: some 700 kB."""


def update(version: int, *id_tags: str, kind: UpdateType = UpdateType.FULL) -> SendLocalList:
    """A SendLocalList that accepts these."""
    entries = tuple(AuthorizationData(id_tag=id_tag, id_tag_info=ACCEPTED) for id_tag in id_tags)
    return SendLocalList(list_version=version, update_type=kind, local_authorization_list=entries or None)


async def check_version(bed: Bed, wanted: int) -> None:
    """Ask for the version of the list."""
    answer = await bed.request(GetLocalListVersion())
    found = answer.list_version if isinstance(answer, GetLocalListVersionConf) else answer
    bed.check(found, wanted, "the version of the list")


async def list_card(bed: Bed) -> None:
    """Put the card on the list; it is in no cache."""
    await bed.prefer(AuthorizationCacheEnabled="false")
    await check_version(bed, 0)
    await bed.ask(update(1, "CARD"), "Accepted")
    await check_version(bed, 1)


@case("008_1", PROFILE, needs=(PlugIn, Swipe), keys=USED)
async def start_with_id_in_the_list(bed: Bed) -> None:
    """Regular Charging Session - Id in Local Authorization List - Local.

    No Authorize: Preparing with the idTag, StartTransaction and Charging with the cable.
    """
    await list_card(bed)
    await bed.swipe()
    await bed.expect(status("Preparing"))
    await bed.plug_in()
    await bed.begin()


@case("008_2", PROFILE, needs=(PlugIn,), keys={**USED, "AuthorizeRemoteTxRequests": "true"})
async def remote_start_with_id_in_the_list(bed: Bed) -> None:
    """Regular Charging Session - Id in Local Authorization List - Remote.

    As 008_1, by RemoteStartTransaction with AuthorizeRemoteTxRequests true.
    """
    await list_card(bed)
    await bed.ask(RemoteStartTransaction(connector_id=1, id_tag="CARD"), "Accepted")
    await bed.expect(status("Preparing"))
    await bed.plug_in()
    await bed.begin()


@case("042_1", PROFILE, keys=DISABLED, lasts_s=5)
async def version_not_supported(bed: Bed) -> None:
    """Get Local List Version - Not Supported.

    With LocalAuthListEnabled false the version is -1, or a CALLERROR NotSupported.
    """
    answer = await bed.request(GetLocalListVersion())
    if isinstance(answer, CallError):
        bed.check(answer.code, ErrorCode.NOT_SUPPORTED, "the answer to GetLocalListVersion")
    else:
        assert isinstance(answer, GetLocalListVersionConf)
        bed.check(answer.list_version, -1, "the version of the list")


@case("042_2", PROFILE, keys=ENABLED, lasts_s=5)
async def version_of_an_empty_list(bed: Bed) -> None:
    """Get Local List Version - Empty.

    A full update without entries is Accepted; the version is then 0.
    """
    await bed.ask(update(1), "Accepted")
    await check_version(bed, 0)


@case("043", PROFILE, keys=ENABLED, lasts_s=5)
async def send_local_list(bed: Bed) -> None:
    """Send Local Authorization List.

    A full update is Accepted, and a differential one after it; both set the version.
    """
    await bed.ask(update(1, "A", "B"), "Accepted")
    await check_version(bed, 1)
    await bed.ask(update(2, "C", kind=UpdateType.DIFFERENTIAL), "Accepted")
    await check_version(bed, 2)


@case("043_1", PROFILE, keys=DISABLED, lasts_s=5)
async def not_supported(bed: Bed) -> None:
    """Send Local Authorization List - NotSupported.

    With LocalAuthListEnabled false: the status, or the CALLERROR of that name.
    """
    await bed.ask(update(1, "A"), "NotSupported", ErrorCode.NOT_SUPPORTED)


@case("043_2", PROFILE, keys=ENABLED, lasts_s=5)
async def version_mismatch(bed: Bed) -> None:
    """Send Local Authorization List - VersionMismatch.

    Full 2, differential 5, differential 4: the last one changes nothing.
    """
    await bed.ask(update(2, "A"), "Accepted")
    await check_version(bed, 2)
    await bed.ask(update(5, "B", kind=UpdateType.DIFFERENTIAL), "Accepted")
    await check_version(bed, 5)
    await bed.ask(update(4, "C", kind=UpdateType.DIFFERENTIAL), "VersionMismatch")
    await check_version(bed, 5)


@case("043_3", PROFILE, keys=ENABLED, lasts_s=5)
async def failed(bed: Bed) -> None:
    """Send Local Authorization List - Failed.

    More entries than SendLocalListMaxLength: Failed, and the list is what it was.
    """
    too_many = await bed.number_in("SendLocalListMaxLength") + 1
    if too_many > ENTRIES_MAX:
        raise NotApplicable(f"SendLocalListMaxLength is {too_many - 1}, and so many entries are not sent")
    await bed.ask(update(2, "A"), "Accepted")
    await bed.ask(update(3, *(f"TAG-{number}" for number in range(too_many))), "Failed")
    await check_version(bed, 2)
