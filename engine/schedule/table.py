"""A schedule as a table of text."""

from datetime import UTC, datetime

from engine.schedule.meaning import Meaning

HEADINGS = ("from", "after", "limit", "phases", "set by")


def moment(at_s: int) -> str:
    """POSIX seconds for people, in UTC."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%S")


def span(seconds: int) -> str:
    """So many seconds for people: ``1 d 02:03:04``."""
    days, rest = divmod(seconds, 86_400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days} d {clock}" if days else clock


def title(meaning: Meaning) -> str:
    """What the schedule is of, in one line."""
    question = meaning.question
    of = f"connector {question.connector}" if question.connector else "all connectors"
    began = f", transaction since {moment(meaning.transaction.started_s)}" if meaning.transaction else ""
    profiles = f"{meaning.installed} profile{'' if meaning.installed == 1 else 's'}"
    return f"{meaning.station}, {of}, {profiles}, {span(question.duration_s)} in UTC{began}"


def table(meaning: Meaning) -> str:
    """All rows of ``meaning``."""
    unit = meaning.question.unit
    begin_s = meaning.question.at_s
    cells = [
        (
            moment(row.from_s),
            span(row.from_s - begin_s),
            f"{row.limit:.1f} {unit}",
            str(row.phases),
            f"{row.by}, a pause" if row.is_pause else row.by,
        )
        for row in meaning.rows
    ]
    widths = [max(len(line[column]) for line in (HEADINGS, *cells)) for column in range(len(HEADINGS))]
    lines = [title(meaning), ""]
    for line in (HEADINGS, *cells):
        first, *numbers, last = (text.rjust(width) for text, width in zip(line, widths, strict=True))
        lines.append("  ".join((first.strip().ljust(widths[0]), *numbers, last.strip())))
    return "\n".join(lines)
