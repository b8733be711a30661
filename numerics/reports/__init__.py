"""The table of theory against simulation as a page, as JSON and as plain text, and what figures are made of."""
