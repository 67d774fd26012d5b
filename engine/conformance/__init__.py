"""Conformance: test cases and generated scripts, run against this station or any other OCPP 1.6 charge point."""
