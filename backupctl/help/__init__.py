"""The manual: topics and pages of commands in Markdown, from which the help and the man pages are made."""
