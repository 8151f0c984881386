"""Jobs, events and results: the values that operations return and views show.

The JSON output has the same fields, and scripts depend on them, so field names change only with a major release. Times
have a time zone, durations are in seconds, sizes in bytes; None means unknown.
"""
