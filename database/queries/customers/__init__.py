"""Customers as customer service asks for them: found, and what happened in their portal."""
