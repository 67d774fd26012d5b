"""The station file: how it is read, merged, checked, and turned into frozen values."""
