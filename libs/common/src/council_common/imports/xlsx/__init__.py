"""Excel workbooks, read as a stream: archive, XML, texts, number formats, rows, records (docs/decisions/0012)."""
