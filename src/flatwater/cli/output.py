"""Put what a command made where the user asked for it.

Covers:     a file, or standard output for "-"; saying why it could not be written.
Not here:   checking names before the work (`cli.reports.files`), the texts.
Holds:      nothing.
"""

from __future__ import annotations

import sys

from flatwater import errors
from flatwater.cli import main
from flatwater.cli.reports import files


def deliver(path: str, text: str) -> bool:
    """Write `text`; False if that could not be done, which was said."""
    try:
        if path != "-":
            files.write(path, text)
            return True
        sys.stdout.write(text)
        sys.stdout.flush()
    except errors.BrokenError as error:
        main.say(f"flatwater: {error}")
        return False
    except BrokenPipeError:  # whoever read it has seen enough
        main.silence(sys.stdout)
    except OSError as error:
        main.silence(sys.stdout)
        main.say(f"flatwater: standard output could not be written: {(error.strerror or str(error)).lower()}.")
        return False
    return True
