"""A journal in the plain text that hledger, ledger and their like read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reporting.journal import ACCOUNTS, Transaction

HEAD = "commodity $1,000.00\n"


def write_hledger(transactions: Iterable[Transaction]) -> Iterator[str]:
    """
    Yield the journal piece by piece, with every account declared before it is used.

    `hledger check --strict` holds it to that, to the balance of each transaction, and to what an
    account must hold after it.
    """
    yield HEAD
    declared = set(ACCOUNTS)
    yield from (f"account {name}\n" for name in ACCOUNTS)
    for one in transactions:
        for entry in one.entries:
            if entry.account not in declared:
                declared.add(entry.account)
                yield f"account {entry.account}\n"
        yield _write(one)


def _write(one: Transaction) -> str:
    code = one.code.replace("(", "").replace(")", "")
    lines = [f"\n{one.on.isoformat()} ({code}) {one.what}\n"]
    for entry in one.entries:
        held = "" if entry.balance is None else f" = ${entry.balance}"
        lines.append(f"    {entry.account}  ${entry.amount}{held}\n")
    return "".join(lines)
