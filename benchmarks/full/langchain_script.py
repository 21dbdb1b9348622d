"""What langchain_index.py lets the Python of LangChain's environment run: nothing of this project is there.

Indexes documents twice, and prints the seconds of processor time that the second time took.
"""

import sys
import tempfile
import time


def main(size: int) -> None:
    """Index twice, and print what the second time took."""
    from langchain_classic.indexes import SQLRecordManager  # noqa: PLC0415  # only that environment has it
    from langchain_core.documents import Document  # noqa: PLC0415  # as above
    from langchain_core.embeddings import Embeddings  # noqa: PLC0415  # as above
    from langchain_core.indexing import index  # noqa: PLC0415  # as above
    from langchain_core.vectorstores import InMemoryVectorStore  # noqa: PLC0415  # as above

    class Numbers(Embeddings):  # type: ignore[misc]  # untyped here
        """A number for each text."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [[0.0]] * len(texts)

        def embed_query(self, text: str) -> list[float]:  # noqa: ARG002  # LangChain's
            return [0.0]

    documents = [
        Document(page_content=f"{number:064x}", metadata={"source": f"folder/document-{number:08}.txt"})
        for number in range(size)
    ]
    with tempfile.TemporaryDirectory() as folder:
        records = SQLRecordManager("bench", db_url=f"sqlite:///{folder}/records.db")
        records.create_schema()
        vectors, began = InMemoryVectorStore(Numbers()), 0.0
        for _ in range(2):
            began = time.process_time()
            done = index(documents, records, vectors, cleanup="full", source_id_key="source", key_encoder="sha256")
        print(time.process_time() - began)
        assert done["num_skipped"] == size, done


if __name__ == "__main__":
    main(int(sys.argv[1]))
