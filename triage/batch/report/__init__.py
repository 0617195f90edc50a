"""The report: what was counted and which contacts to listen to, as a page and as a workbook."""
