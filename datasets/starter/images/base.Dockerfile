# Debian bookworm, minbase, with what every work tree needs: bash, git, ps, patch.
# The builder makes base.tar with mmdebstrap.
FROM scratch
ADD base.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root \
    LANG=C.UTF-8
# A sandbox may map the owner of the work tree to another id than the one git runs as.
RUN git config --system --add safe.directory '*'
CMD ["bash"]
