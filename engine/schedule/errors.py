"""What can go wrong when a schedule is asked for."""


class ScheduleError(Exception):
    """There is no schedule to show; the text is one line for the user."""
