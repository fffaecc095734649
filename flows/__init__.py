"""The office's checklists, one occasion a file, one line a step."""
