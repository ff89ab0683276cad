"""PyTorch's side of hessian.ts: gradient and Hessian-vector product by double backward of the ViT of step.py.

Usage: hessian.py THREADS REPEATS   prints one JSON record: milliseconds of each run by name.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from step import BATCH, CLASSES, Vit
from torch.nn.attention import SDPBackend, sdpa_kernel

threads, repeats = map(int, sys.argv[1:])
torch.set_num_threads(threads)
torch.manual_seed(0)
model = Vit()
parameters = list(model.parameters())
images, labels = torch.randn(BATCH, 32, 32, 3), torch.randint(0, CLASSES, (BATCH,))
vectors = [torch.randn_like(parameter) for parameter in parameters]


def gradient():
    torch.autograd.grad(F.cross_entropy(model(images), labels), parameters)


def product():
    # The fast forms of attention have no second derivative.
    with sdpa_kernel(SDPBackend.MATH):
        grads = torch.autograd.grad(F.cross_entropy(model(images), labels), parameters, create_graph=True)
        torch.autograd.grad(grads, parameters, vectors)


times = {"gradient": [], "hessianVectorProduct": []}
for i in range(repeats + 3):
    for name, run in (("gradient", gradient), ("hessianVectorProduct", product)):
        start = time.perf_counter()
        run()
        if i >= 3:
            times[name].append(1e3 * (time.perf_counter() - start))
print(json.dumps(times))
