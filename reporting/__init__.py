"""The run sheet of a close, and the report that a clerk reads and an auditor keeps."""
