"""The office's own texts of its mails: which there are, trying one, keeping it."""
