"""The list of sources (`sources.yaml`) and how their files are reached: by git, at the revision named."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Source:
    name: str
    license: str
    read: str
    kind: str
    language: str | None = None
    data: str | None = None
    origin: str | None = None
    repository: str | None = None
    revision: str | None = None
    paths: tuple[str, ...] = ()
    replace: tuple[str, str] | None = None
    limit: int | None = None
    share: float | None = None
    extra: dict = field(default_factory=dict)


@dataclass(frozen=True)
class SourceList:
    sources: tuple[Source, ...]
    evaluation: tuple[str, ...]


def load_sources(path: Path) -> SourceList:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    sources = tuple(
        Source(**{key: tuple(value) if isinstance(value, list) else value for key, value in single.items()})
        for entry in raw["sources"]
        for single in _by_repository(entry)
    )
    return SourceList(sources, tuple(entry["name"] for entry in raw["evaluation"]))


def _by_repository(entry: dict) -> list[dict]:
    """An entry that lists `repositories` (`[repository, revision]` each) stands for one source a repository, named
    `entry/repository`."""
    if "repositories" not in entry:
        return [entry]
    shared = {key: value for key, value in entry.items() if key != "repositories"}
    problem = f"source {entry.get('name')}: "
    if "repository" in entry or "revision" in entry:
        raise ValueError(problem + "give either `repositories` or `repository` and `revision`")
    pairs = entry["repositories"]
    if not isinstance(pairs, list) or not pairs:
        raise ValueError(problem + "`repositories` must be a list of [repository, revision]")
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)):
            raise ValueError(problem + f"`repositories` must hold [repository, revision], not {pair!r}")
        if not re.fullmatch(r"[^/\s]+/[^/\s]+", pair[0]) or not re.fullmatch(r"[0-9a-f]{40}", pair[1]):
            raise ValueError(problem + f"{pair!r} must be owner/name and the 40 digits of a commit")
    return [
        {**shared, "name": f"{entry['name']}/{repository.partition('/')[2]}", "repository": repository, "revision": at}
        for repository, at in pairs
    ]


class Checkout:
    """A repository's files at one revision, read from its git objects (a work tree is not needed)."""

    def __init__(self, repositories: Path, repository: str, revision: str):
        folder = repositories / repository.replace("/", "+")
        candidates = [folder / "repo" / ".git", folder / "repo", folder / ".git", folder]
        self._git_directory = next((path for path in candidates if (path / "objects").is_dir()), None)
        if self._git_directory is None:
            raise FileNotFoundError(f"no checkout of {repository}: looked for {folder}")
        self._revision = revision

    def _git(self, *arguments: str) -> bytes:
        command = ["git", "--git-dir", str(self._git_directory), "-c", "core.quotepath=off", *arguments]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def paths(self, prefix: str, suffix: str = "") -> list[str]:
        listing = self._git("ls-tree", "-r", "-z", "--name-only", self._revision).decode("utf-8").split("\0")
        return [path for path in listing if path and path.startswith(prefix) and path.endswith(suffix)]

    def read(self, path: str) -> bytes:
        return self._git("show", f"{self._revision}:{path}")

    def read_all(self, paths: list[str]) -> Iterator[tuple[str, str]]:
        """Many text files with one git process."""
        request = "".join(f"{self._revision}:{path}\n" for path in paths).encode()
        command = ["git", "--git-dir", str(self._git_directory), "cat-file", "--batch"]
        output = subprocess.run(command, input=request, check=True, capture_output=True).stdout
        position = 0
        for path in paths:
            end = output.index(b"\n", position)
            header = output[position:end].split()
            if header[-1] == b"missing":
                position = end + 1
                continue
            size = int(header[2])
            yield path, output[end + 1 : end + 1 + size].decode("utf-8", errors="replace")
            position = end + 1 + size + 1
