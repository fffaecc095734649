"""The page of a schedule that comes late: rehearsed, its groups chosen, scheduled."""
