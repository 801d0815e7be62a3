# SPDX-License-Identifier: GPL-2.0-or-later
# numpy with threaded BLAS, files, site-packages, threads, sockets, asyncio. What it
# prints is the same wherever it runs.
import asyncio
import concurrent.futures
import hashlib
import json
import os
import socket
import tempfile
import threading

import numpy as np

np.random.seed(1)
a = np.random.rand(300, 300)
b = a @ a.T + np.eye(300)
x = np.linalg.solve(b, np.ones(300))
print("solve", np.allclose(b @ x, 1))
print("eigenvalues", np.round(np.linalg.eigvalsh(b)[-3:], 6))
print("svd", np.round(np.linalg.svd(a)[1][:3], 6))
print("fft", np.round(np.abs(np.fft.fft(a[0]))[:3], 6))

with tempfile.TemporaryDirectory() as place:
    name = os.path.join(place, "a.npy")
    np.save(name, a)
    print("file", np.array_equal(np.load(name), a), os.path.getsize(name))
    mapped = np.load(name, mmap_mode="r")
    print("mapped", np.array_equal(mapped, a))
    del mapped
    # Written through a mapping: by msync, and by the end of the mapping.
    raw = os.path.join(place, "a.raw")
    mapped = np.memmap(raw, dtype="f8", mode="w+", shape=a.shape)
    mapped[:] = a
    mapped.flush()
    print("flushed", hashlib.sha256(open(raw, "rb").read()).hexdigest())
    mapped[7] = 0
    del mapped
    again = np.memmap(raw, dtype="f8", mode="r+", shape=a.shape)
    again[8] = 1
    del again
    print("written", np.fromfile(raw).reshape(a.shape)[6:10].sum(axis=1).round(9))
    text = os.path.join(place, "text")
    with open(text, "w") as file:
        for i in range(1000):
            json.dump({"i": i}, file)
            file.write("\n")
    with open(text) as file:
        print("lines", sum(json.loads(line)["i"] for line in file))
    print("names", sorted(os.listdir(place)))

print("package", os.path.basename(os.path.dirname(np.__file__)), np.__version__)
print("hash", hashlib.sha256(a.tobytes()).hexdigest())

left, right = socket.socketpair()
echo = threading.Thread(target=lambda: right.sendall(right.recv(100).upper()))
echo.start()
left.sendall(b"through a socket")
print(left.recv(100))
echo.join()


async def later(i):
    await asyncio.sleep(0.01)
    return i


async def main():
    print("asyncio", await asyncio.gather(*(later(i) for i in range(5))))


asyncio.run(main())
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print("pool", sum(pool.map(lambda i: i * i, range(100))))
