"""What can go wrong between a Modbus client and a device."""


class ModbusError(Exception):
    """A request has no result. One line, for the log."""


class NoResponseError(ModbusError):
    """The device was silent until the time-out."""


class BadFrameError(ModbusError):
    """What came is no reply to the request: a wrong check sum, device, function, size or echo."""


class DisconnectedError(ModbusError):
    """There is no line: the port is gone, or the connection was lost or refused."""


class ExceptionReplyError(ModbusError):
    """The device refused the request.

    Args:
        function: Function code of the request.
        code: Exception code (Modbus Application Protocol 1.1b3, section 7).
    """

    def __init__(self, function: int, code: int) -> None:
        super().__init__(f"function {function} refused with exception {code}")
        self.function = function
        self.code = code


ILLEGAL_ADDRESS = 2
"""Exception code of a device that does not have the registers that were asked for."""
