"""Functions that run once for each request, message or connection of a program that does not end.

Covers:     routes, hooks, tasks and bots by their decorators, servers and consumers by what they are given, names such as `on_message`.
Not here:   values of a request (`lint.served`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
import re

from flatwater.lint.rule import Look
from flatwater.lint.scopes import FUNCTIONS

ROUTES = frozenset(
    """
    api_route api_view before_request delete get head on_message patch post put route websocket websocket_route
    """.split()  # noqa: SIM905 - words are read as words
)
HOOKS = frozenset(
    """
    after_request before_request before_websocket middleware on_message message_handler callback_query_handler subscriber shared_task teardown_request
    """.split()  # noqa: SIM905 - words are read as words
)
ONCE = frozenset({"startup", "shutdown", "lifespan", "ready", "before_server_start", "after_server_stop"})
VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "dispatch"})
TAKING = frozenset(
    """
    MessageHandler CommandHandler add_api_route add_api_websocket_route add_delete add_get add_post add_put add_route add_url_rule add_websocket_route
    create_server serve start_server start_unix_server basic_consume
    """.split()  # noqa: SIM905 - words are read as words
)
GIVEN_AS = frozenset({"on_message_callback", "view_func", "client_connected_cb", "on_message"})
NAMED = re.compile(
    r"(?:on|handle|process|receive|recv|consume)_(?:\w+_)?(?:message|messages|msg|request|packet|connection|connect|client|notification|webhook|payload|upload)"
    r"|do_(?:GET|POST|PUT|DELETE|PATCH)|lambda_handler|websocket_endpoint|handle_client"
)


def is_handler(look: Look, function: ast.AST | None) -> bool:
    """Whether a server, a consumer or a bot calls it again and again.

    A path of a route may be anything; a name is believed where it says what comes.
    """
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    if any(_is_of_service(look, each) for each in function.decorator_list) or _is_view(look, function):
        return True
    return NAMED.fullmatch(function.name.lstrip("_")) is not None or _is_given(look, function)


def _is_view(look: Look, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it is a view of Django: the request is its first argument."""
    arguments = [each.arg for each in function.args.args]
    is_method = arguments[:1] == ["self"]
    return (
        bool(look.module.imports & {"django", "rest_framework"})
        and arguments[int(is_method) :][:1] == ["request"]
        and (not is_method or function.name in VERBS)
    )


def _is_of_service(look: Look, decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if look.origin(called).endswith("celery.shared_task"):
        return True
    if not isinstance(called, ast.Attribute) or look.origin(called).startswith(("unittest", "mock", "pytest")):
        return False
    if called.attr in HOOKS:
        return True
    if not isinstance(decorator, ast.Call) or called.attr not in ROUTES or not decorator.args:
        return False
    first = decorator.args[0]
    return not isinstance(first, ast.Constant) or (isinstance(first.value, str) and first.value not in ONCE)


def _is_given(look: Look, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a server or a consumer of the file is made with it: `serve(handler, …)`, `client.on_message = handler`."""
    for call in look.module.of(ast.Call):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = [each for each in call.args if name in TAKING]
        given += [each.value for each in call.keywords if each.arg in GIVEN_AS]
        if any(_is(look, each, function) for each in given):
            return True
    return any(
        isinstance(target, ast.Attribute) and target.attr in GIVEN_AS and _is(look, assign.value, function)
        for assign in look.module.of(ast.Assign)
        for target in assign.targets
    )


def _is(look: Look, node: ast.expr, function: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and look.values.function(node) is function


def of(look: Look, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The handler that a node stands in, if it does."""
    function = look.module.function_of(node)
    while function is not None and isinstance(function, FUNCTIONS):
        if not isinstance(function, ast.Lambda) and is_handler(look, function):
            return function
        function = look.module.function_of(function)
    return None
