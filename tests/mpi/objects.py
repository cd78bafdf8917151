# SPDX-License-Identifier: BSD-3-Clause
"""MPI as Python programs use it, through mpi4py, which starts with
MPI_THREAD_MULTIPLE: objects of all sizes, matched probes, buffers with gaps,
collective operations, windows, threads. Any number of ranks from 2.
Ends with a line that says how much was checked; what is wrong is an exception,
which ends the job. Parts that are named as arguments are left out.
"""
import array
import struct
import sys
import threading

from mpi4py import MPI

world = MPI.COMM_WORLD
rank, size = world.rank, world.size
right, left = (rank + 1) % size, (rank - 1) % size
checked = 0


def check(what, got, want):
    global checked
    checked += 1
    if got != want:
        print("wrong: rank %d: %s: %.200r, not %.200r" %
              (rank, what, got, want), file=sys.stderr, flush=True)
        world.Abort(1)


def thing(source, n):
    """Nested, of about n bytes."""
    return {"from": source, "bytes": bytes(i % 251 for i in range(n)),
            "list": [source, [n, None, "\u00fc" * (n % 50)]]}


def objects():
    for n in (0, 1, 30, 100, 1000, 4000, 5000, 20000, 70000, 500000):
        got = world.sendrecv(thing(rank, n), right, n % 7, source=left,
                             recvtag=n % 7)
        check("sendrecv", got, thing(left, n))
        request = world.isend(thing(rank, n), right, 9)
        message = world.mprobe(MPI.ANY_SOURCE, 9)
        check("mprobe", message.recv(), thing(left, n))
        request.wait()
        request = world.issend(thing(rank, n), rank, 10)
        check("to self", world.recv(source=rank, tag=10), thing(rank, n))
        request.wait()


def collectives():
    for n in (1, 3000, 100000):
        for root in range(size):
            check("bcast", world.bcast(thing(root, n) if rank == root else
                                       None, root), thing(root, n))
            got = world.gather(thing(rank, n), root)
            check("gather", got, [thing(r, n) for r in range(size)]
                  if rank == root else None)
            got = world.scatter([thing(r, n) for r in range(size)]
                                if rank == root else None, root)
            check("scatter", got, thing(rank, n))
        got = world.alltoall([(rank, to, b"x" * n) for to in range(size)])
        check("alltoall", got, [(r, rank, b"x" * n) for r in range(size)])
        mine = array.array("q", range(rank, rank + n))
        total = array.array("q", bytes(8 * n))
        world.Allreduce(mine, total)
        check("Allreduce", total, array.array("q", (
            size * i + size * (size - 1) // 2 for i in range(n))))
    check("allreduce", world.allreduce([rank]), list(range(size)))
    check("exscan", world.exscan(rank) or 0, sum(range(rank)))


def gaps():
    """Every third double, to every second."""
    for n in (1, 5, 100, 10000):
        source = array.array("d", (rank * 1000 + i for i in range(3 * n)))
        target = array.array("d", [-1]) * (2 * n)
        every_third = MPI.DOUBLE.Create_vector(n, 1, 3).Commit()
        every_second = MPI.DOUBLE.Create_vector(n, 1, 2).Commit()
        world.Sendrecv([source, 1, every_third], right, 3,
                       [target, 1, every_second], left, 3)
        check("gaps", list(target[::2]),
              [left * 1000.0 + 3 * i for i in range(n)])
        check("between", list(target[1::2]), [-1.0] * n)
        every_third.Free()
        every_second.Free()


def number(memory, at, format="q"):
    return struct.unpack_from(format, memory, at)[0]


def fetch(window, value, target, at, op):
    out = array.array("q", [value])
    old = array.array("q", [-1])
    window.Fetch_and_op(out, old, target, at, op)
    window.Flush(target)
    return old[0]


def one_window(window, memory):
    data = bytes((rank + i) % 256 for i in range(30000))
    back = bytearray(len(data))
    window.Fence()
    window.Put(data, right, 64)
    window.Fence()
    check("put", bytes(memory[64:64 + len(data)]),
          bytes((left + i) % 256 for i in range(30000)))
    window.Get(back, right, 64)
    window.Fence()
    check("get", bytes(back), data)
    window.Lock_all()
    for i in range(20):
        old = fetch(window, 1, 0, 0, MPI.SUM)
        check("sum in range", 0 <= old < 20 * size, True)
    fetch(window, rank + 1, 0, 8, MPI.MAX)
    fetch(window, 1 << rank, 0, 16, MPI.BOR)
    window.Unlock_all()
    world.Barrier()
    if rank == 0:
        window.Lock(0)
        check("sum", number(memory, 0), 20 * size)
        check("max", number(memory, 8), size)
        check("or", number(memory, 16), (1 << size) - 1)
        window.Unlock(0)
    world.Barrier()


def windows():
    memory = bytearray(40000)
    window = MPI.Win.Create(memory, 1, comm=world)
    one_window(window, memory)
    window.Free()
    window = MPI.Win.Allocate(40000, 1, comm=world)
    memory = window.tomemory()
    memory[:] = bytes(40000)
    one_window(window, memory)
    window.Free()


def threads():
    check("threads", MPI.Query_thread(), MPI.THREAD_MULTIPLE)
    wrong = []

    def run(tag):
        for i in range(30):
            got = world.sendrecv((tag, i, b"y" * (i * 1000)), right, tag,
                                 source=left, recvtag=tag)
            if got != (tag, i, b"y" * (i * 1000)):
                wrong.append(got)

    pool = [threading.Thread(target=run, args=(100 + t,)) for t in range(4)]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    check("in threads", wrong, [])


for part in (objects, collectives, gaps, windows, threads):
    if part.__name__ not in sys.argv[1:]:
        part()
if rank == 0:
    print("objects: all right, %d checks" % checked, flush=True)
