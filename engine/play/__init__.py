"""``statecharge play``: a simulated station that acts a script, for those who test a Central System."""
