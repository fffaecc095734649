"""What the processes that send together tell each other."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from domain.deliveries import DeliveryStatus
from mail.tallying import SendCounts

LONGEST = 1 << 16  # octets of a message


@dataclass(frozen=True, slots=True)
class Report:
    """
    What a process has done so far.

    `left` is what of the counts it gave back when it ended early. `is_last`: it sends no more, and
    all that it had claimed is told of in the books. `trouble` says why it could not do its work;
    it holds no personal data.
    """

    counts: SendCounts = field(default_factory=SendCounts)
    left: Mapping[DeliveryStatus, int] = field(default_factory=dict)
    is_last: bool = False
    trouble: str = ""

    def to_message(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, message: bytes) -> Report:
        found = json.loads(message)
        counts = SendCounts(**found.pop("counts"))
        left = {DeliveryStatus(status): number for status, number in found.pop("left").items()}
        return cls(counts, left, **found)

    def taken_over(self, statuses: Collection[DeliveryStatus]) -> Report:
        """Return the same without what was left in these statuses: somebody else tries it now."""
        left = {status: self.left.get(status, 0) for status in statuses}
        counts = replace(
            self.counts,
            deferred=self.counts.deferred - left.get(DeliveryStatus.DEFERRED, 0),
            in_doubt=self.counts.in_doubt - left.get(DeliveryStatus.IN_DOUBT, 0),
        )
        return replace(self, counts=counts, left={})


def together(own: Sequence[Report], helpers: Sequence[Report]) -> SendCounts:
    """
    Add up what became of the deliveries that several processes tried.

    Why it ended early is said by whoever leads, and as of the last time it tried: what kept a
    helper from sending concerns nobody if the leader then sent it.
    """
    every = [report.counts for report in (*own, *helpers)]
    sent = sum(one.sent for one in every)
    return SendCounts(
        sent=sent,
        failed=sum(one.failed for one in every),
        deferred=sum(one.deferred for one in every),
        in_doubt=sum(one.in_doubt for one in every),
        stopped_by=own[-1].counts.stopped_by if own else "",
        possible_duplicates=sum(one.possible_duplicates for one in every),
        mailed_nobody=sent == 0 and any(one.mailed_nobody for one in every),
    )
