"""A year's calendar as one HTML page, to be looked at or put on the wall."""

from __future__ import annotations

from datetime import datetime

from reporting.templating import environment
from reporting.year_calendar_words import YearCalendar, closed_days, say_due, say_event


def render_year(calendar: YearCalendar, *, written_at: datetime, version: str) -> str:
    """Return the year as HTML that needs no other file; what clashes stands before all else."""
    return (
        environment()
        .get_template("year_calendar.html")
        .render(
            calendar=calendar,
            months=[
                (month, rows_of(calendar, index)) for index, month in enumerate(calendar.months)
            ],
            clashes=[(one.on, say_event(one), one.marks) for one in calendar.clashes],
            due=say_due(calendar.plan.due),
            written_at=written_at,
            version=version,
        )
    )


def rows_of(calendar: YearCalendar, index: int) -> list[dict[str, object]]:
    """Return the lines of a month in the order of their days, closed days among them."""
    month = calendar.months[index]
    rows: list[dict[str, object]] = [
        {"on": day, "text": why, "kind": "closed", "marks": ()}
        for day, why in closed_days(calendar, month)
    ]
    rows += [
        {"on": one.on, "text": say_event(one), "kind": one.kind.value, "marks": one.marks}
        for one in month.events
    ]
    return sorted(rows, key=lambda row: str(row["on"]))
