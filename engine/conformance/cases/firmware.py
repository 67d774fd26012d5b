"""Firmware update and diagnostics: OCPP 1.6, 6.19 and 6.9.

The files lie in a folder of the tester's server (``--files``): ``firmware.bin`` is an image that the station takes,
``broken.bin`` one that it does not, ``missing.bin`` is not there. Diagnostics are uploaded into the same folder.
"""

from datetime import timedelta

from engine.conformance.bed import BOOT_S, Bed
from engine.conformance.case import NotApplicable, case
from engine.conformance.sequence import Message, message, status
from machines.vocabulary.ocpp import GetDiagnostics, GetDiagnosticsConf, UpdateFirmware

PROFILE = "FirmwareManagement"
TRANSFER_S = 600
"""How long a download, an upload or an installation may take."""
SETTLE_S = 10
"""How long connectors may take to be back."""


def files_of(bed: Bed) -> str:
    """The folder of the tester, with a slash at the end.

    Raises:
        NotApplicable: None was named.
    """
    if not bed.declared.files:
        raise NotApplicable("no server of files is known: name its folder with --files")
    return bed.declared.files.rstrip("/") + "/"


def firmware(value: str) -> Message:
    """A status of the update."""
    return message("FirmwareStatusNotification", status=value)


def diagnostics(value: str) -> Message:
    """A status of the upload."""
    return message("DiagnosticsStatusNotification", status=value)


def unavailable(bed: Bed) -> list[Message]:
    """What connectors may say while they are not to be used."""
    return [status("Unavailable", number) for number in (0, *bed.every)]


def available(bed: Bed) -> list[Message]:
    """What they may say when they are back."""
    return [status("Available", number) for number in (0, *bed.every)]


async def update(bed: Bed, file: str) -> None:
    """Ask for an update at once, without retries."""
    location = files_of(bed) + file
    when = bed.now() - timedelta(seconds=1)
    await bed.request(UpdateFirmware(location=location, retrieve_date=when, retries=0))


async def install(bed: Bed, file: str) -> None:
    """Up to the installation, with connectors that may be Unavailable."""
    await update(bed, file)
    away = unavailable(bed)
    await bed.expect(firmware("Downloading"), within_s=TRANSFER_S)
    await bed.expect(firmware("Downloaded"), optional=away, within_s=TRANSFER_S)
    await bed.expect(firmware("Installing"), optional=away, within_s=TRANSFER_S)


@case("044_1", PROFILE, lasts_s=60)
async def firmware_update(bed: Bed) -> None:
    """Firmware Update - Download and Install.

    Downloading, Downloaded, Installing; the station boots and tells every status; Installed comes before or after.
    In the end every connector is Available.
    """
    await install(bed, "firmware.bin")
    installed = firmware("Installed")
    optional = [*unavailable(bed), installed]
    await bed.expect(message("BootNotification"), optional=optional, within_s=TRANSFER_S + BOOT_S)
    numbers = (0, *bed.every)
    statuses = [status({"Available", "Unavailable"}, number) for number in numbers]
    told = await bed.expect(*statuses, optional=bed.not_yet(installed))
    # Who installs after the boot may be out of service until then.
    away = [
        number for number, entry in zip(numbers, told, strict=True) if entry.payload["status"] != "Available"
    ]
    back = [status("Available", number) for number in away]
    await bed.expect(*back, *bed.not_yet(installed), within_s=TRANSFER_S)


@case("044_2", PROFILE, lasts_s=15)
async def firmware_download_failed(bed: Bed) -> None:
    """Firmware Update - Download Failed.

    Downloading may come, DownloadFailed must; the old firmware stays.
    """
    await update(bed, "missing.bin")
    await bed.expect(firmware("DownloadFailed"), optional=[firmware("Downloading")], within_s=TRANSFER_S)


@case("044_3", PROFILE, lasts_s=30)
async def firmware_installation_failed(bed: Bed) -> None:
    """Firmware Update - Installation Failed.

    Downloading, Downloaded, Installing, and after a boot or without one InstallationFailed.
    """
    await install(bed, "broken.bin")
    boot = [message("BootNotification"), *available(bed)]
    await bed.expect(
        firmware("InstallationFailed"), optional=[*unavailable(bed), *boot], within_s=TRANSFER_S + BOOT_S
    )
    await bed.quiet(SETTLE_S, optional=available(bed))


@case("045_1", PROFILE, lasts_s=15)
async def get_diagnostics(bed: Bed) -> None:
    """Get Diagnostics.

    The answer names a file; Uploading, Uploaded.
    """
    answer = await bed.request(GetDiagnostics(location=files_of(bed), retries=0))
    named = isinstance(answer, GetDiagnosticsConf) and bool(answer.file_name)
    bed.check("a fileName" if named else "none", {"a fileName"}, "the answer to GetDiagnostics")
    await bed.expect(diagnostics("Uploading"), within_s=TRANSFER_S)
    await bed.expect(diagnostics("Uploaded"), within_s=TRANSFER_S)


@case("045_2", PROFILE, lasts_s=15)
async def get_diagnostics_upload_failed(bed: Bed) -> None:
    """Get Diagnostics - Upload Failed.

    The location cannot be reached: Uploading may come, UploadFailed must.
    """
    files_of(bed)
    await bed.request(GetDiagnostics(location="ftp://127.0.0.1:9/nowhere", retries=0))
    await bed.expect(diagnostics("UploadFailed"), optional=[diagnostics("Uploading")], within_s=TRANSFER_S)
