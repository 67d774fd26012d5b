"""What the charge point decides: vocabulary, state machines, pure rules. No I/O, clock or randomness."""
