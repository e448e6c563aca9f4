"""Npz files opened by several threads at once, as by the visitors of one server."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np

from cnncore.array_files import open_npz


def test_one_thread_reads_at_a_time_and_none_is_left_waiting() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, first=np.arange(3), second=np.arange(5))

    def read() -> int:
        with open_npz(io.BytesIO(buffer.getvalue())) as file:
            return sum(len(file[name]) for name in file.files)

    with ThreadPoolExecutor(4) as pool:
        with open_npz(io.BytesIO(buffer.getvalue())) as file:
            others = [pool.submit(read) for _ in range(4)]
            assert not wait(others, timeout=0.3).done
            assert file["first"].tolist() == [0, 1, 2]
        assert [other.result(timeout=60) for other in others] == [8] * 4
