"""Frozen values that machines, drivers and engine exchange."""
