"""The test cases for a charge point that nothing here runs yet."""

from msgspec import Struct


class Untested(Struct, frozen=True):
    """A test case, and why there is nothing that runs it."""

    id: str
    title: str
    profile: str
    why: str


SECURITY = "the security extension is not there yet"

UNTESTED: tuple[Untested, ...] = (
    Untested("074", "Update Charge Point Certificate by Request of Central System", "Security", SECURITY),
    Untested("075_1", "Install a Certificate - ManufacturerRootCertificate", "Security", SECURITY),
    Untested("075_2", "Install a Certificate - CentralSystemRootCertificate", "Security", SECURITY),
    Untested("076", "Delete a Specific Certificate", "Security", SECURITY),
    Untested("077", "Invalid ChargePointCertificate Security Event", "Security", SECURITY),
    Untested("078", "Invalid CentralSystemCertificate Security Event", "Security", SECURITY),
    Untested("079", "Get Security Log", "Security", SECURITY),
    Untested("080", "Secure Firmware Update", "Security", SECURITY),
    Untested("081", "Secure Firmware Update - Invalid Signature", "Security", SECURITY),
    Untested("083", "Upgrade Charge Point Security Profile", "Security", SECURITY),
    Untested("084", "Downgrade Charge Point Security Profile - Rejected", "Security", SECURITY),
    Untested("086", "TLS - Server-side Certificate - Valid Certificate", "Security", SECURITY),
    Untested("087", "TLS - Client-side Certificate - Valid Certificate", "Security", SECURITY),
)
"""The other cases for a charge point."""
