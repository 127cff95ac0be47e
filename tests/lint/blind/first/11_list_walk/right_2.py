from importlib import import_module
from pathlib import Path


def load_plugins() -> list:
    here = Path(__file__).parent / "plugins"
    modules = []
    for path in sorted(here.glob("*.py")):
        if not path.stem.startswith("_"):
            modules.append(import_module(f"bot.plugins.{path.stem}"))
    return modules
