"""What the public names look like to a type checker."""

from __future__ import annotations

from typing import assert_type

import flatwater as fw

assert_type(fw.usage().rss, int)
