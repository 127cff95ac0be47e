"""How results look: words for a terminal, one-file pages for a browser.

Covers:     one file per result and medium.
Not here:   the results themselves.
Holds:      nothing.
"""
