"""The peer of gpu.ts: timm's ViT-T at 224², batch 128, fused AdamW, on the same card. Prints one line per way of running."""

import time

import timm
import torch
import torch.nn.functional as F


def measure(name, compile_mode=None, bf16=False, tf32=False, steps=50):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=1000).cuda()
    run = torch.compile(model, mode=compile_mode) if compile_mode else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05, fused=True)
    images, labels = torch.randn(128, 3, 224, 224, device="cuda"), torch.randint(0, 1000, (128,), device="cuda")

    def step():
        with torch.autocast("cuda", torch.bfloat16, enabled=bf16):
            loss = F.cross_entropy(run(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    for _ in range(12):
        step()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    torch.cuda.synchronize()
    ms = 1e3 * (time.perf_counter() - start) / steps
    way = f"{'bf16 autocast' if bf16 else 'tf32' if tf32 else 'float32'}, {compile_mode or 'eager'}"
    print(f"timm {name} {way}: {ms:.2f} ms, {128e3 / ms:.0f} images/s", flush=True)


print(torch.__version__, torch.cuda.get_device_name(), timm.__version__, flush=True)
model = "vit_tiny_patch16_224"
measure(model)
measure(model, tf32=True)
measure(model, tf32=True, compile_mode="reduce-overhead")
measure(model, bf16=True)
measure(model, bf16=True, compile_mode="reduce-overhead")
