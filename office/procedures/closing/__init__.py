"""Around a close: its question and answer, its rehearsal, its figures, the year's calendar."""
