"""The prompt of `flatwater sql`: lines that grow until a `;`, commands that begin with a backslash.

Covers:     reading what is typed, the shell's own commands, going on behind errors and Ctrl-C.
Not here:   doing statements (`cli.sql_session`), what was typed earlier (`cli.sql_history`), completion (`cli.sql_names`).
Holds:      what is typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from flatwater import errors
from flatwater.cli import main, sql_live
from flatwater.cli.sql_history import History
from flatwater.cli.sql_names import Completion, Names
from flatwater.cli.sql_session import FORMATS, Session, tell
from flatwater.cli.sql_split import is_whole, statements

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings

HELP = """\
statement;                do it; it may have several lines
\\d                        tables
\\d NAME                   columns of a table
\\live SELECT ...          rows as they change, until Ctrl-C
\\format table|json|csv|vertical
\\timing                   tell how long statements take, or no longer
\\? and \\q                 this, and the end (as Ctrl-D)
Ctrl-C ends a statement; a change that was under way may be there."""


@final
class Shell:
    """Reads and does, until Ctrl-D or \\q. For the main thread.

    Args:
        session: what does it.
        history: of what was typed; the user's own file, unless it is given.
        options: for the prompt, such as its input and output.
    """  # noqa: D301 - \\q is what is typed

    def __init__(self, session: Session, *, history: History | None = None, **options: Any) -> None:
        self._session = session
        self._names = Names(session.target, session.work)
        self._prompt = _prompt(self._names, History() if history is None else history, options)

    def run(self) -> int:
        """The exit code: 0, whatever statements gave."""
        self._session.say(f"{main_name(self._session)}: \\? tells what the shell knows, Ctrl-D ends it")
        while True:
            try:
                if self._turn():
                    return main.HOLDS
            except KeyboardInterrupt as error:
                _must_be_ctrl_c(error)
                self._session.out.flush()
                main.say("interrupted")

    def _turn(self) -> bool:
        """Read something and do it; True to end."""
        try:
            text = self._prompt.prompt()
        except KeyboardInterrupt as error:  # drops what was typed
            _must_be_ctrl_c(error)
            return False
        except EOFError:
            return True
        try:
            return self._do(text.strip())
        except errors.FlatwaterError as error:
            self._session.out.flush()
            tell(error)
            return False

    def _do(self, text: str) -> bool:
        """What was typed; True to end."""
        if text.startswith("\\"):
            return self._own(text.rstrip("; \t\n"))
        for each in statements([text]):
            self._names.note(each)
            self._session.do(each)
        return False

    def _own(self, text: str) -> bool:
        """A command of the shell's own; True to end."""
        word, _, rest = text.partition(" ")
        rest = rest.strip()
        if word == "\\q":
            return True
        if word == "\\?":
            self._session.say(HELP)
        elif word == "\\d":
            self._session.do(f"DESCRIBE {rest}" if rest else "SHOW TABLES")
        elif word == "\\live" and rest:
            self._follow(rest)
        elif word == "\\timing":
            self._session.is_timed = not self._session.is_timed
            self._session.say(f"(timing is {'on' if self._session.is_timed else 'off'})")
        elif word == "\\format" and rest in FORMATS:
            self._session.form = rest
        else:
            raise errors.UsageError(f"{text[:80]} is nothing that the shell knows.", hint="\\? tells what it knows.")
        return False

    def _follow(self, text: str) -> None:
        try:
            sql_live.follow(self._session, text)
        except KeyboardInterrupt as error:  # its proper end
            _must_be_ctrl_c(error)
            self._session.out.flush()


def _must_be_ctrl_c(error: KeyboardInterrupt) -> None:
    """SIGTERM and SIGHUP end the shell."""
    if type(error) is not KeyboardInterrupt:
        raise error


def main_name(session: Session) -> str:
    """What is asked, as it is shown."""
    from flatwater.cli.sql_rows import safe

    return safe(session.target.name)


def is_ready(text: str) -> bool:
    """Whether Enter ends what is typed, and does not begin another line."""
    return not text.strip() or text.lstrip().startswith("\\") or is_whole(text)


def _prompt(names: Names, history: History, options: dict[str, Any]) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.lexers import PygmentsLexer
    from pygments.lexers.sql import PostgresLexer

    return PromptSession(
        "flatwater> ",
        multiline=True,
        prompt_continuation=lambda width, _line, _is_wrapped: "> ".rjust(width),
        lexer=PygmentsLexer(PostgresLexer),
        completer=Completion(names),
        complete_in_thread=True,
        complete_while_typing=True,
        history=history,
        key_bindings=_keys(),
        **options,
    )


def _keys() -> KeyBindings:
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    keys = KeyBindings()

    @keys.add("enter")
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if is_ready(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.newline()

    return keys
