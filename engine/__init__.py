"""The imperative shell: everything that waits, connects, stores or reads a clock."""
