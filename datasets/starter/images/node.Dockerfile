# Node.js alone, without npm: nothing can be installed in a sandbox without network.
FROM localhost/assay-starter/base:latest
COPY node /usr/local/bin/node
COPY tape-junit.js /usr/local/lib/tape-junit.js
