# seqclf on a CPU; for a GPU: docker build --build-arg EXTRAS=gpu,serve -t seqclf .
FROM python:3.12-slim

ARG EXTRAS=serve
COPY . /src
RUN pip install --no-cache-dir --constraint /src/constraints.txt "/src[$EXTRAS]"

WORKDIR /data
ENTRYPOINT ["seqclf"]
CMD ["--help"]
