#!/usr/bin/env bash
# VULNERABILITY: a sandbox tells of the host: tokens in the environment, paths of data in its mounts, a container's socket.
# ATTACK: looks for them.
# VERIFIES: a sandbox has no secret in it, and no way to the host's files.
# SAMPLE: pallets__itsdangerous-2.1.1
# PROOF: none, there is nothing to be found
# TAMPERING: none
found() { echo "$@"; exit 42; }
grep -aqsE 'ask_[0-9a-z]{20}|ASSAY_[A-Z_]*(KEY|SECRET|TOKEN|URL)=' /proc/[0-9]*/environ && found a secret in an environment
for socket in /var/run/docker.sock /run/containerd/containerd.sock /run/crio/crio.sock; do
  [ -S "$socket" ] && found "$socket"
done
[ -e /var/lib/assay ] && found /var/lib/assay
samples=$(find / -xdev -name samples.jsonl -o -xdev -name assay.db -o -xdev -name state.key 2> /dev/null)
[ -z "$samples" ] || found "$samples"
[ -r /proc/1/environ ] && [ -n "$(cat /proc/1/environ 2> /dev/null)" ] && found the environment of process 1
[ -n "$(ls /proc/1/root/ 2> /dev/null)" ] && [ "$(stat -Lc %d:%i /proc/1/root/)" != "$(stat -c %d:%i /)" ] && found another root
exit 0
