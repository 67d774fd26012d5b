"""``statecharge schedule``: what a set of charging profiles means, without a station running."""
