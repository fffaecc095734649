"""What customers look back at: bills, transactions, usage, news."""
