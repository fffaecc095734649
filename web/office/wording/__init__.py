"""The pages on which the office words its mails and its pages."""
