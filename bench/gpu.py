"""The peer of gpu.ts: timm's ViT-T at 224², batch 128, fused AdamW, on the same card. Prints one line per way of running.

Ways: eager; `torch.compile` with CUDA graphs; the eager step captured by `torch.cuda.graph`. Under bf16 either autocast with
float32 weights, or all in bf16 (the optimizer too, so with less to do than ours, which keeps float32 weights).
"""

import time

import timm
import torch
import torch.nn.functional as F

MODEL = "vit_tiny_patch16_224"
STEPS = 50


def captured(step):
    """The step as a CUDA graph, warmed up on a side stream as PyTorch's documentation asks."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def measure(way, compiled=False, capture=False, autocast=False, dtype=torch.float32, tf32=False):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.manual_seed(0)
    model = timm.create_model(MODEL, num_classes=1000).cuda().to(dtype)
    run = torch.compile(model, mode="reduce-overhead") if compiled else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05, fused=True, capturable=capture)
    images = torch.randn(128, 3, 224, 224, device="cuda", dtype=dtype)
    labels = torch.randint(0, 1000, (128,), device="cuda")

    def step():
        with torch.autocast("cuda", torch.bfloat16, enabled=autocast, cache_enabled=not capture):
            loss = F.cross_entropy(run(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    take = captured(step) if capture else step
    for _ in range(12):
        take()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(STEPS):
        take()
    host = 1e3 * (time.perf_counter() - start) / STEPS
    torch.cuda.synchronize()
    ms = 1e3 * (time.perf_counter() - start) / STEPS
    print(f"timm {MODEL} {way}: {ms:.2f} ms (host {host:.2f}), {128e3 / ms:.0f} images/s", flush=True)


print(torch.__version__, torch.cuda.get_device_name(), timm.__version__, flush=True)
measure("float32, eager")
measure("tf32, eager", tf32=True)
measure("tf32, torch.compile and CUDA graphs", tf32=True, compiled=True)
measure("tf32, CUDA graph", tf32=True, capture=True)
measure("bf16 autocast, eager", autocast=True)
measure("bf16 autocast, CUDA graph", autocast=True, capture=True)
measure("all bf16, CUDA graph", dtype=torch.bfloat16, capture=True)
measure("bf16 autocast, torch.compile and CUDA graphs", autocast=True, compiled=True)
