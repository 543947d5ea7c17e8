"""Two demos at once do not meet at one port."""

import contextlib

from deploy.demo.run import _web_port


def test_of_two_demos_that_start_at_once_each_has_a_port_of_its_own() -> None:
    """Neither listens yet: the pages take their port seconds after it was chosen."""
    with contextlib.ExitStack() as one, contextlib.ExitStack() as other:
        assert _web_port(None, one) != _web_port(None, other)


def test_a_port_is_free_again_once_its_demo_has_ended() -> None:
    with contextlib.ExitStack() as ended:
        first = _web_port(None, ended)
    with contextlib.ExitStack() as next_one:
        assert _web_port(first, next_one) == first
