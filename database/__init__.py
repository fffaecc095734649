"""The books: tables, transactions and migrations."""
