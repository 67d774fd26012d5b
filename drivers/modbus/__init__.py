"""Modbus over serial lines and TCP. Importing the client imports pymodbus, which is an extra."""
