"""What the station costs, beside the alternatives: ``make bench``. Programs, no tests: nothing here is judged."""
