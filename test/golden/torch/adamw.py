"""Writes adamw.json: parameters after each step of torch.optim.AdamW in float64. Run with torch 2.13 on the CPU."""

import json
import pathlib

import torch

options = {"lr": 0.01, "betas": (0.9, 0.99), "eps": 1e-6, "weight_decay": 0.1}
generator = torch.Generator().manual_seed(1)
start = torch.randn(5, dtype=torch.float64, generator=generator)
gradients = torch.randn(6, 5, dtype=torch.float64, generator=generator)
gradients[:, 4] = 0  # only the weight decay moves this one

parameter = torch.nn.Parameter(start.clone())
optimizer = torch.optim.AdamW([parameter], **options)
after = []
for gradient in gradients:
    parameter.grad = gradient.clone()
    optimizer.step()
    after.append(parameter.detach().tolist())

golden = {
    "maker": f"adamw.py, torch {torch.__version__}, seed 1",
    **options,
    "start": start.tolist(),
    "gradients": gradients.tolist(),
    "after": after,
}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden, indent=1) + "\n")
