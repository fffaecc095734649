"""Autopay for a customer who asks the office: who pays, with what, the offer, the yes (rule 64)."""
