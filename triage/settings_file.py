"""YAML settings files: read, validate, and name the line when something is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from triage.errors import SettingsError


class Settings(BaseModel):
    """Base of every settings block: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=BaseModel)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML was built with it


def load_settings(path: Path, model: type[Model]) -> Model:
    """Read the YAML file at `path` as `model`.

    Raises SettingsError naming the file, the line, the key, what is allowed and what was given.
    """
    try:
        node = yaml.compose(path.read_text("utf-8"), Loader=_Loader)
        data = _Loader("").construct_document(node) if node is not None else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: not a readable settings file: {error}") from error
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_describe(path, node, problem) for problem in error.errors()]
        raise SettingsError("\n".join(lines)) from error


def _describe(path: Path, node: yaml.Node | None, problem: Any) -> str:
    where = ".".join(map(str, problem["loc"])) or "the file"
    given = "" if isinstance(problem["input"], dict | list) else f"; given {problem['input']!r}"
    return f"{path}:{_line_of(node, problem['loc'])}: {where}: {problem['msg'].removeprefix('Value error, ')}{given}"


def _line_of(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The 1-based line of the deepest node on the way to `location`."""
    line = node.start_mark.line if node is not None else 0
    for key in location:
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if str(k.value) == str(key)]
            if not found:
                break
            line, node = found[0][0].start_mark.line, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line
        else:
            break
    return line + 1
