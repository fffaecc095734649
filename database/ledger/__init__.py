"""The ledger of what is owed: entries, their sums, and the locks under which they change."""
