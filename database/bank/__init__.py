"""The tables of what the bank says."""
