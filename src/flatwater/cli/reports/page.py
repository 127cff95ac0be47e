"""What every page has in common: the template's surroundings, when and where it was made, the style of the house.

Covers:     rendering a template of this package; everything in it is escaped.
Not here:   what stands on a page (`run_html`, `compare_html`, `lab_html`).
Holds:      one page of text.
"""

from __future__ import annotations

import datetime as dt
import os
import platform

import flatwater
from flatwater import units


def render(template: str, **values: object) -> str:
    """The page, UTF-8 text.

    Args:
        template: a file of the folder `templates`.
        values: its variables; with them go `when`, `machine` and `version`, and the filters `size` and `duration`.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("flatwater.cli.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["size"] = units.format_bytes
    environment.filters["duration"] = units.format_duration
    surroundings = {
        "when": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{platform.system()} {platform.release()}, {os.cpu_count()} processors",
        "version": flatwater.__version__,
    }
    return environment.get_template(template).render({**surroundings, **values})
