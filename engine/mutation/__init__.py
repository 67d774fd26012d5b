"""Small faults put into the machines, one at a time, and which of the suites notice."""
