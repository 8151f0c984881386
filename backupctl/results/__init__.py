"""What the program says: jobs, events and results as values that operations return and views show.

The JSON output is these structures, field by field, so their names are a promise to scripts: they change only with a
major release. Times are aware; durations are seconds, sizes bytes; None is "unknown".
"""
