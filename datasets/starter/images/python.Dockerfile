# Debian's Python with pytest. The builder fetches the packages and the wheels.
FROM localhost/assay-starter/base:latest
RUN --mount=type=bind,source=debs,target=/mnt \
    apt-get install --yes --no-install-recommends /mnt/*.deb && rm -rf /var/log/apt /var/log/dpkg.log /var/cache/apt/*.bin
COPY site /usr/local/lib/python3.11/dist-packages
ENV PYTHONDONTWRITEBYTECODE=1
RUN ln -s python3 /usr/bin/python && \
    printf '#!/usr/bin/python3\nimport sys, pytest\nsys.exit(pytest.console_main())\n' > /usr/local/bin/pytest && \
    chmod 755 /usr/local/bin/pytest
