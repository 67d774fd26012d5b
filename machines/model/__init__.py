"""The composition explored: every state that can be reached, and what must hold in each."""
