"""Reading a station file and the ones it extends, and merging them.

``extends = "..."`` names the file that a file builds on: a path relative to it, or the name of a shipped one.
Tables merge, everything else replaces.
"""

from collections.abc import Callable
from pathlib import Path

import tomli
from msgspec import Struct

from drivers.strict_toml import MENDABLE
from engine.declaration.locate import lines_of
from engine.declaration.problems import EntryPath, Problem, StationFileError, nearest, show_path, show_value

SHIPPED = Path(__file__).parent.parent / "stations"

FILE_SIZE_MAX = 1_000_000
"""Bytes. A station file has some ten thousand; a greater one is something else."""

Table = dict[str, object]


class Layer(Struct, frozen=True):
    """One file as read."""

    file: Path
    text: str
    data: Table


class Layers:
    """A file and the ones it extends, the file itself first; and what is wrong with it so far."""

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        self._layers = layers
        self._lines: dict[int, dict[EntryPath, int]] = {}
        self.problems: list[Problem] = []

    @property
    def file(self) -> Path:
        """The file that was asked for."""
        return self._layers[0].file

    def merged(self) -> Table:
        """The one declaration that the files make."""
        merged: Table = {}
        for layer in reversed(self._layers):
            merged = _merge(merged, layer.data)
        merged.pop("extends", None)
        return merged

    def refuse(self, path: EntryPath, found: str, allowed: str, hint: str = "") -> None:
        """Note that the entry at ``path`` is wrong."""
        layer, place = self._owner(path)
        self.problems.append(
            Problem(
                file=layer.file,
                line=self._line(layer, place),
                path=show_path(path),
                found=found,
                allowed=allowed,
                hint=hint,
            )
        )

    def is_overridden(self, path: EntryPath) -> bool:
        """Whether more than one of the files states the entry at ``path``."""
        return sum(_stated(layer.data, path)[0] == len(path) for layer in self._layers) > 1

    def directory_of(self, path: EntryPath) -> Path:
        """The directory of the file that states the entry at ``path``: what its relative paths start from."""
        return self._owner(path)[0].file.parent

    def _owner(self, path: EntryPath) -> tuple[Layer, EntryPath]:
        """The file that states the entry at ``path``, else its nearest table; and how far it states it."""
        owner, depth = self._layers[0], 0
        for layer in self._layers:
            stated, is_final = _stated(layer.data, path)
            if stated > depth:
                owner, depth = layer, stated
            if is_final:
                break
        return owner, path[:depth]

    def _line(self, layer: Layer, place: EntryPath) -> int:
        index = self._layers.index(layer)
        if index not in self._lines:
            self._lines[index] = lines_of(layer.text)
        return self._lines[index].get(place, 1)


def _stated(data: object, path: EntryPath) -> tuple[int, bool]:
    """How many parts of ``path`` exist in ``data``, and whether that settles it for the extended files.

    It does once a list or a value is on the way: these are not merged with what an extended file says.
    """
    is_final = False
    for depth, part in enumerate(path):
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and part in range(len(data)):
            data = data[part]  # type: ignore[index]
        else:
            return depth, is_final
        is_final = is_final or not isinstance(data, dict)
    return len(path), True


def _merge(base: Table, above: Table) -> Table:
    merged = dict(base)
    for name, value in above.items():
        below = merged.get(name)
        both = isinstance(value, dict) and isinstance(below, dict)
        merged[name] = _merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def shipped_names() -> list[str]:
    """The station files that come with the program, by name."""
    return sorted(file.stem for file in SHIPPED.glob("*.toml"))


def find(path_or_name: str | Path, directory: Path) -> Path:
    """The file that ``path_or_name`` means when written in ``directory``. It need not exist."""
    path = directory / path_or_name
    is_name = isinstance(path_or_name, str) and "/" not in path_or_name and not path_or_name.endswith(".toml")
    return SHIPPED / f"{path_or_name}.toml" if is_name and not path.is_file() else path


def read_layers(path_or_name: str | Path) -> Layers:
    """Read the file ``path_or_name`` and all it extends.

    Raises:
        StationFileError: One of them cannot be read, is not TOML, or extends itself.
    """
    layers: list[Layer] = []
    seen: list[Path] = []
    file = find(path_or_name, Path())
    # The place to blame for a file that cannot be read is the entry that named it.
    fail = _fail_asked(path_or_name, file)
    while True:
        if file.resolve() in seen:
            chain = " extends ".join(path.name for path in [*seen, file.resolve()])
            raise fail(chain, "no file that extends itself", "")
        seen.append(file.resolve())
        layer = _read(file, fail)
        layers.append(layer)
        if "extends" not in layer.data:
            return Layers(tuple(layers))
        fail = _fail_extending(layer)
        extends = layer.data["extends"]
        if not isinstance(extends, str) or "\0" in extends:
            raise fail(show_value(extends), "the path of a file, or the name of a shipped one", "")
        file = find(extends, file.parent)


Fail = Callable[[str, str, str], StationFileError]


def _fail_asked(path_or_name: str | Path, file: Path) -> Fail:
    """How to refuse the file that was asked for."""

    def fail(found: str, allowed: str, hint: str) -> StationFileError:
        hint = hint or nearest(str(path_or_name), shipped_names())
        return StationFileError(
            (Problem(file=file, line=None, path="", found=found, allowed=allowed, hint=hint),)
        )

    return fail


def _fail_extending(layer: Layer) -> Fail:
    """How to refuse the file that ``layer`` extends."""

    def fail(found: str, allowed: str, hint: str) -> StationFileError:
        layers = Layers((layer,))
        hint = hint or nearest(str(layer.data["extends"]), shipped_names())
        layers.refuse(("extends",), found, allowed, hint)
        return StationFileError(tuple(layers.problems))

    return fail


def _read(file: Path, fail: Fail) -> Layer:
    try:
        size = file.stat().st_size
        if size > FILE_SIZE_MAX:
            raise fail(f"{file} with {size} bytes", f"at most {FILE_SIZE_MAX} bytes", "")
        content = file.read_bytes()
    except OSError as error:
        if error.errno not in MENDABLE:
            raise
        names = ", ".join(shipped_names())
        raise fail(f"{file}: {error.strerror}", f"a file that can be read, or one of {names}", "") from None
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = Problem(file=file, line=line, path="", found="bytes that are no text", allowed="UTF-8")
        raise StationFileError((problem,)) from None
    try:
        return Layer(file, text, tomli.loads(text))
    except tomli.TOMLDecodeError as error:
        problem = Problem(file=file, line=error.lineno, path="", found=error.msg, allowed="TOML 1.0")
        raise StationFileError((problem,)) from None
    except (ValueError, RecursionError) as error:
        # Numbers of thousands of digits, and what is nested hundreds deep, are TOML, but nothing that means anything.
        problem = Problem(
            file=file, line=None, path="", found=str(error), allowed="TOML 1.0 of sensible size"
        )
        raise StationFileError((problem,)) from None
