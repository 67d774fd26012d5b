"""The cases as the tests tell them, and those that are not tested yet."""

import ast
import re
from pathlib import Path

from msgspec import Struct

FOLDER = Path(__file__).parent
NAME = re.compile(r"test_tc_(\d{3}(?:_\d)?)_[a-z]\w*")


class Case(Struct, frozen=True, order=True):
    """A test case of the certification programme."""

    id: str
    """Without TC in front and CS behind: ``004_1``."""
    title: str
    profile: str


class CasesError(Exception):
    """The tests do not tell their cases well. One line, for the developer."""


def id_of(test: str) -> str | None:
    """The id of the case that a test function is about; None if it is about none."""
    match = NAME.match(test)
    return match[1] if match else None


def tested() -> list[Case]:
    """The cases that have tests, by id: the title is the first line of a docstring, the profile its module's.

    Raises:
        CasesError: A title or a profile is missing, two tests of a case differ in it, or the case counts as untested.
    """
    found: dict[str, Case] = {}
    for file in sorted(FOLDER.glob("test_*.py")):
        module = ast.parse(file.read_text(encoding="utf-8"))
        profile = _profile(module)
        for function in module.body:
            if not isinstance(function, ast.AsyncFunctionDef) or not function.name.startswith("test_"):
                continue
            case_id, text = id_of(function.name), ast.get_docstring(function)
            if case_id is None or not text or profile is None:
                raise CasesError(
                    f"{file.name}: {function.name} needs an id in its name, a title, and a PROFILE"
                )
            case = Case(case_id, text.splitlines()[0].removesuffix("."), profile)
            if found.setdefault(case_id, case) != case:
                raise CasesError(f"{file.name}: {function.name}: {case_id} has another title elsewhere")
            if any(case_id == each.id for each, _ in UNTESTED):
                raise CasesError(f"{file.name}: {function.name}: {case_id} is in UNTESTED")
    return sorted(found.values())


def _profile(module: ast.Module) -> str | None:
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="PROFILE")], value=ast.Constant(value=str(profile))):
                return profile
    return None


SMART = "smart charging is not there yet"
FIRMWARE = "firmware update and diagnostics upload are not there yet"
SECURITY = "the security extension is not there yet"

UNTESTED = (
    (Case("044_1", "Firmware Update - Download and Install", "FirmwareManagement"), FIRMWARE),
    (Case("044_2", "Firmware Update - Download Failed", "FirmwareManagement"), FIRMWARE),
    (Case("044_3", "Firmware Update - Installation Failed", "FirmwareManagement"), FIRMWARE),
    (Case("045_1", "Get Diagnostics", "FirmwareManagement"), FIRMWARE),
    (Case("045_2", "Get Diagnostics - Upload Failed", "FirmwareManagement"), FIRMWARE),
    (Case("056", "Central Smart Charging - TxDefaultProfile", "SmartCharging"), SMART),
    (Case("057", "Central Smart Charging - TxProfile", "SmartCharging"), SMART),
    (Case("058_1", "Central Smart Charging - No Ongoing Transaction", "SmartCharging"), SMART),
    (Case("058_2", "Central Smart Charging - Wrong TransactionId", "SmartCharging"), SMART),
    (Case("059", "Remote Start Transaction with Charging Profile", "SmartCharging"), SMART),
    (Case("060", "Remote Start Transaction with Charging Profile - Rejected", "SmartCharging"), SMART),
    (Case("066", "Get Composite Schedule", "SmartCharging"), SMART),
    (Case("067", "Clear Charging Profile", "SmartCharging"), SMART),
    (Case("072", "Stacking Charging Profiles", "SmartCharging"), SMART),
    (Case("074", "Update Charge Point Certificate by Request of Central System", "Security"), SECURITY),
    (Case("075_1", "Install a Certificate - ManufacturerRootCertificate", "Security"), SECURITY),
    (Case("075_2", "Install a Certificate - CentralSystemRootCertificate", "Security"), SECURITY),
    (Case("076", "Delete a Specific Certificate", "Security"), SECURITY),
    (Case("077", "Invalid ChargePointCertificate Security Event", "Security"), SECURITY),
    (Case("078", "Invalid CentralSystemCertificate Security Event", "Security"), SECURITY),
    (Case("079", "Get Security Log", "Security"), SECURITY),
    (Case("080", "Secure Firmware Update", "Security"), SECURITY),
    (Case("081", "Secure Firmware Update - Invalid Signature", "Security"), SECURITY),
    (Case("082", "Central Smart Charging - TxDefaultProfile during a Transaction", "SmartCharging"), SMART),
    (Case("083", "Upgrade Charge Point Security Profile", "Security"), SECURITY),
    (Case("084", "Downgrade Charge Point Security Profile - Rejected", "Security"), SECURITY),
    (Case("086", "TLS - Server-side Certificate - Valid Certificate", "Security"), SECURITY),
    (Case("087", "TLS - Client-side Certificate - Valid Certificate", "Security"), SECURITY),
)
"""The other cases for a charge point, with the reason why there is no test."""
