"""What the pages set going in processes of their own: closes, schedules, mass mails."""
