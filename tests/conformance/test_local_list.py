"""The local authorization list: facts 8."""

from machines.vocabulary.ocpp import (
    AuthorizationData,
    AuthorizationStatus,
    GetLocalListVersion,
    IdTagInfo,
    RemoteStartTransaction,
    SendLocalList,
    UpdateType,
)
from machines.vocabulary.wire import CallError, ErrorCode
from tests.conformance.sequence import status

PROFILE = "LocalAuthListManagement"
ACCEPTED = IdTagInfo(status=AuthorizationStatus.ACCEPTED)


def update(version, *id_tags, kind=UpdateType.FULL):
    """A SendLocalList that accepts these."""
    entries = tuple(AuthorizationData(id_tag=id_tag, id_tag_info=ACCEPTED) for id_tag in id_tags)
    return SendLocalList(list_version=version, update_type=kind, local_authorization_list=entries or None)


async def version(bed):
    """The version that the station tells."""
    answer = await bed.request(GetLocalListVersion())
    return answer.list_version


async def list_card(bed):
    """Put the card on the list, and the list into use."""
    await bed.configure(
        LocalAuthListEnabled="true",
        LocalPreAuthorize="true",
        AuthorizationCacheEnabled="false",
        AuthorizeRemoteTxRequests="true",
    )
    assert await version(bed) == 0
    assert await bed.status_of(update(1, "CARD")) == "Accepted"
    assert await version(bed) == 1


async def test_tc_008_1_start_with_id_in_the_list(bed, autojump_clock):
    """Regular Charging Session - Id in Local Authorization List - Local.

    No Authorize: Preparing with the idTag, StartTransaction and Charging with the cable.
    """
    async with bed.powered():
        await list_card(bed)
        bed.swipe()
        await bed.expect(status("Preparing"))
        bed.connector().plug_in()
        await bed.begin()


async def test_tc_008_2_remote_start_with_id_in_the_list(bed, autojump_clock):
    """Regular Charging Session - Id in Local Authorization List - Remote.

    As 008_1, by RemoteStartTransaction with AuthorizeRemoteTxRequests true.
    """
    async with bed.powered():
        await list_card(bed)
        assert await bed.status_of(RemoteStartTransaction(connector_id=1, id_tag="CARD")) == "Accepted"
        await bed.expect(status("Preparing"))
        bed.connector().plug_in()
        await bed.begin()


async def test_tc_042_1_version_not_supported(bed, autojump_clock):
    """Get Local List Version - Not Supported.

    With LocalAuthListEnabled false the version is -1, or a CALLERROR NotSupported.
    """
    async with bed.powered():
        await bed.configure(LocalAuthListEnabled="false")
        answer = await bed.request(GetLocalListVersion())
        if isinstance(answer, CallError):
            assert answer.code is ErrorCode.NOT_SUPPORTED
        else:
            assert answer.list_version == -1


async def test_tc_042_2_version_of_an_empty_list(bed, autojump_clock):
    """Get Local List Version - Empty.

    A full update without entries is Accepted; the version is then 0.
    """
    async with bed.powered():
        await bed.configure(LocalAuthListEnabled="true")
        assert await bed.status_of(update(1)) == "Accepted"
        assert await version(bed) == 0


async def test_tc_043_send_local_list(bed, autojump_clock):
    """Send Local Authorization List.

    A full update is Accepted, and a differential one after it; both set the version.
    """
    async with bed.powered():
        await bed.configure(LocalAuthListEnabled="true")
        assert await bed.status_of(update(1, "A", "B")) == "Accepted"
        assert await version(bed) == 1
        assert await bed.status_of(update(2, "C", kind=UpdateType.DIFFERENTIAL)) == "Accepted"
        assert await version(bed) == 2


async def test_tc_043_1_not_supported(bed, autojump_clock):
    """Send Local Authorization List - NotSupported.

    With LocalAuthListEnabled false: the status, or the CALLERROR of that name.
    """
    async with bed.powered():
        await bed.configure(LocalAuthListEnabled="false")
        assert await bed.status_of(update(1, "A")) == "NotSupported"


async def test_tc_043_2_version_mismatch(bed, autojump_clock):
    """Send Local Authorization List - VersionMismatch.

    Full 2, differential 5, differential 4: the last one changes nothing.
    """
    async with bed.powered():
        await bed.configure(LocalAuthListEnabled="true")
        assert await bed.status_of(update(2, "A")) == "Accepted"
        assert await version(bed) == 2
        assert await bed.status_of(update(5, "B", kind=UpdateType.DIFFERENTIAL)) == "Accepted"
        assert await version(bed) == 5
        assert await bed.status_of(update(4, "C", kind=UpdateType.DIFFERENTIAL)) == "VersionMismatch"
        assert await version(bed) == 5


async def test_tc_043_3_failed(bed, autojump_clock):
    """Send Local Authorization List - Failed.

    More entries than SendLocalListMaxLength: Failed, and the list is what it was.
    """
    async with bed.powered():
        await bed.configure(LocalAuthListEnabled="true")
        assert await bed.status_of(update(2, "A")) == "Accepted"
        too_many = int(await bed.value_of("SendLocalListMaxLength")) + 1
        assert await bed.status_of(update(3, *(f"TAG-{n}" for n in range(too_many)))) == "Failed"
        assert await version(bed) == 2
