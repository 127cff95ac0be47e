from enum import Enum
from functools import lru_cache

from jinja2 import Environment, PackageLoader, Template


class Mail(Enum):
    WELCOME = "welcome"
    RESET = "reset"
    INVOICE = "invoice"


@lru_cache(maxsize=None)
def environment() -> Environment:
    return Environment(loader=PackageLoader("accounts"))


@lru_cache(maxsize=8)
def template_for(kind: Mail) -> Template:
    return environment().get_template(f"{kind.value}.txt")
