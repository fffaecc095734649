"""Tables of single subjects, views, and the guards that keep rows as they are."""
