# SPDX-License-Identifier: BSD-3-Clause
"""Workers that mpi4py.futures spawns, and which talk to a thread of ours."""
from mpi4py.futures import MPIPoolExecutor


def work(n):
    return n, bytes([n % 256]) * (n * n)


if __name__ == "__main__":
    with MPIPoolExecutor(max_workers=2) as pool:
        for n, got in enumerate(pool.map(work, range(100))):
            assert got == work(n), (n, got[0], len(got[1]))
    print("pool: all right", flush=True)
