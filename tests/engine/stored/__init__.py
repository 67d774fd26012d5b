"""Databases as earlier versions left them, one file of SQL for each: what is in the field must be read for ever.

``python -m tests.engine.stored`` writes that of this version, from a day on which a little of everything happened. A
file that was released is never written again.
"""
