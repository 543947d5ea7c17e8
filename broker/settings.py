"""Configuration files (TOML) into typed records.

A mistake becomes one sentence that names the key, the value and what is allowed.
"""

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from broker.errors import SettingsError

T = TypeVar("T")
_AT = re.compile(r" - at `(\$[^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")


def load(path: Path, kind: type[T]) -> T:
    """The file as a `kind` (a msgspec.Struct with forbid_unknown_fields). SettingsError otherwise."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(f"There is no configuration file {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The configuration file {path} cannot be read: {error}.") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from None
    except RecursionError:
        raise SettingsError(f"{path} is nested too deeply.") from None
    if (key := _with_zero_sign(values)) is not None:
        raise SettingsError(f"{path}: {key} contains the sign \\u0000; no name and no path does.")
    return convert(values, kind, str(path))


def convert(values: dict[str, Any], kind: type[T], where: str) -> T:
    """As load, for values that are already read; `where` names their source in the sentence."""
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise SettingsError(_sentence(str(error), values, where)) from None


def _with_zero_sign(value: object, key: str = "") -> str | None:
    """The key of the first text that no system call takes."""
    if isinstance(value, dict):
        inner = ((each, f"{key}.{name}".lstrip(".")) for name, each in value.items())
    elif isinstance(value, list):
        inner = ((each, f"{key}[{index}]") for index, each in enumerate(value))
    else:
        return key if isinstance(value, str) and "\0" in value else None
    return next((found for each, name in inner if (found := _with_zero_sign(each, name))), None)


def _sentence(message: str, values: dict[str, Any], where: str) -> str:
    found = _AT.search(message)
    key_path, allowed = (found[1], message[: found.start()]) if found else ("$", message)
    key, value = "", values
    for name, index in _STEP.findall(key_path):
        key += f".{name}" if name else f"[{index}]" if index else "[…]"
        try:
            value = value[name] if name else value[int(index)] if index else None  # type: ignore[index,assignment]
        except (KeyError, IndexError, TypeError, ValueError):
            value = None  # type: ignore[assignment]
    key = key.lstrip(".")
    if allowed.startswith("Object contains unknown field"):
        unknown = allowed.split("`")[1]
        return (
            f"{where}: {(key + '.' if key else '') + unknown} is not a setting; remove it or mend its name."
        )
    if allowed.startswith("Object missing required field"):
        missing = allowed.split("`")[1]
        return f"{where}: {(key + '.' if key else '') + missing} is missing."
    shown = "" if isinstance(value, dict) or value is None else f" is {value!r}"
    return f"{where}: {key or 'the file'}{shown}: {allowed[0].lower() + allowed[1:]}."
