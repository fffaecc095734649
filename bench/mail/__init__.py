"""The mailer beside its peers."""
