# One npm package before its fix. Its test dependencies lie at /node_modules, where
# Node looks after /testbed/node_modules, so that the work tree stays clean.
FROM localhost/assay-starter/node:latest
COPY node_modules /node_modules
ENV PATH=/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY testbed /testbed
WORKDIR /testbed
RUN test -z "$(git status --porcelain)"
