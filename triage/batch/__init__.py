"""Files of contacts in, files of results and a report out."""
