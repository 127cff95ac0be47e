"""Pages of the site that are not in docs/: what stands elsewhere in the repository, and the public names from their docstrings.

A hook of mkdocs, named in mkdocs.yml. README, ARCHITECTURE and CHANGELOG are shown as they are, with links that fit; each program of the
documentation has a page; and each floor has one with its public names, of which mkdocstrings makes signatures and descriptions.
"""

from __future__ import annotations

import inspect
import re
import types
from pathlib import Path

import dump
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
SHOWN = {"README.md": "index.md", "ARCHITECTURE.md": "architecture.md", "CHANGELOG.md": "changelog.md"}
DESCRIBED = """
::: {home}
    options:
      heading: {name}
      toc_label: {name}
      docstring_options: {{warn_unknown_params: {checked}, warn_missing_types: {checked}}}
"""
LINK = re.compile(r"(?<=\]\()([^)\s:]+)(?=\))")


def on_config(config: MkDocsConfig) -> None:
    """What ends in /* becomes the pages of that folder."""
    config.nav = _filled(config.nav or [], _texts())


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is not in docs/."""
    for name, text in _texts().items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_kwargs: object) -> str:
    """A link to an example leads to its page; in the repository it leads to the program."""
    if page.file.src_uri.startswith("examples/"):
        return markdown
    return re.sub(r"(?<=\]\()((?:\.\./)*examples/\w+)\.py(?=\))", r"\1.md", markdown)


def _texts() -> dict[str, str]:
    """What is added, by its address on the site."""
    texts = {}
    for name, target in SHOWN.items():
        texts[target] = LINK.sub(_moved, (ROOT / name).read_text(encoding="utf-8"))
    texts["index.md"] = "---\nhide: [navigation]\n---\n\n" + texts["index.md"]  # it has no neighbours
    for path in sorted((ROOT / "docs" / "examples").glob("*.py")):
        texts[f"examples/{path.stem}.md"] = f"# {path.name}\n\n```python\n{path.read_text(encoding='utf-8')}```\n"
    modules = list(dump.modules())
    placed: set[str] = set()  # what is described already
    for prefix, module, names in reversed(modules):  # the package itself last: it has what no floor has
        texts[f"api/{prefix}.md"] = _names(prefix, module, names, placed)
    return texts


def _moved(match: re.Match[str]) -> str:
    """A link of a file at the root, as seen from the pages."""
    name, hash_, anchor = match[1].partition("#")
    return SHOWN.get(name, name.removeprefix("docs/")) + hash_ + anchor


def _names(prefix: str, module: types.ModuleType, names: list[str], placed: set[str]) -> str:
    """The page of one floor: each class and function with its docstring, unless another page has it; then a link."""
    about = (module.__doc__ or "").split("\n\n")[0]
    listed, described = [], []
    for name in names:
        value = getattr(module, name)
        if inspect.ismodule(value):
            listed.append(f"- [`{value.__name__}`]({value.__name__}.md)")
            continue
        home = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
        if not (inspect.isclass(value) or inspect.isfunction(value)) or not home.startswith("flatwater."):
            listed.append(f"- `{name}`: {type(value).__name__}")
        elif home in placed:
            listed.append(f"- [`{name}`][{home}]")
        else:
            placed.add(home)
            described.append(DESCRIBED.format(home=home, name=name, checked=str(not _takes_more(value)).lower()))
    return "\n".join([f"# {prefix}\n\n{about}\n", *listed, "", *described])


def _takes_more(value: object) -> bool:
    """Whether it describes more arguments than its signature has names for."""
    return "**" in str(inspect.signature(value)) if inspect.isclass(value) and "__init__" in vars(value) else False


def _filled(entries: list[object], made: dict[str, str]) -> list[object]:
    """The navigation, with the folders in it filled."""
    found: list[object] = []
    for entry in entries:
        if isinstance(entry, dict):
            ((title, inner),) = entry.items()
            if isinstance(inner, list):
                inner = _filled(inner, made)
            elif inner.endswith("/*"):
                inner = _pages(inner[:-1], made)
            found.append({title: inner})
        elif isinstance(entry, str) and entry.endswith("/*"):
            found += _pages(entry[:-1], made)
        else:
            found.append(entry)
    return found


def _pages(folder: str, made: dict[str, str]) -> list[object]:
    there = {f"{folder}{path.name}" for path in (ROOT / "docs" / folder).glob("*.md")} - {f"{folder}index.md"}
    return sorted(there | {name for name in made if name.startswith(folder)})
