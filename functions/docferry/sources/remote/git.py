"""What is in a commit of a Git repository on this machine."""

import pygit2
from fsspec.implementations.git import GitFileSystem

from docferry.errors import DocumentUnreadable
from docferry.sources.remote.filesystem import LINK, Item

LFS = b"version https://git-lfs.github.com/spec/"
LFS_BYTES = 1024
"""A pointer to a file in Git LFS is no longer."""


class Git:
    """The files below ``root`` of the commit that fsspec's options name, by the ids of their blobs.

    fsspec's own listing takes ``@`` and ``:`` in a name for parts of a URL, so the trees are read here.
    """

    def __init__(self, fs: GitFileSystem, root: str) -> None:
        self._repository = fs.repo
        try:
            commit = self._repository.revparse_single(fs.ref).peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise FileNotFoundError(f"the repository has no commit {fs.ref}") from error
        self._tree = self._object(commit.tree, root.strip("/"))

    def ls(self, folder: str) -> list[Item]:
        """See Filesystem."""
        tree = self._object(self._tree, folder)
        if not isinstance(tree, pygit2.Tree):
            raise FileNotFoundError(folder)
        return [self._item(entry) for entry in tree]

    def item(self, path: str) -> Item:
        """See Filesystem."""
        return self._item(self._object(self._tree, path)) if path else Item("", "folder")

    def read(self, path: str, limit: int) -> bytes:
        """See Filesystem."""
        blob = self._object(self._tree, path)
        if not isinstance(blob, pygit2.Blob):
            raise DocumentUnreadable(f"{path} is not a file")
        return blob.data[:limit]

    def _object(self, tree: pygit2.Object, path: str) -> pygit2.Object:
        for name in path.split("/") if path else ():
            if not isinstance(tree, pygit2.Tree) or name not in tree:
                raise FileNotFoundError(path)
            tree = tree[name]
        return tree

    def _item(self, entry: pygit2.Object) -> Item:
        name = (entry.raw_name or b"").decode(errors="surrogateescape")
        if isinstance(entry, pygit2.Tree):
            return Item(name, "folder")
        if not isinstance(entry, pygit2.Blob):
            return Item(name, "other", problem="is a submodule, which is a repository of its own")
        if entry.filemode == pygit2.enums.FileMode.LINK:
            return Item(name, "other", problem=LINK)
        if entry.size <= LFS_BYTES and entry.data.startswith(LFS):
            return Item(name, "other", problem="is in Git LFS, and the repository has only a pointer to it")
        return Item(name, "file", entry.size, f"git:{entry.id}")
