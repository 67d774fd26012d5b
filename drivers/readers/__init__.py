"""Card readers on serial lines: their protocols without input and output, and the one task that serves them all."""
