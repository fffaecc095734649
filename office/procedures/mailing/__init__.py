"""Mail from the office: what is owed, who sends it, communications and portal mails."""
