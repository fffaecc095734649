"""What waits for a person's yes, for programs and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from office.approval_desk import Asked
    from office.wiring import Office


def to_figures(asked: Asked) -> dict[str, Any]:
    """Write a question and how it stands down for programs."""
    standing, request = asked.standing, asked.request
    refusal = standing.refusal
    return {
        "period": request.run,
        "request": request.number,
        "asked_at": request.asked_at.isoformat(),
        "asked_by": request.asked_by,
        "approved_by": list(standing.approved_by),
        "missing": 0 if standing.is_approved else standing.missing,
        "refused_by": refusal and {"who": refusal.who, "reason": refusal.reason},
        "blocking": list(asked.blocking),
        "figures": asked.figures,
        "digest": request.digest,
    }


def to_lines(office: Office, asked: Asked) -> list[str]:
    """Say what waits, and what to type for a yes and a no."""
    from reporting.request import say_figures

    period, standing = asked.request.run, asked.standing
    lines = [f"{period}  {asked.sheet.utility}: {say_figures(asked.figures)}"]
    lines.append(
        f"  asked     {asked.request.asked_at:%Y-%m-%d %H:%M} UTC for {asked.request.asked_by}"
    )
    if standing.approved_by:
        lines.append(f"  approved  by {', '.join(standing.approved_by)}; another person has to")
    command = f"{office.command} approve {period}"
    if asked.blocking:
        lines.append(f"  blocked   by {', '.join(asked.blocking)}: correct the export, or waive")
        waived = " ".join(f"--waive {name}" for name in asked.blocking)
        command += f" {waived} --reason TEXT"
    if asked.drift:
        lines.append(f"  moved     {asked.drift}")
    return [
        *lines,
        f"  yes       {command}",
        f"  no        {office.command} refuse {period} --reason TEXT",
    ]
