# JupyterLab with katlab:
#   docker build -t katlab . && docker run --rm -it -p 8888:8888 katlab
# With NVIDIA GPUs: docker build --build-arg CUDA=--cuda -t katlab . && docker run --rm -it --gpus all -p 8888:8888 katlab
FROM node:20-bookworm-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates g++ python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

RUN install -d -o node -g node /srv/katlab
USER node
WORKDIR /srv/katlab
COPY --chown=node:node . .

ARG CUDA=
RUN npm start -- --headless $CUDA

EXPOSE 8888
CMD ["npm", "start", "--", "--no-browser", "--ip", "0.0.0.0", "--port", "8888"]
