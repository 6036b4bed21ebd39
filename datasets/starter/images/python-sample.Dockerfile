# One Python project before its fix.
FROM localhost/assay-starter/python:latest
COPY testbed /testbed
WORKDIR /testbed
RUN test -z "$(git status --porcelain)"
