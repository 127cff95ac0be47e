from enum import Enum
from functools import cache


class Colour(Enum):
    RED = 1
    BLUE = 2


@cache
def hex_of(colour: Colour) -> str:
    return {Colour.RED: "#f00", Colour.BLUE: "#00f"}[colour]


@cache
def flag_name(active: bool) -> str:
    return "on" if active else "off"
