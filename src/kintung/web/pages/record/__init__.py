"""The pages of a record: the person, the summary and results; what happened in time; one thing of it."""
