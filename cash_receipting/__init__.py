"""Cash receipting: where the payments that were taken are booked."""
