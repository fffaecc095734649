"""What the auditor's pack says of itself."""

from __future__ import annotations

README = """\
{utility}: auditor's pack of billing period {period}

MANIFEST        SHA-256 of every file here:        sha256sum -c MANIFEST
report.html     the report as it was written at the close; it needs no other file
figures.json    its figures: pages, bills, totals, autopay, mail, paper
checks.csv      every check with what came of it;  findings.csv: what it found, by account
waivers.csv     which check was waived, why, by whom, when
approvals.json  what was asked, with the figures shown, and who decided what, when and why
audit.csv       the rows of the audit list that name this period
chain.csv       number and hashes of every row of the list from the first to the last of these
bills.sha256    SHA-256 of every bill document:    cd BILLSTORE && sha256sum -c .../bills.sha256
print.sha256    the same of the print batches:     cd HOME && sha256sum -c .../print.sha256
settings.json   the settings in force when this pack was written, without secrets
versions.json   the software that wrote it

The chain. The hash of a row is the SHA-256 of two hashes written one behind the other as 128
hexadecimal digits: "previous", the hash of the row before, and "content_sha256". That is the
SHA-256 of the row as a JSON array without blanks, all beyond ASCII escaped:
[number,"YYYY-MM-DDTHH:MM:SS.ffffffZ",who,action,subject,detail], the moment in UTC.
So each row of audit.csv can be counted again from what it says, and each row of chain.csv from
its two hashes. That nothing was cut off behind is proved by `billclose audit verify --expect
NUMBER:HASH` with a line that was noted down elsewhere.

The same books give the same bytes; the moment of writing stands in the audit list alone.
"""
