"""Applications made by the hundred: what each would compile anew is compiled when it is wanted, or once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class Compiled(BytecodeCache):
    """Templates' code by name and source, for all applications of one kind."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._code.get(f"{bucket.key}-{bucket.checksum}"):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[f"{bucket.key}-{bucket.checksum}"] = bucket.bytecode_to_string()


@contextmanager
def rules_compiled_late() -> Iterator[None]:
    """Werkzeug compiles what builds an address with the first address built, not for each of 270 routes."""
    at_once = Rule._compile_builder

    def late(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        @cache
        def builder() -> Callable[..., Any]:
            return at_once(rule, append_unknown)

        return lambda itself, **values: builder()(itself, **values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", late)
        yield
